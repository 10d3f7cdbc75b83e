//! The settings of a keyring.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use moka::sync::Cache;

use super::{
    DESTROY_DELAY, Keyring,
    budget::{Budget, CallLimits},
    changes::Changes,
    names::Purposes,
    negative::UnknownIds,
    shared::Shared,
    states::StateCache,
    turns::Turns,
    unwrapped::UnwrappedKeys,
};
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
    destroy_delay: Duration,
    limits: CallLimits,
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
            destroy_delay: DESTROY_DELAY,
            limits: CallLimits::default(),
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
    /// tenants with three purposes each. A key that is kept takes 450 bytes, and 1,170 once a cipher has derived
    /// from it what it seals with.
    pub fn cache_capacity(self, capacity: NonZeroUsize) -> Self {
        Self { capacity, ..self }
    }

    /// How long a key waits for its destruction and can still be taken back; default: [`DESTROY_DELAY`].
    pub fn destroy_delay(self, destroy_delay: Duration) -> Self {
        Self {
            destroy_delay,
            ..self
        }
    }

    /// How many calls of the key-encryption key run at once; default: 16. A caller waits 5 s for its turn, and
    /// is then told that the key-encryption key is unavailable.
    pub fn max_calls(self, at_once: NonZeroUsize) -> Self {
        let limits = CallLimits {
            at_once,
            ..self.limits
        };
        Self { limits, ..self }
    }

    /// How many calls of the key-encryption key begin in any second, unless it is
    /// [local](KekProvider::is_local); default: 50.
    pub fn calls_per_second(self, per_second: NonZeroU32) -> Self {
        let limits = CallLimits {
            per_second,
            ..self.limits
        };
        Self { limits, ..self }
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
            destroy_delay,
            limits,
        } = self;
        let states = StateCache::new(capacity.get());
        let budget = Budget::new(limits, kek.is_local(), Arc::clone(&clock));
        let keys = UnwrappedKeys::new(
            kek,
            budget,
            Arc::clone(&clock),
            Arc::clone(&entropy),
            Arc::clone(&observer),
            capacity.get(),
        );
        let capacity = u64::try_from(capacity.get()).unwrap_or(u64::MAX);
        let erased = Cache::new(capacity);
        Keyring {
            shared: Arc::new(Shared {
                store,
                states,
                purposes: Purposes::default(),
                changes: Changes::default(),
                keys,
                erased,
                turns: Turns::new(capacity),
                unknown: UnknownIds::new(),
                destroy_delay,
                clock,
                entropy,
                observer,
            }),
        }
    }
}

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(32_768).expect("it is not zero");
