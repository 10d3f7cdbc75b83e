//! What the cache has of one data key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::key::UnwrappedKey;
use crate::kek::WrappedKey;

/// What the cache holds for one data key. The cache destroys what it drops when no thread can be reading it any
/// more, and finds that out as it is used: in a process that idles the bytes of a key would outlast its eviction by
/// hours. What is dropped is emptied instead, and the key wiped at once.
#[derive(Debug, Clone)]
pub(super) struct Slot(Arc<Mutex<Option<Cached>>>);

/// A key in the clear.
#[derive(Debug, Clone)]
pub(super) enum Cached {
    Unwrapped(Arc<UnwrappedKey>),
    /// As this process has made it, until it is read from the store.
    Made(Arc<MadeKey>),
}

/// A data key that this process has made, in the clear and as it is to be stored.
#[derive(Debug)]
pub(in crate::keyring) struct MadeKey {
    pub(super) key: Arc<UnwrappedKey>,
    pub(super) wrapped: WrappedKey,
}

impl Slot {
    pub(super) fn new(cached: Cached) -> Self {
        Self(Arc::new(Mutex::new(Some(cached))))
    }

    /// None of what was dropped.
    pub(super) fn get(&self) -> Option<Cached> {
        self.lock().clone()
    }

    pub(super) fn empty(&self) {
        // Wiped after the lock is given back.
        let dropped = self.lock().take();
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Cached>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MadeKey {
    /// The key as it is to be stored.
    pub(in crate::keyring) const fn wrapped(&self) -> &WrappedKey {
        &self.wrapped
    }
}
