//! Time for work that waits.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use portcullis_keyring::clock::{Clock, FakeClock, SystemClock};

/// A clock that can be waited for.
///
/// # Contract
/// After [`wait`](Self::wait) the monotonic reading is later by what was waited for, or by more.
#[async_trait]
pub trait Timer: fmt::Debug + Send + Sync {
    /// The time of day.
    fn wall(&self) -> SystemTime;

    /// The time since a fixed moment.
    fn monotonic(&self) -> Duration;

    /// Waits.
    async fn wait(&self, duration: Duration);
}

/// The clock of the operating system, and the timer of the Tokio runtime that a sweep runs on.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TokioTimer;

impl TokioTimer {
    /// The clock of the operating system, and the timer of the Tokio runtime.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Timer for TokioTimer {
    fn wall(&self) -> SystemTime {
        SystemClock::new().wall()
    }

    fn monotonic(&self) -> Duration {
        SystemClock::new().monotonic()
    }

    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Waiting moves the clock, and takes no time.
#[async_trait]
impl Timer for FakeClock {
    fn wall(&self) -> SystemTime {
        Clock::wall(self)
    }

    fn monotonic(&self) -> Duration {
        Clock::monotonic(self)
    }

    async fn wait(&self, duration: Duration) {
        self.advance(duration);
    }
}
