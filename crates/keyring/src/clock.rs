//! Time, as a parameter.

mod waiting;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

pub use self::waiting::Waiting;

/// Where time comes from.
///
/// # Contract
/// [`monotonic`](Clock::monotonic) never goes back, and its origin is the same for every clone and
/// every instance in a process. It may be coarse: a few milliseconds late is well within every
/// bound of this crate.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day, for what is stored and compared between processes.
    fn wall(&self) -> SystemTime;

    /// The time since a fixed moment, for ages within this process.
    fn monotonic(&self) -> Duration;
}

/// The clock of the operating system.
///
/// On Linux `monotonic` is `CLOCK_MONOTONIC_COARSE`, which is read without touching hardware and
/// moves with the tick of the kernel, every 1 to 10 ms. It stands still while the machine is
/// suspended.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The clock of the operating system.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the system implementation of the clock"
    )]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    #[cfg(target_os = "linux")]
    fn monotonic(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
        // The kernel never gives a negative monotonic time.
        Duration::try_from(time).unwrap_or_default()
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(
        clippy::disallowed_methods,
        reason = "the system implementation of the clock"
    )]
    fn monotonic(&self) -> Duration {
        static ORIGIN: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        ORIGIN.elapsed()
    }
}

/// A clock that moves only when told to, for tests.
#[derive(Debug, Default)]
pub struct FakeClock {
    since_origin: Mutex<Duration>,
}

impl FakeClock {
    /// A clock at its origin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves both readings forward.
    pub fn advance(&self, by: Duration) {
        *self.since_origin() += by;
    }

    fn since_origin(&self) -> MutexGuard<'_, Duration> {
        // A Duration is whole whatever happened to the thread that held the lock.
        self.since_origin
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> SystemTime {
        const ORIGIN: Duration = Duration::from_secs(1_750_000_000);
        SystemTime::UNIX_EPOCH + ORIGIN + *self.since_origin()
    }

    fn monotonic(&self) -> Duration {
        *self.since_origin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_never_goes_back() {
        let clock = SystemClock::new();
        let mut last = clock.monotonic();
        assert!(last > Duration::ZERO);
        for _ in 0..10_000 {
            let now = clock.monotonic();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn a_fake_clock_moves_only_when_told_to() {
        let clock = FakeClock::new();
        let (wall, monotonic) = (clock.wall(), clock.monotonic());
        assert_eq!((clock.wall(), clock.monotonic()), (wall, monotonic));
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.wall(), wall + Duration::from_secs(5));
        assert_eq!(clock.monotonic(), monotonic + Duration::from_secs(5));
    }
}
