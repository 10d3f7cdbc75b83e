//! Time as a parameter.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// Where the time comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall-clock time; it may step back.
    fn wall(&self) -> SystemTime;

    /// The time since some fixed moment; it never goes back.
    fn monotonic(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

/// A clock that moves only when told to, for tests.
#[derive(Debug)]
pub struct FakeClock(Mutex<Fake>);

#[derive(Debug)]
struct Fake {
    wall: SystemTime,
    monotonic: Duration,
}

/// Milliseconds since the Unix epoch; a number in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(u64);

impl SystemClock {
    /// A clock whose fixed moment is now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the ambient clock is read in this file alone"
    )]
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the ambient clock is read in this file alone"
    )]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

impl FakeClock {
    /// A clock that stands at `start`.
    pub fn new(start: SystemTime) -> Self {
        Self(Mutex::new(Fake {
            wall: start,
            monotonic: Duration::ZERO,
        }))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut fake = self.fake();
        fake.wall += by;
        fake.monotonic += by;
    }

    /// Sets the wall clock, back if need be; no time passes.
    pub fn set_wall(&self, wall: SystemTime) {
        self.fake().wall = wall;
    }

    fn fake(&self) -> MutexGuard<'_, Fake> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FakeClock {
    /// A clock that stands at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }
}

impl Clock for FakeClock {
    fn wall(&self) -> SystemTime {
        self.fake().wall
    }

    fn monotonic(&self) -> Duration {
        self.fake().monotonic
    }
}

impl UnixMillis {
    /// From a count of milliseconds.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// The count of milliseconds.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// From a time; one before 1970 becomes 0.
    pub fn saturating_from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
