//! Time as a parameter.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Tells what the date is.
///
/// # Contract
/// It may be set by the operator at any time: what has to last is not measured by it.
pub trait Clock: Debug + Send + Sync {
    /// The date.
    fn wall(&self) -> SystemTime;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

/// A clock that moves only when told to, for tests.
#[derive(Debug)]
pub struct FakeClock(Mutex<SystemTime>);

impl SystemClock {
    /// The clock of this machine.
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
}

impl FakeClock {
    /// A clock that stands at `date`.
    #[must_use]
    pub const fn new(date: SystemTime) -> Self {
        Self(Mutex::new(date))
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
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
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
