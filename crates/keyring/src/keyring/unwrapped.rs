use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{OnceCell, Semaphore};

use crate::{
    Clock, DataKey, Entropy, EntropyError, GeneratedKey, KekContext, KekError, KekProvider,
    StoredKey,
};

/// Unwrapped data keys, bounded in number and age, and every call to the key-encryption key.
#[derive(Debug)]
pub(super) struct UnwrappedKeys {
    // The whole context is the cache key: whoever can edit the store cannot make one tenant's
    // unwrapped key answer for another's.
    cells: Cache<KekContext, Arc<OnceCell<Arc<UnwrappedKey>>>>,
    kek: Arc<dyn KekProvider>,
    calls: Semaphore,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// A data key in the clear, and what was derived from it, which dies with it.
pub(crate) struct UnwrappedKey {
    pub(crate) context: KekContext,
    pub(crate) key: DataKey,
    pub(crate) derived: OnceLock<Box<dyn Any + Send + Sync>>,
    unwrapped_at: Duration,
    // Nanoseconds of the monotonic clock. Whoever moves it on is the one that refreshes.
    refresh_at: AtomicU64,
}

impl UnwrappedKeys {
    pub(super) fn new(
        kek: Arc<dyn KekProvider>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        capacity: u64,
    ) -> Self {
        // The time to live lets the cache drop keys that nobody asks for; `unwrapped` itself
        // enforces the limit, by the clock of the keyring.
        let cells = Cache::builder()
            .max_capacity(capacity)
            .time_to_live(MAX_AGE)
            .build();
        let calls = Semaphore::new(MAX_CONCURRENT_CALLS);
        Self {
            cells,
            kek,
            calls,
            clock,
            entropy,
        }
    }

    /// The key in the clear, at most 24 h after it was unwrapped.
    pub(super) async fn unwrapped(
        &self,
        stored: &StoredKey,
    ) -> Result<Arc<UnwrappedKey>, KekError> {
        let key = self.cached(stored).await?;
        let now = self.clock.monotonic();
        if now.saturating_sub(key.unwrapped_at) >= MAX_AGE {
            self.forget(stored.context());
            return self.cached(stored).await;
        }
        if !key.claims_refresh(now) {
            return Ok(key);
        }
        match self.unwrap(stored).await {
            Ok(fresh) => {
                let cell = Arc::new(OnceCell::new_with(Some(Arc::clone(&fresh))));
                self.forget(stored.context());
                self.cells.insert(stored.context().clone(), cell);
                Ok(fresh)
            }
            // The key in hand outlives an outage, up to its hard limit.
            Err(KekError::Unavailable(_)) => Ok(key),
            Err(refused) => {
                self.forget(stored.context());
                Err(refused)
            }
        }
    }

    pub(super) async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let _turn = self.turn().await;
        self.kek.generate(context).await
    }

    /// Drops a key, which wipes it as soon as nobody has it in hand.
    pub(super) fn forget(&self, context: &KekContext) {
        if self.cells.remove(context).is_some() {
            // The cache would let go of the value only now and then.
            self.cells.run_pending_tasks();
        }
    }

    /// From the cache, or unwrapped into it; callers who want the same key wait for one call.
    async fn cached(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let cell = match self.cells.get(stored.context()) {
            Some(cell) => cell,
            None => self.cells.get_with(stored.context().clone(), Arc::default),
        };
        cell.get_or_try_init(|| self.unwrap(stored)).await.cloned()
    }

    async fn unwrap(&self, stored: &StoredKey) -> Result<Arc<UnwrappedKey>, KekError> {
        let wrapped = stored.wrapped().ok_or(KekError::Rejected)?;
        let unwrapped_at = self.clock.monotonic();
        let refresh_at = unwrapped_at + make_refresh_age(&*self.entropy)?;
        let turn = self.turn().await;
        let key = self.kek.unwrap(stored.context(), wrapped).await?;
        drop(turn);
        Ok(Arc::new(UnwrappedKey {
            context: stored.context().clone(),
            key,
            derived: OnceLock::new(),
            unwrapped_at,
            refresh_at: AtomicU64::new(nanoseconds(refresh_at)),
        }))
    }

    async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit in the end.
        self.calls.acquire().await.ok()
    }
}

impl UnwrappedKey {
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
/// While the key-encryption key cannot be reached, it is asked this often for each data key.
const REFRESH_RETRY: Duration = Duration::from_secs(30);
const MAX_CONCURRENT_CALLS: usize = 16;

fn make_refresh_age(entropy: &dyn Entropy) -> Result<Duration, EntropyError> {
    let mut jitter = [0];
    entropy.fill(&mut jitter)?;
    Ok(REFRESH_AFTER - REFRESH_AFTER / 10 * u32::from(jitter[0]) / 255)
}

/// 584 years fit.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
