//! Checks API keys, and times some of the checks.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_apikey_cache::{ApiKey, ApiKeyCache, Denied, Principal};

use crate::clock::Clock;

/// Is told how long checks took.
pub(crate) trait KeyCheckObserver: Debug + Send + Sync {
    /// A check that was timed is over.
    fn checked(&self, took: Duration);
}

/// Checks API keys for requests.
#[derive(Debug)]
pub(crate) struct KeyChecks {
    keys: ApiKeyCache,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn KeyCheckObserver>,
    checks: AtomicU64,
}

/// Of so many checks one is timed: two looks at the clock are a fifth of what one from memory takes.
const TIMED_OF: u64 = 64;

impl KeyChecks {
    pub(crate) fn new(
        keys: ApiKeyCache,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn KeyCheckObserver>,
    ) -> Self {
        Self {
            keys,
            clock,
            observer,
            checks: AtomicU64::new(0),
        }
    }

    /// Who presents this key.
    pub(crate) async fn validate(&self, key: &ApiKey) -> Result<Principal, Denied> {
        let before = self.checks.fetch_add(1, Ordering::Relaxed);
        if !before.is_multiple_of(TIMED_OF) {
            return self.keys.validate(key).await;
        }
        let began = self.clock.monotonic();
        let answer = self.keys.validate(key).await;
        let took = self.clock.monotonic().saturating_sub(began);
        self.observer.checked(took);
        answer
    }
}
