//! A data key in the clear, and how old it is.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    DataKey, DerivedKeys,
    entropy::{Entropy, EntropyError},
    kek::KekContext,
};

/// A data key in the clear, and what was derived from it, which dies with it.
pub(crate) struct UnwrappedKey {
    pub(crate) context: KekContext,
    pub(crate) key: DataKey,
    pub(crate) derived: OnceLock<Box<dyn DerivedKeys>>,
    // Both in nanoseconds of the monotonic clock.
    unwrapped_at: u64,
    // The caller that moves it on is the one that refreshes.
    refresh_at: AtomicU64,
}

/// When a key was asked for in the clear, and when it is to be asked for again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    at: Duration,
    refresh_at: Duration,
}

impl Asked {
    pub(super) fn at(now: Duration, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self {
            at: now,
            refresh_at: now + make_refresh_age(entropy)?,
        })
    }
}

impl UnwrappedKey {
    pub(super) fn new(context: KekContext, key: DataKey, asked: Asked) -> Self {
        Self {
            context,
            key,
            derived: OnceLock::new(),
            unwrapped_at: nanoseconds(asked.at),
            refresh_at: AtomicU64::new(nanoseconds(asked.refresh_at)),
        }
    }

    pub(super) const fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(self.unwrapped_at))
    }

    pub(super) fn clear_derived(&self) {
        if let Some(derived) = self.derived.get() {
            derived.clear();
        }
    }

    pub(super) fn is_refresh_due(&self, now: Duration) -> bool {
        nanoseconds(now) >= self.refresh_at.load(Ordering::Relaxed)
    }

    /// True for one caller when a refresh is due, and again [`REFRESH_RETRY`] later.
    pub(super) fn claims_refresh(&self, now: Duration) -> bool {
        let due = self.refresh_at.load(Ordering::Relaxed);
        let next = nanoseconds(now + REFRESH_RETRY);
        nanoseconds(now) >= due
            && self
                .refresh_at
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl fmt::Debug for UnwrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnwrappedKey")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// The hard limit: never extended, neither by use nor by an outage.
pub(super) const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// A refresh is due after this, less up to a tenth, so that keys unwrapped together part.
const REFRESH_AFTER: Duration = Duration::from_secs(60 * 60);
/// While the key-encryption key is unavailable, it is asked this often for each data key.
const REFRESH_RETRY: Duration = Duration::from_secs(30);

fn make_refresh_age(entropy: &dyn Entropy) -> Result<Duration, EntropyError> {
    let mut jitter = [0];
    entropy.fill(&mut jitter)?;
    Ok(REFRESH_AFTER - REFRESH_AFTER / 10 * u32::from(jitter[0]) / 255)
}

/// 584 years fit.
pub(in crate::keyring) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
