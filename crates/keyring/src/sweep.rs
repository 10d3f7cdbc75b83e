//! Work that goes over many rows: how fast it may go, how far it has come, and where it goes on.

use std::{fmt, num::NonZeroU32, time::Duration};

/// A place in the order of the rows: everything up to it is done. Opaque to all but who made it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// A place, in the words of who orders the rows.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How fast a sweep may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    batch: NonZeroU32,
    rows_per_second: Option<NonZeroU32>,
}

impl Pace {
    /// As fast as it can, `batch` rows in one transaction: others wait for one to end.
    #[must_use]
    pub const fn batches_of(batch: NonZeroU32) -> Self {
        Self {
            batch,
            rows_per_second: None,
        }
    }

    /// At most so many rows in a second.
    #[must_use]
    pub const fn at_most(self, rows_per_second: NonZeroU32) -> Self {
        Self {
            rows_per_second: Some(rows_per_second),
            ..self
        }
    }

    /// The rows of one transaction.
    #[must_use]
    pub const fn batch(self) -> NonZeroU32 {
        self.batch
    }

    /// How long after its start a sweep that has done so many rows goes on.
    #[must_use]
    pub fn not_before(self, done: u64) -> Duration {
        self.rows_per_second.map_or(Duration::ZERO, |rate| {
            Duration::from_secs_f64(done as f64 / f64::from(rate.get()))
        })
    }
}

/// 100 rows in one transaction: a few milliseconds for a database that others write to as well.
impl Default for Pace {
    fn default() -> Self {
        const BATCH: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");
        Self::batches_of(BATCH)
    }
}

/// How far a sweep has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Rows looked at, in earlier runs that this one goes on from too.
    pub done: u64,
    /// Of those, rows of earlier runs.
    pub earlier: u64,
    /// Rows there were to look at when it began, as far as is known.
    pub total: u64,
    /// Of those done in this run, rows that were written.
    pub changed: u64,
    /// Of those done in this run, rows that somebody else changed first: they are in order, or come again.
    pub skipped: u64,
    /// Of those done in this run, rows that could not be read or written: each needs a person.
    pub failed: u64,
    /// Since this run began.
    pub elapsed: Duration,
}

impl Progress {
    /// Rows in a second, of this run.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let rows = self.done.saturating_sub(self.earlier);
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            rows as f64 / seconds
        } else {
            0.0
        }
    }

    /// How long the rest takes at this rate; `None` while nothing is known.
    #[must_use]
    pub fn eta(&self) -> Option<Duration> {
        let left = self.total.saturating_sub(self.done);
        let rate = self.rate();
        if left == 0 {
            Some(Duration::ZERO)
        } else if rate > 0.0 {
            Duration::try_from_secs_f64(left as f64 / rate).ok()
        } else {
            None
        }
    }
}
