//! Time as a parameter.

use std::{
    fmt,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

/// The time that log lines, rate windows, tail sampling and request durations are measured with.
///
/// # Contract
/// [`monotonic`](Clock::monotonic) never goes back, whatever happens to the wall clock.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock, for timestamps that people and machines read.
    fn wall(&self) -> SystemTime;

    /// Time since an arbitrary fixed moment, for measuring distances.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    pub fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the system implementation of `Clock`"
        )]
        let origin = Instant::now();
        Self { origin }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "the system implementation of `Clock`"
        )]
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct FakeClock {
    start: SystemTime,
    elapsed: Mutex<Duration>,
}

impl FakeClock {
    /// A clock that reads `start`.
    #[must_use]
    pub fn new(start: SystemTime) -> Self {
        Self {
            start,
            elapsed: Mutex::new(Duration::ZERO),
        }
    }

    /// Moves both the wall clock and the monotonic one forward.
    pub fn advance(&self, by: Duration) {
        *self
            .elapsed
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) += by;
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> SystemTime {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self
            .elapsed
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
