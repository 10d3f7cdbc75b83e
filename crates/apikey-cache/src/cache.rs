//! Keys that were verified before, so that most requests never reach the store.

mod builder;
mod entry;
mod fenced;
mod follow;
mod last_used;
mod load;
mod manage;
mod stats;
mod validate;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

pub use self::builder::ApiKeyCacheBuilder;
pub(crate) use self::entry::Entry;
use self::fenced::Fenced;
use self::last_used::LastUsed;
pub use self::manage::{Issued, KeyPage, ManageError, NewKey, Revocation};
pub use self::stats::CacheStats;
use self::stats::Counters;
pub use self::validate::Denied;
use crate::clock::{Clock, UnixMillis};
use crate::entropy::Entropy;
use crate::key_format::KeyFormat;
use crate::observer::{Event, Observer};
use crate::pepper::Peppers;
use crate::store::KeyStore;

/// Longest time for which a record is used without asking the store again, however often it is
/// used.
pub(crate) const MAX_TTL: Duration = Duration::from_secs(60);

/// How long after the outbox was last read the cache may still be used (τ).
pub(crate) const CONFIRMED_FOR: Duration = Duration::from_secs(3);

/// Validates API keys and manages them. Cloning gives another handle to the same cache.
///
/// The cache answers only while revocations are heard: spawn [`follow`](Self::follow), without
/// which every validation asks the store.
///
/// | case | longest time for which a revoked key is accepted, beyond the request in flight |
/// |---|---|
/// | revoked through this cache | none |
/// | revoked by another process on the same store | 500 ms and the round trip to the store |
/// | the outbox cannot be read | 3 s; then the store is asked for every request |
/// | the store cannot be read either | 3 s; then [`Denied::Unavailable`] |
/// | the store loses a change without a trace | the time to live, 60 s at most |
#[derive(Clone)]
pub struct ApiKeyCache {
    shared: Arc<Shared>,
}

impl ApiKeyCache {
    /// A cache over a store. Everything else has a default: see [`ApiKeyCacheBuilder`].
    #[must_use]
    pub fn builder(store: Arc<dyn KeyStore>, peppers: Peppers) -> ApiKeyCacheBuilder {
        ApiKeyCacheBuilder::new(store, peppers)
    }

    /// How the cache has done since it was built.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.shared.stats()
    }
}

impl fmt::Debug for ApiKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyCache")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// What all handles, loads and the follower share.
struct Shared {
    store: Arc<dyn KeyStore>,
    store_places: Semaphore,
    store_timeout: Duration,
    peppers: Peppers,
    format: KeyFormat,
    ttl: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
    counters: Counters,
    fenced: Fenced,
    last_used: LastUsed,
    /// In nanoseconds of uptime.
    confirmed_until: AtomicU64,
}

impl Shared {
    fn emit(&self, event: &Event) {
        self.counters.count(event);
        self.observer.observe(event);
    }

    fn date(&self) -> UnixMillis {
        self.clock.date().into()
    }

    /// All changes up to `moment` have been heard.
    fn confirm(&self, moment: Duration) {
        let until = nanoseconds(moment + CONFIRMED_FOR);
        self.confirmed_until.fetch_max(until, Ordering::SeqCst);
    }

    /// Whether changes have been heard lately enough to decide from memory.
    fn is_confirmed(&self, now: Duration) -> bool {
        nanoseconds(now) < self.confirmed_until.load(Ordering::SeqCst)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
