//! What a cache is made of.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, Semaphore};

use super::{
    ApiKeyCache, MAX_TTL, Shared, fenced::Fenced, follow::Following, grace::Grace,
    last_used::LastUsed, own_loads::OwnLoads, peppers::Hashing, refresh::Refreshes,
    rehash::Rehashing, stats::Counters,
};
use crate::{
    bus::InvalidationBus,
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    feed::ChangeFeed,
    key_format::KeyFormat,
    observer::{Observer, Unobserved},
    pepper::Peppers,
    scope::Scopes,
    store::KeyStore,
};

const DEFAULT_CAPACITY: usize = 100_000;
const DEFAULT_STORE_CONCURRENCY: usize = 32;
const DEFAULT_STORE_TIMEOUT: Duration = Duration::from_secs(1);

/// Settings of an [`ApiKeyCache`].
pub struct ApiKeyCacheBuilder {
    store: Arc<dyn KeyStore>,
    feed: Option<Arc<dyn ChangeFeed>>,
    bus: Option<Arc<dyn InvalidationBus>>,
    peppers: Peppers,
    format: KeyFormat,
    /// Zero without a cache.
    ttl: Duration,
    capacity: usize,
    store_concurrency: usize,
    store_timeout: Duration,
    grace: Option<Grace>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
}

impl ApiKeyCacheBuilder {
    pub(super) fn new(
        store: Arc<dyn KeyStore>,
        feed: Option<Arc<dyn ChangeFeed>>,
        peppers: Peppers,
    ) -> Self {
        Self {
            store,
            feed,
            bus: None,
            peppers,
            format: KeyFormat::default(),
            ttl: MAX_TTL,
            capacity: DEFAULT_CAPACITY,
            store_concurrency: DEFAULT_STORE_CONCURRENCY,
            store_timeout: DEFAULT_STORE_TIMEOUT,
            grace: None,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy::new()),
            observer: Arc::new(Unobserved),
        }
    }

    /// Carries changes to other processes faster than they read the feed; without a feed it is not used.
    /// Default: none.
    #[must_use]
    pub fn bus(self, bus: Arc<dyn InvalidationBus>) -> Self {
        Self {
            bus: Some(bus),
            ..self
        }
    }

    /// What keys begin with. Default: `pcl_live`.
    #[must_use]
    pub fn format(self, format: KeyFormat) -> Self {
        Self { format, ..self }
    }

    /// How long a record is used without asking the store again. Default, and longest: 60 s. Zero is
    /// [`without_cache`](Self::without_cache).
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self {
            ttl: ttl.min(MAX_TTL),
            ..self
        }
    }

    /// Asks the store for every key, as where there is no feed, though the feed is read: what it takes to
    /// find out whether the cache is to blame for something, or to run without it.
    #[must_use]
    pub fn without_cache(self) -> Self {
        self.ttl(Duration::ZERO)
    }

    /// How many records are cached at most, but for rounding up to the same number for each of the
    /// cache's shards. Default: 100,000.
    #[must_use]
    pub fn capacity(self, records: NonZeroUsize) -> Self {
        Self {
            capacity: records.get(),
            ..self
        }
    }

    /// How many loads ask the store at once at most; others wait. Default: 32.
    #[must_use]
    pub fn store_concurrency(self, loads: NonZeroUsize) -> Self {
        Self {
            store_concurrency: loads.get(),
            ..self
        }
    }

    /// How long the store or the feed may take, waiting for a permit included. Default: 1 s.
    #[must_use]
    pub fn store_timeout(self, timeout: Duration) -> Self {
        Self {
            store_timeout: timeout,
            ..self
        }
    }

    /// Keeps these scopes, and no others, available while neither the feed nor the store can be asked: requests
    /// that need no more than these, by [`validate_for`](ApiKeyCache::validate_for), are answered from memory
    /// for so much longer than the usual 3 s. 60 s at most, and never beyond the time to live of a record.
    /// Default: none.
    ///
    /// # Security
    ///
    /// A key that was revoked is accepted for so much longer by a cache that is cut off from everything.
    /// What only reads is what this is meant for.
    #[must_use]
    pub fn grace(self, scopes: Scopes, longest: Duration) -> Self {
        Self {
            grace: Grace::new(scopes, longest),
            ..self
        }
    }

    /// What tells the time. Default: the system's clocks.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// What new keys are made from. Default: the system's generator.
    #[must_use]
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    /// What is told of events. Default: nothing.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// The cache, empty.
    #[must_use]
    pub fn build(self) -> ApiKeyCache {
        let permits = self.store_concurrency.min(Semaphore::MAX_PERMITS);
        // Numbers of changes mean nothing without a feed.
        let bus = self.bus.filter(|_| self.feed.is_some());
        let shared = Shared {
            following: Following::new(bus.is_some()),
            store: self.store,
            feed: self.feed,
            bus,
            store_permits: Semaphore::new(permits),
            own_loads: OwnLoads::default(),
            store_timeout: self.store_timeout,
            hashing: ArcSwap::from_pointee(Hashing::new(self.peppers)),
            format: self.format,
            ttl: self.ttl,
            clock: self.clock,
            entropy: self.entropy,
            observer: self.observer,
            counters: Counters::default(),
            fenced: Fenced::new(self.capacity),
            last_used: LastUsed::default(),
            refreshes: Refreshes::default(),
            rehashing: Rehashing::default(),
            grace: self.grace,
            confirmed_until: AtomicU64::new(0),
            confirmed: Notify::new(),
        };
        ApiKeyCache {
            shared: Arc::new(shared),
        }
    }
}

impl fmt::Debug for ApiKeyCacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyCacheBuilder")
            .field("store", &self.store)
            .field("feed", &self.feed)
            .field("bus", &self.bus)
            .field("peppers", &self.peppers)
            .field("format", &self.format)
            .field("ttl", &self.ttl)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
