//! What became of what is promised, in slots of five minutes, of all processes that share a database.

#[cfg(test)]
mod memory;

use std::{fmt::Debug, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use time::OffsetDateTime;

use super::StoreError;

#[cfg(test)]
pub(crate) use self::memory::MemorySloHistory;

/// Keeps how often each objective was met and missed, by slot and process.
///
/// # Contract
/// - What is [put](Self::put) takes the place of what its objective, slot and node had, all of it or nothing, so that
///   the same again is safe after an error.
/// - [`sums`](Self::sums) are of one moment: all of what was put at once is in them, or nothing of it.
/// - [`prune`](Self::prune) removes what is older, at most [`PRUNED_AT_ONCE`] at once, and nothing else.
#[async_trait]
pub(crate) trait SloHistory: Debug + Send + Sync {
    /// Keeps counts.
    async fn put(&self, buckets: &[SloBucket]) -> Result<(), StoreError>;

    /// For each objective and each span what all nodes counted.
    async fn sums(&self, query: &SloQuery) -> Result<Vec<SloSum>, StoreError>;

    /// Removes what some objectives have before a slot, and says how many rows that were.
    async fn prune(&self, slos: &[&'static str], before: Slot) -> Result<u64, StoreError>;
}

/// Rows that are removed in one transaction, so that nobody waits long for it.
pub(crate) const PRUNED_AT_ONCE: u32 = 4_096;

/// Five minutes, counted from 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(i64);

/// What one process counted for one objective in one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SloBucket {
    pub(crate) slo: &'static str,
    pub(crate) slot: Slot,
    pub(crate) node: Arc<str>,
    pub(crate) good: u64,
    pub(crate) bad: u64,
}

/// What is to be summed up.
#[derive(Debug, Clone)]
pub(crate) struct SloQuery {
    pub(crate) slos: Vec<&'static str>,
    /// Those of the answer are told by their places here.
    pub(crate) spans: Vec<Range<Slot>>,
    /// What the asking process knows better itself.
    pub(crate) except: Vec<OwnSlots>,
}

/// All that a node has from some slot on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnSlots {
    pub(crate) node: Arc<str>,
    pub(crate) from: Slot,
}

/// What there was of one objective in one span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SloSum {
    pub(crate) slo: &'static str,
    pub(crate) span: usize,
    pub(crate) good: u64,
    pub(crate) bad: u64,
    /// The oldest slot in it that anybody kept.
    pub(crate) first: Option<Slot>,
}

impl Slot {
    /// How long one lasts.
    pub(crate) const LENGTH: Duration = Duration::from_secs(300);

    const SECONDS: i64 = 300;

    #[cfg(test)]
    pub(crate) const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The one that a time lies in.
    pub(crate) fn of(time: OffsetDateTime) -> Self {
        Self(time.unix_timestamp().div_euclid(Self::SECONDS))
    }

    /// The one so many slots earlier.
    pub(crate) fn earlier(self, slots: u32) -> Self {
        Self(self.0.saturating_sub(i64::from(slots)))
    }

    /// The one after it.
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// When it began, in seconds since 1970.
    pub(crate) fn began(self) -> i64 {
        self.0.saturating_mul(Self::SECONDS)
    }

    /// Its number.
    pub(crate) const fn number(self) -> i64 {
        self.0
    }

    /// The one of a number that was kept.
    pub(super) const fn numbered(number: i64) -> Self {
        Self(number)
    }
}
