//! Wall-clock time and randomness, passed in so that tests can choose them.

use std::{
    fmt::Debug,
    sync::LazyLock,
    time::{Duration, Instant},
};

use portcullis_keyring::entropy::{Entropy, EntropyError};
use time::OffsetDateTime;

use crate::timestamp;

/// Tells the time.
pub(crate) trait Clock: Debug + Send + Sync {
    /// The time of day in UTC, for what is stored and shown.
    fn wall(&self) -> OffsetDateTime;

    /// The time since a fixed moment, for durations: the wall clock may be set meanwhile.
    fn monotonic(&self) -> Duration;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> OffsetDateTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the system implementation"
        )]
        let now = std::time::SystemTime::now();
        timestamp::from_system(now)
    }

    fn monotonic(&self) -> Duration {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the system implementation"
        )]
        static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        ORIGIN.elapsed()
    }
}

/// A seed for choices that need not be secret, only unpredictable.
pub(crate) fn make_seed(entropy: &dyn Entropy) -> Result<[u8; 32], EntropyError> {
    let mut seed = [0; 32];
    entropy.fill(&mut seed)?;
    Ok(seed)
}
