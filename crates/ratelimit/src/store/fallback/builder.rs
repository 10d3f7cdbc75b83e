//! Putting a fallback together.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex, atomic::AtomicUsize},
};

use portcullis_breaker::{Breaker, BreakerSettings};

use super::{
    FallbackStore, Fraction, NodeCount, OnOutage, ledger::Ledger, nodes::Weights, stats::Totals,
};
use crate::{
    name::Category,
    observer::Observer,
    store::{MemoryStore, Store, WhenFull, fingerprint::Fingerprints},
};

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(100_000).expect("above zero");

/// Puts a [`FallbackStore`] together.
#[derive(Debug)]
pub struct FallbackStoreBuilder {
    primary: Arc<dyn Store>,
    nodes: NodeCount,
    fraction: Fraction,
    capacity: NonZeroUsize,
    breaker: BreakerSettings,
    seed: Option<u64>,
    on_outage: HashMap<Category, OnOutage>,
    otherwise: OnOutage,
    observer: Option<Arc<dyn Observer>>,
}

impl FallbackStoreBuilder {
    pub(super) fn new(primary: Arc<dyn Store>) -> Self {
        Self {
            primary,
            nodes: NodeCount::fixed(NonZeroU32::MIN),
            fraction: Fraction::HALF,
            capacity: DEFAULT_CAPACITY,
            breaker: BreakerSettings::default(),
            seed: None,
            on_outage: HashMap::new(),
            otherwise: OnOutage::Fallback,
            observer: None,
        }
    }

    /// How many nodes share the limits; default: this one alone.
    #[must_use]
    pub fn nodes(self, nodes: NodeCount) -> Self {
        Self { nodes, ..self }
    }

    /// The part of each limit that all nodes together admit; default: a half.
    #[must_use]
    pub fn fraction(self, fraction: Fraction) -> Self {
        Self { fraction, ..self }
    }

    /// The most buckets of enforced limits, and as many of shadow limits, that are kept in place of the
    /// primary's, and whose tokens are remembered until they are settled; default: 100,000.
    #[must_use]
    pub fn capacity(self, buckets: NonZeroUsize) -> Self {
        Self {
            capacity: buckets,
            ..self
        }
    }

    /// When the primary is no longer asked, and for how long; default: [`BreakerSettings::default`].
    #[must_use]
    pub fn breaker(self, settings: BreakerSettings) -> Self {
        Self {
            breaker: settings,
            ..self
        }
    }

    /// What decides by how much the breaker's open times are shortened; default: another number in every
    /// process, so that not all of them try the primary at once.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self {
            seed: Some(seed),
            ..self
        }
    }

    /// What happens to requests of `category` while the primary does not answer.
    #[must_use]
    pub fn on_outage(mut self, category: Category, then: OnOutage) -> Self {
        self.on_outage.insert(category, then);
        self
    }

    /// What happens to requests of all other categories, and to client addresses; default:
    /// [`OnOutage::Fallback`].
    #[must_use]
    pub fn otherwise(self, then: OnOutage) -> Self {
        Self {
            otherwise: then,
            ..self
        }
    }

    /// Where to report events; default: nowhere.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// The store.
    #[must_use]
    pub fn build(self) -> FallbackStore {
        let make_random = || RandomState::new().hash_one("breaker");
        let seed = self.seed.unwrap_or_else(make_random);
        FallbackStore {
            primary: self.primary,
            memory: MemoryStore::new(self.capacity, WhenFull::SharedOverflow),
            breaker: Breaker::new(self.breaker, seed),
            weights: Weights::new(self.nodes, self.fraction),
            fingerprints: Fingerprints::make_random(),
            ledger: Mutex::new(Ledger::new(self.capacity)),
            unsettled: AtomicUsize::new(0),
            totals: Totals::default(),
            on_outage: self.on_outage,
            otherwise: self.otherwise,
            observer: self.observer,
        }
    }
}
