//! Data keys in the clear, at most so many at once.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use quick_cache::{DefaultHashBuilder, Equivalent, Lifecycle, UnitWeighter, sync::Cache};

use super::{cached::Cached, key::UnwrappedKey};
use crate::{
    kek::KekContext,
    observer::{Event, EvictionCause, Observer},
};

/// The cache of unwrapped keys. What leaves it is let go of at once.
#[derive(Debug)]
pub(super) struct KeyCache {
    // The whole context is the cache key: an edited store cannot make one tenant's unwrapped key
    // answer for another's.
    keys: Cache<ByContext, Cached, UnitWeighter, DefaultHashBuilder, HandBack>,
    observer: Arc<dyn Observer>,
}

impl KeyCache {
    pub(super) fn new(capacity: usize, observer: Arc<dyn Observer>) -> Self {
        let weights = u64::try_from(capacity).unwrap_or(u64::MAX);
        let hasher = DefaultHashBuilder::default();
        Self {
            keys: Cache::with(capacity, weights, UnitWeighter, hasher, HandBack),
            observer,
        }
    }

    pub(super) fn get(&self, context: &KekContext) -> Option<Cached> {
        self.keys.get(context)
    }

    /// Keeps a key, in the place of what there was of it, and tells of those that it pushes out.
    pub(super) fn insert(&self, cached: Cached) {
        let kept = Arc::clone(cached.key());
        let mut gone = Vec::new();
        let by = ByContext(Arc::clone(&kept));
        self.keys.insert_with_lifecycle(by, cached, &mut gone);
        // What it replaces is handed back as well.
        for key in gone.iter().filter(|key| key.context != kept.context) {
            self.observer.observe(&Event::KeyEvicted {
                key: &key.context,
                cause: EvictionCause::Capacity,
            });
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&self, context: &KekContext) -> bool {
        self.keys.remove(context).is_some()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Arc<UnwrappedKey>> {
        self.keys.iter().map(|(ByContext(key), _)| key)
    }
}

/// A key by what it is bound to, which it knows itself and which need not stand beside it once more.
#[derive(Debug, Clone)]
struct ByContext(Arc<UnwrappedKey>);

impl PartialEq for ByContext {
    fn eq(&self, other: &Self) -> bool {
        self.0.context == other.0.context
    }
}

impl Eq for ByContext {}

impl Hash for ByContext {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.context.hash(state);
    }
}

impl Equivalent<ByContext> for KekContext {
    fn equivalent(&self, key: &ByContext) -> bool {
        *self == key.0.context
    }
}

/// Hands back what leaves for another, so that it is told of when no lock is held.
#[derive(Debug, Clone)]
struct HandBack;

impl Lifecycle<ByContext, Cached> for HandBack {
    type RequestState = Vec<Arc<UnwrappedKey>>;

    fn on_evict(&self, gone: &mut Self::RequestState, key: ByContext, _cached: Cached) {
        gone.push(key.0);
    }
}
