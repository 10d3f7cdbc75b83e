//! Rotation of the key-encryption key.

use super::Keyring;
use crate::{
    KeyId,
    kek::KekError,
    observer::{Event, KekOperation},
    store::{ChangeError, StoreError},
};

/// Why a key was not wrapped again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewrapError {
    /// The store has no key with this id.
    #[error("there is no data key {0}")]
    UnknownKey(KeyId),
    /// The key-encryption key did not unwrap or wrap it.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The key has changed in the meantime.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keyring {
    /// Wraps a key again, under the primary version of the key-encryption key. The data key stays
    /// the same, and so does all that is sealed with it; a destroyed key stays destroyed.
    ///
    /// To retire a version of the key-encryption key, go over every key that
    /// [`DekStore::list`](crate::store::DekStore::list) lists while both versions are configured;
    /// then drop the old one from the configuration. Doing it again is harmless.
    ///
    /// # Errors
    /// [`RewrapError`]; the key is wrapped as it was then.
    pub async fn rewrap(&self, id: KeyId) -> Result<(), RewrapError> {
        let shared = &*self.shared;
        let stored = shared.store.load(id).await?;
        let stored = stored.ok_or(RewrapError::UnknownKey(id))?;
        let Some(old) = stored.wrapped() else {
            return Ok(());
        };
        let key = stored.context();
        let kek = &shared.keys;
        let new = kek.call(KekOperation::Rewrap, key, |kek| kek.rewrap(key, old));
        shared.store.rewrap(id, old, &new.await?).await?;
        // What this process reads next is what the primary version has wrapped.
        shared.states.forget(key.tenant());
        shared.observer.observe(&Event::KeyRewrapped { key });
        Ok(())
    }
}
