//! Time: the clock a limiter reads, and points in time.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// A point in time: whole microseconds since the origin of a [`Clock`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Where a limiter reads the time.
///
/// # Contract
/// All values of one clock count from the same origin. A clock should not step back; where one
/// does, buckets take the latest time they have seen for the present, so nothing refills twice.
pub trait Clock: Debug + Send + Sync {
    /// The time since the clock's origin.
    fn monotonic(&self) -> Duration;
}

/// The monotonic clock of the operating system. Its origin is when the value was made.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

/// A clock that a test moves by hand, backwards too.
#[derive(Debug, Default)]
pub struct FakeClock {
    nanos: AtomicU64,
}

impl Timestamp {
    /// The time this many microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this one, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The time so much later.
    #[must_use]
    pub(crate) fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(Self::from(time).0))
    }
}

/// Takes a time since the origin, rounded down to a microsecond.
impl From<Duration> for Timestamp {
    fn from(since_origin: Duration) -> Self {
        let micros = since_origin.as_secs().saturating_mul(1_000_000);
        Self(micros.saturating_add(u64::from(since_origin.subsec_micros())))
    }
}

impl SystemClock {
    /// A clock whose origin is now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the system implementation"
    )]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

impl FakeClock {
    /// A clock at its origin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.nanos.fetch_add(whole_nanos(by), Ordering::SeqCst);
    }

    /// Sets the time since the origin, which may be earlier than before.
    pub fn set(&self, since_origin: Duration) {
        self.nanos
            .store(whole_nanos(since_origin), Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::SeqCst))
    }
}

fn whole_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
