//! Checks API keys, times some of the checks, and says how each was decided.

use std::{
    cell::Cell,
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_apikey_cache::{ApiKey, ApiKeyCache, Denied, Principal};
use tokio::task_local;

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

/// How a check was decided. The cache tells its observer, on the task that asks; callers are not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeyCheck {
    /// What answered, as the metrics of look-ups name it.
    pub(crate) source: Option<&'static str>,
    /// Why the key was refused.
    pub(crate) refusal: Option<&'static str>,
}

task_local! {
    static CHECK: Cell<KeyCheck>;
}

impl KeyCheck {
    /// Notes what answers; outside a check it changes nothing.
    pub(crate) fn note_source(source: &'static str) {
        Self::note(|check| check.source = Some(source));
    }

    /// Notes why the key is refused.
    pub(crate) fn note_refusal(reason: &'static str) {
        Self::note(|check| check.refusal = Some(reason));
    }

    fn note(set: impl FnOnce(&mut Self)) {
        // Outside, nobody wants to know.
        let _ = CHECK.try_with(|noted| {
            let mut check = noted.get();
            set(&mut check);
            noted.set(check);
        });
    }
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

    /// Who presents this key, and how that is known.
    pub(crate) async fn validate(&self, key: &ApiKey) -> (Result<Principal, Denied>, KeyCheck) {
        let check = async {
            let answer = self.timed(key).await;
            (answer, CHECK.with(Cell::get))
        };
        CHECK.scope(Cell::default(), check).await
    }

    async fn timed(&self, key: &ApiKey) -> Result<Principal, Denied> {
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
