//! Time as a parameter: one clock for intervals, one for dates.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells how much time has passed, and what the date is.
///
/// # Contract
///
/// `uptime` never goes back, and goes on while the machine is suspended: how long a cached key
/// may be used is measured by it. `date` may be set by the operator at any time.
pub trait Clock: Debug + Send + Sync {
    /// Time since a fixed moment in the past, the same for the life of the process.
    fn uptime(&self) -> Duration;

    /// The date, against which `not_before` and `expires_at` of a key are read.
    fn date(&self) -> SystemTime;
}

/// The clocks of the operating system.
///
/// On Linux `uptime` reads `CLOCK_BOOTTIME`, elsewhere the standard library's monotonic clock,
/// which may stand still while the machine is suspended.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn uptime(&self) -> Duration {
        system_uptime()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the date"
    )]
    fn date(&self) -> SystemTime {
        SystemTime::now()
    }
}

#[cfg(target_os = "linux")]
fn system_uptime() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock"
)]
fn system_uptime() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// A clock that moves only when told to, for tests.
#[derive(Debug)]
pub struct FakeClock {
    now: Mutex<(Duration, SystemTime)>,
}

impl FakeClock {
    /// A clock whose date is `date`.
    #[must_use]
    pub fn new(date: SystemTime) -> Self {
        // Far from zero, so that a test can tell "never" from "just now".
        Self {
            now: Mutex::new((Duration::from_secs(1_000), date)),
        }
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, time: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.0 += time;
        now.1 += time;
    }

    fn now(&self) -> (Duration, SystemTime) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FakeClock {
    /// A clock that starts at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }
}

impl Clock for FakeClock {
    fn uptime(&self) -> Duration {
        self.now().0
    }

    fn date(&self) -> SystemTime {
        self.now().1
    }
}

/// A date as records keep it: milliseconds since 1970-01-01T00:00:00Z, before it negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// From the number of milliseconds.
    #[must_use]
    pub const fn new(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The number of milliseconds.
    #[must_use]
    pub fn as_i64(self) -> i64 {
        self.0
    }

    /// The date this much earlier.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(time)))
    }
}

impl From<SystemTime> for UnixMillis {
    /// Rounds towards 1970; dates that do not fit become the last one that does.
    fn from(date: SystemTime) -> Self {
        match date.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(whole_millis(after)),
            Err(before) => Self(-whole_millis(before.duration())),
        }
    }
}

impl From<UnixMillis> for SystemTime {
    /// Dates that the platform cannot express become 1970.
    fn from(date: UnixMillis) -> Self {
        let distance = Duration::from_millis(date.0.unsigned_abs());
        let converted = if date.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        converted.unwrap_or(UNIX_EPOCH)
    }
}

fn whole_millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_system_clock_does_not_go_back() {
        let earlier = SystemClock.uptime();
        assert!(earlier > Duration::ZERO);
        assert!(SystemClock.uptime() >= earlier);
    }

    proptest! {
        #[test]
        fn a_date_survives_the_record(milliseconds: i64) {
            let date = UnixMillis::new(milliseconds.max(-i64::MAX));
            prop_assert_eq!(UnixMillis::from(SystemTime::from(date)), date);
        }
    }
}
