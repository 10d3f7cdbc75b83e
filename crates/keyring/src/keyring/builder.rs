use std::num::NonZeroUsize;
use std::sync::Arc;

use moka::sync::Cache;

use super::{Keyring, Shared, StateCache, UnwrappedKeys};
use crate::{Clock, DekStore, Entropy, KekProvider, SystemClock, SystemEntropy};

/// Settings of a [`Keyring`].
#[derive(Debug)]
#[must_use]
pub struct KeyringBuilder {
    kek: Arc<dyn KekProvider>,
    store: Arc<dyn DekStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    capacity: NonZeroUsize,
}

impl KeyringBuilder {
    pub(super) fn new(kek: Arc<dyn KekProvider>, store: Arc<dyn DekStore>) -> Self {
        Self {
            kek,
            store,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy::new()),
            capacity: DEFAULT_CAPACITY,
        }
    }

    /// The clock of the keyring and of the ciphers made from its keys; that of the system unless
    /// given.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The random source of key ids and of the ciphers made from the keys; that of the system
    /// unless given.
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    /// How many unwrapped keys are kept, and of how many tenants the states; 10,000 unless given.
    pub fn cache_capacity(self, capacity: NonZeroUsize) -> Self {
        Self { capacity, ..self }
    }

    /// The keyring.
    #[must_use]
    pub fn build(self) -> Keyring {
        let Self {
            kek,
            store,
            clock,
            entropy,
            capacity,
        } = self;
        let capacity = u64::try_from(capacity.get()).unwrap_or(u64::MAX);
        let states = StateCache::new(capacity);
        let keys = UnwrappedKeys::new(kek, Arc::clone(&clock), Arc::clone(&entropy), capacity);
        let erased = Cache::new(capacity);
        Keyring {
            shared: Arc::new(Shared {
                store,
                states,
                keys,
                erased,
                clock,
                entropy,
            }),
        }
    }
}

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");
