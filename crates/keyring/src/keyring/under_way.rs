//! What is being fetched right now, apart from the caches: these may refuse a newcomer when they are full, and all
//! who want the same would then fetch it each.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::flight::{Flight, Share};

/// What somebody holds, by its key. Nothing is kept in it.
#[derive(Debug)]
pub(super) struct Held<K, T> {
    entries: Mutex<Entries<K, T>>,
}

#[derive(Debug)]
struct Entries<K, T> {
    by_key: HashMap<K, Weak<T>>,
    /// At how many of them those are dropped that nobody holds any more.
    sweep_at: usize,
}

/// One fetch for all who want its result, which goes to a cache unless it was called back meanwhile.
#[derive(Debug)]
pub(super) struct Fetch<V, E> {
    pub(super) flight: Flight<E>,
    fetched: Mutex<Fetched<V>>,
}

#[derive(Debug)]
struct Fetched<V> {
    last: Option<V>,
    is_called_back: bool,
}

impl<K: Clone + Eq + Hash, T: Default> Held<K, T> {
    /// What others hold for this key, or something new.
    pub(super) fn of(&self, key: &K) -> Arc<T> {
        let mut entries = self.entries();
        if let Some(held) = entries.by_key.get(key).and_then(Weak::upgrade) {
            return held;
        }
        if entries.by_key.len() >= entries.sweep_at {
            entries.by_key.retain(|_, held| held.strong_count() > 0);
            entries.sweep_at = SWEEP_AT.max(2 * entries.by_key.len());
        }
        let new = Arc::<T>::default();
        entries.by_key.insert(key.clone(), Arc::downgrade(&new));
        new
    }

    /// What others hold for this key.
    pub(super) fn find(&self, key: &K) -> Option<Arc<T>> {
        self.entries().by_key.get(key)?.upgrade()
    }

    /// Who comes from now on gets something new.
    pub(super) fn take(&self, key: &K) -> Option<Arc<T>> {
        self.entries().by_key.remove(key)?.upgrade()
    }

    /// The keys of what is held.
    pub(super) fn keys(&self, wanted: impl Fn(&K) -> bool) -> Vec<K> {
        let entries = self.entries();
        let held = entries.by_key.iter();
        let held = held.filter(|(key, held)| held.strong_count() > 0 && wanted(key));
        held.map(|(key, _)| key.clone()).collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries<K, T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Default for Held<K, T> {
    fn default() -> Self {
        Self {
            entries: Mutex::new(Entries {
                by_key: HashMap::new(),
                sweep_at: SWEEP_AT,
            }),
        }
    }
}

impl<V: Clone, E> Fetch<V, E> {
    /// What was fetched last, for those who have waited for it.
    pub(super) fn last(&self) -> Option<V> {
        self.fetched().last.clone()
    }

    /// Gives it to those who wait, and to `keep` unless it was called back.
    pub(super) fn finish(&self, value: V, keep: impl FnOnce(V)) {
        let mut fetched = self.fetched();
        fetched.last = Some(value.clone());
        // Still locked: what is called back is kept before that, and dropped by it, or not at all.
        if !fetched.is_called_back {
            keep(value);
        }
    }

    /// Nothing that is fetched from now on is kept.
    pub(super) fn call_back(&self) {
        self.fetched().is_called_back = true;
    }

    fn fetched(&self) -> MutexGuard<'_, Fetched<V>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V, E: Share> Default for Fetch<V, E> {
    fn default() -> Self {
        Self {
            flight: Flight::default(),
            fetched: Mutex::new(Fetched {
                last: None,
                is_called_back: false,
            }),
        }
    }
}

const SWEEP_AT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_dropped() {
        let held = Held::<u32, u32>::default();
        let first = held.of(&0);
        for key in 1..10_000 {
            drop(held.of(&key));
        }
        assert!(held.entries().by_key.len() <= SWEEP_AT);
        assert!(Arc::ptr_eq(&first, &held.of(&0)));
    }
}
