//! Keys that were verified before, so that most requests never reach the store.

mod announce;
mod builder;
mod entry;
mod fenced;
mod follow;
mod grace;
mod invalidate;
mod last_used;
mod load;
mod manage;
mod own_loads;
mod pepper_usage;
mod peppers;
mod refresh;
mod rehash;
mod revocation;
mod rotate;
mod stats;
mod tally;
mod validate;
mod warm;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, Semaphore};

use self::{
    fenced::Fenced, follow::Following, grace::Grace, last_used::LastUsed, own_loads::OwnLoads,
    peppers::Hashing, refresh::Refreshes, rehash::Rehashing, stats::Counters,
};
use crate::{
    bus::InvalidationBus,
    clock::Clock,
    entropy::Entropy,
    feed::ChangeFeed,
    key_format::KeyFormat,
    observer::{Event, Observer},
    pepper::Peppers,
    store::{KeyStore, UnixMillis},
};

pub(crate) use self::entry::Entry;
pub use self::{
    announce::Published,
    builder::ApiKeyCacheBuilder,
    manage::{Issued, KeyPage, ManageError, NewKey},
    pepper_usage::PepperUse,
    peppers::ReplacePeppersError,
    revocation::{Effective, EffectiveBy, Revocation},
    rotate::{Rotated, Rotation},
    stats::{BusState, CacheStats},
    validate::Denied,
    warm::{Warmed, WarmingEnd},
};

/// Longest time for which a record is used without asking the store again, however often it is
/// used.
pub(crate) const MAX_TTL: Duration = Duration::from_secs(60);

/// How long after the change feed was last read the cache may still be used (τ).
pub(crate) const CONFIRMED_FOR: Duration = Duration::from_secs(3);

/// Validates API keys and manages them. Cloning gives another handle to the same cache.
///
/// The cache answers from memory only while it reads the change feed: spawn
/// [`follow`](Self::follow). Without that, or without a feed, every validation asks the store.
///
/// For how long a revoked key is accepted elsewhere, at most, beyond the request in flight:
///
/// | case | at most |
/// |---|---|
/// | revoked through this cache, once [`revoke`](Self::revoke) returns | 0 |
/// | by another process, with a bus or without | 500 ms and a round trip to the store |
/// | who revoked died, and what others tell instead is lost | 1 s |
/// | cut off from the store, as long as the bus brings what others tell | 500 ms and a round trip |
/// | cut off from the store and from what others tell; then [`Denied::Unavailable`] | 3 s |
/// | the change feed alone cannot be read; then the store is asked for every request | 3 s |
/// | after [`Revocation::effective`] | 0 |
/// | no feed or no cache, or nobody spawned [`follow`](Self::follow): the store is asked | 0 |
/// | the feed loses a change without a trace | 60 s |
///
/// A bus brings most revocations within a round trip to it, and a late one is read in the feed. Scopes with a
/// [grace](ApiKeyCacheBuilder::grace) go on for that beyond the 3 s. All of it counts on a feed that answers, but
/// where the case says that it does not. [Each case is measured](crate#limits).
#[derive(Clone)]
pub struct ApiKeyCache {
    shared: Arc<Shared>,
}

impl ApiKeyCache {
    /// A cache over a store that learns of changes from the store's feed. Everything else has a
    /// default: see [`ApiKeyCacheBuilder`].
    ///
    /// The feed must be that of this very store: what it does not report, the cache does not know
    /// of until the time to live is over. The stores of this crate are their own feeds.
    #[must_use]
    pub fn builder(
        store: Arc<dyn KeyStore>,
        feed: Arc<dyn ChangeFeed>,
        peppers: Peppers,
    ) -> ApiKeyCacheBuilder {
        ApiKeyCacheBuilder::new(store, Some(feed), peppers)
    }

    /// For a store without a change feed: nothing tells of revocations, so every validation asks
    /// the store, and no revoked key is accepted for longer than that takes. Still prefiltered by
    /// kid, bounded in how many ask at once, and authenticated row by row.
    #[must_use]
    pub fn builder_without_feed(store: Arc<dyn KeyStore>, peppers: Peppers) -> ApiKeyCacheBuilder {
        ApiKeyCacheBuilder::new(store, None, peppers)
    }

    #[cfg(feature = "tower")]
    pub(crate) fn emit(&self, event: &Event) {
        self.shared.emit(event);
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
    feed: Option<Arc<dyn ChangeFeed>>,
    bus: Option<Arc<dyn InvalidationBus>>,
    store_permits: Semaphore,
    own_loads: OwnLoads,
    store_timeout: Duration,
    /// Replaced while the cache is in use.
    hashing: ArcSwap<Hashing>,
    format: KeyFormat,
    ttl: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
    counters: Counters,
    fenced: Fenced,
    last_used: LastUsed,
    following: Following,
    refreshes: Refreshes,
    rehashing: Rehashing,
    grace: Option<Grace>,
    /// In nanoseconds of the monotonic clock.
    confirmed_until: AtomicU64,
    /// Wakes who waits for that.
    confirmed: Notify,
}

impl Shared {
    fn emit(&self, event: &Event) {
        self.counters.count(event);
        self.observer.observe(event);
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis::saturating_from(self.clock.wall())
    }

    /// Whether anything is answered from memory, ever.
    fn has_cache(&self) -> bool {
        !self.ttl.is_zero()
    }

    /// Whether changes have been applied lately enough to decide from memory.
    fn is_confirmed(&self, now: Duration) -> bool {
        nanoseconds(now) < self.confirmed_until.load(Ordering::SeqCst)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
