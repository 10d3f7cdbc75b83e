//! Unwrapped data keys, bounded in number and age, and every call of the key-encryption key.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::try_join_all;
use moka::{notification::RemovalCause, sync::Cache};
use tokio::sync::OnceCell;

use super::budget::Budget;
use crate::{
    DataKey,
    clock::Clock,
    entropy::{Entropy, EntropyError},
    kek::{GeneratedKey, KekContext, KekError, KekProvider},
    observer::{Event, EvictionCause, KekOperation, KekOutcome, Observer},
    store::StoredKey,
};

/// The cache of unwrapped keys.
#[derive(Debug)]
pub(super) struct UnwrappedKeys {
    // The whole context is the cache key: an edited store cannot make one tenant's unwrapped key
    // answer for another's.
    cells: Cache<KekContext, Arc<OnceCell<Arc<UnwrappedKey>>>>,
    kek: Arc<dyn KekProvider>,
    budget: Budget,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
}

/// A data key in the clear, and what was derived from it, which dies with it.
pub(crate) struct UnwrappedKey {
    pub(crate) context: KekContext,
    pub(crate) key: DataKey,
    pub(crate) derived: OnceLock<Box<dyn Any + Send + Sync>>,
    unwrapped_at: Duration,
    // Nanoseconds of the monotonic clock. The caller that moves it on is the one that refreshes.
    refresh_at: AtomicU64,
}

impl UnwrappedKeys {
    pub(super) fn new(
        kek: Arc<dyn KekProvider>,
        budget: Budget,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Arc<dyn Observer>,
        capacity: u64,
    ) -> Self {
        // The time to live lets the cache drop keys that nobody asks for; `unwrapped` itself
        // enforces the limit, by the clock of the keyring.
        let listener = Arc::clone(&observer);
        let cells = Cache::builder()
            .max_capacity(capacity)
            .time_to_live(MAX_AGE)
            .eviction_listener(move |key, cell: Arc<OnceCell<_>>, cause| {
                let cause = match cause {
                    RemovalCause::Size => EvictionCause::Capacity,
                    RemovalCause::Expired => EvictionCause::Age,
                    // What the keyring removes itself, it tells itself.
                    RemovalCause::Explicit | RemovalCause::Replaced => return,
                };
                if cell.initialized() {
                    listener.observe(&Event::KeyEvicted { key: &key, cause });
                }
            })
            .build();
        Self {
            cells,
            kek,
            budget,
            clock,
            entropy,
            observer,
        }
    }

    /// The keys in the clear, in any order. Nothing waits, or is set up to wait, for those at hand, which
    /// nearly all are.
    pub(super) async fn all_unwrapped(
        &self,
        stored: impl Iterator<Item = &StoredKey>,
    ) -> Result<Vec<Arc<UnwrappedKey>>, KekError> {
        let now = self.clock.monotonic();
        let (mut keys, mut others) = (Vec::new(), Vec::new());
        for stored in stored {
            match self.at_hand(stored.context(), now) {
                Some(key) => keys.push(key),
                None => others.push(self.unwrapped(stored)),
            }
        }
        if !others.is_empty() {
            keys.extend(try_join_all(others).await?);
        }
        Ok(keys)
    }

    /// The key in the clear, if it is cached and no refresh is due.
    fn at_hand(&self, context: &KekContext, now: Duration) -> Option<Arc<UnwrappedKey>> {
        let cell = self.cells.get(context)?;
        let key = cell.get()?;
        let age = now.saturating_sub(key.unwrapped_at);
        if age >= MAX_AGE || key.is_refresh_due(now) {
            return None;
        }
        self.observer.observe(&Event::CacheHit { key: context });
        Some(Arc::clone(key))
    }

    /// The key in the clear, at most 24 h after it was unwrapped.
    async fn unwrapped(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let context = stored.context();
        let key = self.cached(stored).await?;
        let now = self.clock.monotonic();
        let age = now.saturating_sub(key.unwrapped_at);
        if age >= MAX_AGE {
            self.evict(context, EvictionCause::Age);
            return self.cached(stored).await;
        }
        if !key.claims_refresh(now) {
            return Ok(key);
        }
        let (serves_for, answer) = match self.unwrap_key(stored).await {
            Ok(fresh) => {
                let cell = Arc::new(OnceCell::new_with(Some(Arc::clone(&fresh))));
                self.remove(context);
                self.cells.insert(context.clone(), cell);
                let refreshed = Event::KeyRefreshed { key: context };
                self.observer.observe(&refreshed);
                return Ok(fresh);
            }
            // The cached key outlives an outage, up to its hard limit.
            Err(KekError::Unavailable(_)) => (MAX_AGE - age, Ok(key)),
            Err(refused) => {
                self.remove(context);
                (Duration::ZERO, Err(refused))
            }
        };
        self.observer.observe(&Event::RefreshFailed {
            key: context,
            serves_for,
        });
        answer
    }

    pub(super) async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let generate = KekOperation::Generate;
        self.call(generate, context, |kek| kek.generate(context))
            .await
    }

    /// What wraps the keys.
    pub(super) fn kek(&self) -> &dyn KekProvider {
        &*self.kek
    }

    /// Asks the key-encryption key, within the budget of calls.
    pub(super) async fn call<'a, T, F>(
        &'a self,
        operation: KekOperation,
        key: &KekContext,
        ask: impl FnOnce(&'a dyn KekProvider) -> F,
    ) -> Result<T, KekError>
    where
        F: Future<Output = Result<T, KekError>>,
    {
        let permit = self.budget.enter().await.map_err(|exhausted| {
            let exhausted_event = Event::CallsExhausted { operation, key };
            self.observer.observe(&exhausted_event);
            KekError::Unavailable(exhausted.into())
        })?;
        let started = self.clock.monotonic();
        let answer = ask(&*self.kek).await;
        let took = self.clock.monotonic().saturating_sub(started);
        drop(permit);
        let error = answer.as_ref().err();
        self.observer.observe(&Event::KekCalled {
            operation,
            key,
            outcome: KekOutcome::of(error),
            error,
            took,
        });
        answer
    }

    /// Drops a key, if it is there, and says so. It is wiped as soon as nobody holds it.
    pub(super) fn evict(&self, context: &KekContext, cause: EvictionCause) {
        if self.remove(context) {
            let key = context;
            self.observer.observe(&Event::KeyEvicted { key, cause });
        }
    }

    fn remove(&self, context: &KekContext) -> bool {
        let removed = self.cells.remove(context);
        if removed.is_some() {
            // The cache would let go of the value only now and then.
            self.cells.run_pending_tasks();
        }
        removed.is_some_and(|cell| cell.initialized())
    }

    /// From the cache, or unwrapped into it; callers who want the same key wait for one call.
    async fn cached(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let key = stored.context();
        let cell = match self.cells.get(key) {
            Some(cell) => cell,
            None => self.cells.get_with(key.clone(), Arc::default),
        };
        if let Some(cached) = cell.get() {
            self.observer.observe(&Event::CacheHit { key });
            return Ok(Arc::clone(cached));
        }
        self.observer.observe(&Event::CacheMiss { key });
        let unwrap = || self.unwrap_key(stored);
        cell.get_or_try_init(unwrap).await.cloned()
    }

    async fn unwrap_key(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let context = stored.context();
        let wrapped = stored.wrapped().ok_or(KekError::Rejected)?;
        let unwrapped_at = self.clock.monotonic();
        let refresh_at = unwrapped_at + make_refresh_age(&*self.entropy)?;
        let unwrap_key = KekOperation::UnwrapKey;
        let key = self.call(unwrap_key, context, |kek| kek.unwrap_key(context, wrapped));
        Ok(Arc::new(UnwrappedKey {
            context: context.clone(),
            key: key.await?,
            derived: OnceLock::new(),
            unwrapped_at,
            refresh_at: AtomicU64::new(nanoseconds(refresh_at)),
        }))
    }
}

impl UnwrappedKey {
    fn is_refresh_due(&self, now: Duration) -> bool {
        nanoseconds(now) >= self.refresh_at.load(Ordering::Relaxed)
    }

    /// True for one caller when a refresh is due, and again [`REFRESH_RETRY`] later.
    fn claims_refresh(&self, now: Duration) -> bool {
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
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
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
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
