//! What the cache has of one data key.

use std::sync::Arc;

use super::key::UnwrappedKey;
use crate::kek::WrappedKey;

/// A key in the clear.
#[derive(Debug, Clone)]
pub(super) enum Cached {
    Unwrapped(Arc<UnwrappedKey>),
    /// As this process has made it, until it is read from the store.
    Made(Arc<MadeKey>),
}

impl Cached {
    pub(super) fn key(&self) -> &Arc<UnwrappedKey> {
        match self {
            Self::Unwrapped(key) => key,
            Self::Made(made) => &made.key,
        }
    }
}

/// A data key that this process has made, in the clear and as it is to be stored.
#[derive(Debug)]
pub(in crate::keyring) struct MadeKey {
    pub(super) key: Arc<UnwrappedKey>,
    pub(super) wrapped: WrappedKey,
}

impl MadeKey {
    /// The key as it is to be stored.
    pub(in crate::keyring) const fn wrapped(&self) -> &WrappedKey {
        &self.wrapped
    }
}
