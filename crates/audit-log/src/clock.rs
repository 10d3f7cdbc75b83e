//! Time as a parameter: one clock for dates, one for intervals.

use std::{
    fmt::Debug,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::event::Timestamp;

/// Tells what the date is, and how much time has passed.
///
/// # Contract
/// [`monotonic`](Self::monotonic) never goes back. [`wall`](Self::wall) may be set by the operator at any time.
pub trait Clock: Debug + Send + Sync {
    /// The date, as events have it.
    fn wall(&self) -> SystemTime;

    /// Time since a fixed moment in the past, the same for the life of the process.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the operating system.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

/// A clock that moves only when told to, for tests.
#[derive(Debug)]
pub struct FakeClock {
    times: Mutex<(SystemTime, Duration)>,
}

impl SystemClock {
    /// The clocks of this machine.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the date"
    )]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the monotonic clock"
    )]
    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

impl FakeClock {
    /// A clock whose date is `date`.
    #[must_use]
    pub const fn new(date: SystemTime) -> Self {
        // Far from zero, so that a test can tell "never" from "just now".
        Self {
            times: Mutex::new((date, Duration::from_secs(1_000))),
        }
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, time: Duration) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.0 += time;
        times.1 += time;
    }

    fn times(&self) -> (SystemTime, Duration) {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FakeClock {
    /// A clock that starts at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> SystemTime {
        self.times().0
    }

    fn monotonic(&self) -> Duration {
        self.times().1
    }
}

/// The date as an event has it: the nearest that it can have.
#[must_use]
pub fn timestamp(clock: &dyn Clock) -> Timestamp {
    let since = clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros())
        .ok()
        .and_then(Timestamp::from_unix_micros)
        .unwrap_or(Timestamp::MAX)
}

/// A clock for tests in which each look takes time.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct SlowClock {
    clock: FakeClock,
    step: Duration,
}

#[cfg(test)]
impl SlowClock {
    /// Goes on by so much each time that it is asked.
    pub(crate) fn new(step: Duration) -> Self {
        Self {
            clock: FakeClock::default(),
            step,
        }
    }
}

#[cfg(test)]
impl Clock for SlowClock {
    fn wall(&self) -> SystemTime {
        self.clock.wall()
    }

    fn monotonic(&self) -> Duration {
        self.clock.advance(self.step);
        self.clock.monotonic()
    }
}
