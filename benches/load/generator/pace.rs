//! When the next request is to be sent.

use std::time::{Duration, Instant};

/// How fast requests follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// The next one over a connection as soon as it has its answer.
    Closed,
    /// So many a second whatever the answers do. One that finds no connection free waits, and its
    /// latency counts from when it was to be sent: a pause of the service is not left out because the
    /// load paused with it.
    PerSecond(f64),
}

/// The pace of one thread, for as long as it lasts.
#[derive(Debug)]
pub(super) struct Schedule {
    /// None where nothing but a free connection is waited for.
    next: Option<(Instant, Duration)>,
    end: Instant,
}

impl Pace {
    /// Of the thread with this number, one of several that share the pace.
    pub(super) fn schedule(
        self,
        start: Instant,
        length: Duration,
        number: usize,
        threads: usize,
    ) -> Schedule {
        let next = match self {
            Self::Closed => None,
            Self::PerSecond(rate) => {
                let between = 1.0 / rate;
                let first = start + Duration::from_secs_f64(between * number as f64);
                Some((first, Duration::from_secs_f64(between * threads as f64)))
            }
        };
        let end = start + length;
        Schedule { next, end }
    }
}

impl Schedule {
    /// When a request was to be sent that is due now; the one after it is then the next.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Instant> {
        if self.over(now) {
            return None;
        }
        let Some((next, between)) = &mut self.next else {
            return Some(now);
        };
        let due = *next;
        (due <= now).then(|| {
            *next += *between;
            due
        })
    }

    /// Whether none is to come any more.
    pub(super) fn over(&self, now: Instant) -> bool {
        self.next.map_or(now, |(next, _)| next) >= self.end
    }

    /// How long until the next one.
    pub(super) fn until_next(&self, now: Instant) -> Duration {
        let next = self.next.map_or(now, |(next, _)| next);
        next.saturating_duration_since(now)
    }
}
