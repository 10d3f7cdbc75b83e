//! The settings of a keyring.

use std::{num::NonZeroUsize, sync::Arc};

use moka::sync::Cache;

use super::{Changes, Keyring, Shared, StateCache, UnwrappedKeys};
use crate::{
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    kek::KekProvider,
    observer::{Observer, Unobserved},
    store::DekStore,
};

/// Settings of a [`Keyring`].
#[derive(Debug)]
#[must_use]
pub struct KeyringBuilder {
    kek: Arc<dyn KekProvider>,
    store: Arc<dyn DekStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
    capacity: NonZeroUsize,
}

impl KeyringBuilder {
    pub(super) fn new(kek: Arc<dyn KekProvider>, store: Arc<dyn DekStore>) -> Self {
        Self {
            kek,
            store,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy::new()),
            observer: Arc::new(Unobserved),
            capacity: DEFAULT_CAPACITY,
        }
    }

    /// The clock of the keyring and of the ciphers made from its keys; default: [`SystemClock`].
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The random source of key ids and of the ciphers made from the keys; default:
    /// [`SystemEntropy`].
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    /// What is told of every [`Event`](crate::observer::Event); default: nobody.
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// How many unwrapped keys are kept, and of how many tenants the states; default: 32,768, for 10,000
    /// tenants with three purposes each. A key that is kept takes about 1 KiB, most of it for what a
    /// cipher derived from it.
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
            observer,
            capacity,
        } = self;
        let capacity = u64::try_from(capacity.get()).unwrap_or(u64::MAX);
        let states = StateCache::new(capacity);
        let keys = UnwrappedKeys::new(
            kek,
            Arc::clone(&clock),
            Arc::clone(&entropy),
            Arc::clone(&observer),
            capacity,
        );
        let erased = Cache::new(capacity);
        Keyring {
            shared: Arc::new(Shared {
                store,
                states,
                changes: Changes::default(),
                keys,
                erased,
                clock,
                entropy,
                observer,
            }),
        }
    }
}

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(32_768).expect("it is not zero");
