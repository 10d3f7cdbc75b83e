//! Wall-clock time and randomness, passed in so that tests can choose them.

use std::{
    fmt::Debug,
    ops::Range,
    sync::{Arc, LazyLock},
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

/// A clock for tests that tells one time after another, and the last of them from then on.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct ToldClock {
    seconds: std::sync::Mutex<Vec<u64>>,
}

#[cfg(test)]
impl ToldClock {
    pub(crate) fn new<const N: usize>(mut seconds: [u64; N]) -> Self {
        seconds.reverse();
        Self {
            seconds: std::sync::Mutex::new(seconds.to_vec()),
        }
    }
}

#[cfg(test)]
impl Clock for ToldClock {
    fn wall(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        let mut seconds = self.seconds.lock().unwrap();
        let told = seconds.last().copied().unwrap();
        if seconds.len() > 1 {
            seconds.pop();
        }
        Duration::from_secs(told)
    }
}

/// The clock is set to a time that HTTP has no date for, so that nothing can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock of this machine is set to before 1970 or to the end of 9999: set it right")]
pub(crate) struct ClockNotSet;

/// The first second of 1970 and the last of 9999, which counts as too late: a clock beyond it reads
/// as it.
const SERVED: Range<i64> = 0..253_402_300_799;

/// Whether the clock can be served with: hyper panics at a time that is no date of HTTP.
pub(crate) fn check(clock: &dyn Clock) -> Result<(), ClockNotSet> {
    if SERVED.contains(&clock.wall().unix_timestamp()) {
        Ok(())
    } else {
        Err(ClockNotSet)
    }
}

/// A name for this process that none had before it: 16 hexadecimal digits.
pub(crate) fn make_node(entropy: &dyn Entropy) -> Result<Arc<str>, EntropyError> {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes)?;
    let number = u64::from_be_bytes(bytes);
    Ok(format!("{number:016x}").into())
}

/// A seed for choices that need not be secret, only unpredictable.
pub(crate) fn make_seed(entropy: &dyn Entropy) -> Result<[u8; 32], EntropyError> {
    let mut seed = [0; 32];
    entropy.fill(&mut seed)?;
    Ok(seed)
}
