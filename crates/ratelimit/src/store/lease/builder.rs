//! What a lease store is made of.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{LeaseStore, Shared, shard::Shard, stats::Counters};
use crate::store::{Store, fingerprint::Fingerprints};

const MAX_SHARDS: usize = 64;
const MIN_SHARD_CAPACITY: usize = 256;

const LIFETIME: Duration = Duration::from_millis(200);
const CAPACITY: NonZeroUsize = NonZeroUsize::new(16_384).expect("above zero");

/// Makes a [`LeaseStore`].
#[derive(Debug)]
pub struct LeaseStoreBuilder {
    inner: Arc<dyn Store>,
    lifetime: Duration,
    capacity: NonZeroUsize,
}

impl LeaseStoreBuilder {
    pub(super) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            lifetime: LIFETIME,
            capacity: CAPACITY,
        }
    }

    /// How long the tokens of a lease may be spent, from when the store was asked for them; default:
    /// 200 ms. That is several times what a slow round trip takes, so that a hot key makes about ten of
    /// them a second, and short enough that nobody notices tokens which another process holds. Zero
    /// takes no leases.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// How many keys are watched at once, at most; default: 16,384. It is divided over up to 64 shards
    /// and rounded up to eights; a key takes about 50 bytes, and a hot one 250 more. Keys beyond that ask the
    /// store themselves. One with a lease never gives way.
    #[must_use]
    pub fn capacity(self, capacity: NonZeroUsize) -> Self {
        Self { capacity, ..self }
    }

    /// The store.
    #[must_use]
    pub fn build(self) -> LeaseStore {
        let shards = (self.capacity.get() / MIN_SHARD_CAPACITY).clamp(1, MAX_SHARDS);
        let of_shard = self
            .capacity
            .div_ceil(NonZeroUsize::new(shards).unwrap_or(NonZeroUsize::MIN));
        let shards = (0..shards).map(|_| Mutex::new(Shard::new(of_shard)));
        LeaseStore {
            shared: Arc::new(Shared {
                inner: self.inner,
                lifetime: self.lifetime,
                fingerprints: Fingerprints::make_random(),
                shards: shards.collect(),
                counters: Counters::default(),
            }),
        }
    }
}
