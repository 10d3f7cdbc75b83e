//! Time as a parameter: one clock for intervals, one for dates.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Tells what the date is, and how much time has passed.
///
/// # Contract
///
/// [`monotonic`](Self::monotonic) never goes back, and goes on while the machine is suspended: how
/// long a cached key may be used is measured by it, and a machine that wakes up after an hour must
/// not trust what it knew before. [`wall`](Self::wall) may be set by the operator at any time.
pub trait Clock: Debug + Send + Sync {
    /// The date, against which `not_before` and `expires_at` of a key are read.
    fn wall(&self) -> SystemTime;

    /// Time since a fixed moment in the past, the same for the life of the process.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the operating system.
///
/// On Linux `monotonic` reads `CLOCK_BOOTTIME`, which runs through suspend; elsewhere the standard
/// library's monotonic clock, which may stand still meanwhile.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

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

    fn monotonic(&self) -> Duration {
        boot_time()
    }
}

#[cfg(target_os = "linux")]
fn boot_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock"
)]
fn boot_time() -> Duration {
    use std::{sync::LazyLock, time::Instant};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// A clock that moves only when told to, for tests.
#[derive(Debug)]
pub struct FakeClock {
    times: Mutex<(SystemTime, Duration)>,
}

impl FakeClock {
    /// A clock whose date is `date`.
    #[must_use]
    pub fn new(date: SystemTime) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_does_not_go_back() {
        let clock = SystemClock::new();
        let earlier = clock.monotonic();
        assert!(earlier > Duration::ZERO);
        assert!(clock.monotonic() >= earlier);
    }

    #[test]
    fn a_fake_clock_moves_only_when_told_to() {
        let clock = FakeClock::default();
        let (wall, monotonic) = (clock.wall(), clock.monotonic());
        assert_eq!((clock.wall(), clock.monotonic()), (wall, monotonic));
        let second = Duration::from_secs(1);
        clock.advance(second);
        assert_eq!(clock.wall(), wall + second);
        assert_eq!(clock.monotonic(), monotonic + second);
    }
}
