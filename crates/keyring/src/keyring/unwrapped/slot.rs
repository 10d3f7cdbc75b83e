//! Where one data key stands in the cache.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::{super::flight::Flight, key::UnwrappedKey};
use crate::{
    kek::{KekError, WrappedKey},
    store::StoredKey,
};

/// Where one key stands, once it is unwrapped.
#[derive(Debug, Default)]
pub(super) struct Slot {
    key: OnceLock<Arc<UnwrappedKey>>,
    made: Mutex<Option<Box<MadeKey>>>,
    pub(super) unwrapping: Flight<KekError>,
}

/// A data key that this process has made, in the clear and as it is to be stored.
#[derive(Debug)]
pub(in crate::keyring) struct MadeKey {
    pub(super) key: Arc<UnwrappedKey>,
    pub(super) wrapped: WrappedKey,
}

impl Slot {
    pub(super) fn of(key: Arc<UnwrappedKey>) -> Self {
        Self {
            key: OnceLock::from(key),
            ..Self::default()
        }
    }

    pub(super) fn key(&self) -> Option<&Arc<UnwrappedKey>> {
        self.key.get()
    }

    pub(super) fn set(&self, key: Arc<UnwrappedKey>) -> &Arc<UnwrappedKey> {
        self.key.get_or_init(|| key)
    }

    /// Keeps a key that was made until it is read from the store.
    pub(super) fn keep(&self, made: MadeKey) {
        *self.made() = Some(Box::new(made));
    }

    /// The key in the clear, if it is here: unwrapped, or as it was made. The latter serves only for the very
    /// bytes that it was wrapped as: what a store has cut short or mixed up has to unwrap.
    pub(super) fn key_of(&self, stored: &StoredKey) -> Option<&Arc<UnwrappedKey>> {
        if let Some(key) = self.key.get() {
            return Some(key);
        }
        // Until it is set: another caller may have found nothing made, and finds the key then.
        let mut made = self.made();
        if let Some(made) = made
            .take()
            .filter(|made| stored.wrapped() == Some(&made.wrapped))
        {
            self.set(made.key);
        }
        drop(made);
        self.key.get()
    }

    fn made(&self) -> MutexGuard<'_, Option<Box<MadeKey>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MadeKey {
    /// The key as it is to be stored.
    pub(in crate::keyring) const fn wrapped(&self) -> &WrappedKey {
        &self.wrapped
    }
}
