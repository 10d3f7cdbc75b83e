//! Rotation of data keys, and erasure of a tenant's.

use std::time::Duration;

use super::{Keyring, PrepareError, TenantKeys};
use crate::{
    IllegalTransition, KeyId, KeyState, Purpose, TenantId,
    clock::Waiting,
    observer::Event,
    store::{ChangeError, StoreError, StoredKey},
};

/// How far a rotation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// The new key is made; rotate again when it is ready.
    Pending {
        /// The new key.
        key: KeyId,
        /// Until every process is sure to know it.
        ready_in: Duration,
    },
    /// The new key seals from now on.
    Promoted {
        /// The new primary.
        key: KeyId,
        /// What was primary before; it still opens.
        demoted: KeyId,
    },
}

/// Why the state of a key was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// The tenant has no key with this id.
    #[error("the tenant has no data key {0}")]
    UnknownKey(KeyId),
    /// The key is too young: a process that does not know it yet could not open what it seals.
    #[error("the data key is too young to be promoted: try again in {}", Waiting::new(*ready_in))]
    TooYoung {
        /// Until it may be promoted.
        ready_in: Duration,
    },
    /// Other processes may not have followed the last step yet, or the delay before a destruction is not over.
    #[error("it is too soon for the data key to become {to}: try again in {}", Waiting::new(*ready_in))]
    TooSoon {
        /// The state that was asked for.
        to: KeyState,
        /// Until it may be taken.
        ready_in: Duration,
    },
    /// The state machine has no such step.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The key has changed in the meantime.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A new key could not be made.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
}

impl Keyring {
    /// Takes the rotation of a key one step further: makes the new key, and once it has been
    /// pending for 15 s makes it primary.
    ///
    /// Call it until it answers [`Rotation::Promoted`], waiting `ready_in` between. The next call,
    /// in any process and after any crash, goes on where the last one stopped. A caller who may have missed the
    /// answer asks [`rotate_from`](Self::rotate_from) for the key to be replaced: this would begin another rotation.
    ///
    /// What is sealed already stays under the key it was sealed with, which opens it: prepare that
    /// key by its id with [`prepare_ids`](Self::prepare_ids).
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn rotate(
        &self,
        tenant: &TenantId,
        purpose: &Purpose,
    ) -> Result<Rotation, RotateError> {
        self.rotate_once(tenant, purpose, None).await
    }

    /// Takes the replacement of one primary key a step further, as [`rotate`](Self::rotate) does. A key that has been
    /// replaced already, by this or another process, is told as [`Rotation::Promoted`] again, with the present primary,
    /// and nothing is done: for a caller that may not know whether its last call did it.
    ///
    /// # Errors
    /// [`RotateError`]; [`RotateError::Illegal`] for a key that was never primary.
    pub async fn rotate_from(
        &self,
        tenant: &TenantId,
        former: KeyId,
    ) -> Result<Rotation, RotateError> {
        let key = self.key(tenant, former).await?;
        if key.state() == KeyState::Pending {
            let (from, to) = (KeyState::Pending, KeyState::DecryptOnly);
            return Err(IllegalTransition::NoSuchStep { from, to }.into());
        }
        self.rotate_once(tenant, key.purpose(), Some(former)).await
    }

    async fn rotate_once(
        &self,
        tenant: &TenantId,
        purpose: &Purpose,
        former: Option<KeyId>,
    ) -> Result<Rotation, RotateError> {
        let names = std::slice::from_ref(purpose);
        self.shared.states.forget(tenant);
        let mut states = self.states_with_primaries(tenant, names).await?;
        let primary = |states: &TenantKeys| states.primary(purpose).map(StoredKey::id);
        let former = match former {
            Some(former) => former,
            None => primary(&states).ok_or(PrepareError::Contended)?,
        };
        if primary(&states) == Some(former) && states.pending(purpose).is_none() {
            self.make_key(tenant, purpose, KeyState::Pending).await?;
            let reread = self.shared.reread_states(tenant).await;
            states = reread.map_err(PrepareError::Store)?;
        }
        let now = primary(&states).ok_or(PrepareError::Contended)?;
        if now != former {
            return Ok(Rotation::Promoted {
                key: now,
                demoted: former,
            });
        }
        let pending = states.pending(purpose).ok_or(PrepareError::Contended)?;
        let (key, ready_in) = (pending.id(), self.ready_in(pending, KeyState::Primary));
        if !ready_in.is_zero() {
            return Ok(Rotation::Pending { key, ready_in });
        }
        match self.promote_over(tenant, key, Some(former)).await {
            Ok(demoted) => Ok(Rotation::Promoted { key, demoted }),
            // Another process may have promoted this very key at the same time.
            Err(RotateError::Change(ChangeError::Conflict))
                if self.key(tenant, key).await?.state() == KeyState::Primary =>
            {
                let demoted = former;
                Ok(Rotation::Promoted { key, demoted })
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a key the primary of its purpose and the present primary `DecryptOnly`, in one step;
    /// answers the id of the latter.
    ///
    /// # Errors
    /// [`RotateError`]; [`RotateError::TooYoung`] for a key that has been `Pending`, or `DecryptOnly`, for less
    /// than 15 s: a process may not know it yet, or may still refuse it.
    pub async fn promote(&self, tenant: &TenantId, id: KeyId) -> Result<KeyId, RotateError> {
        self.promote_over(tenant, id, None).await
    }

    /// Promotes a key in the place of any, or of one.
    async fn promote_over(
        &self,
        tenant: &TenantId,
        id: KeyId,
        former: Option<KeyId>,
    ) -> Result<KeyId, RotateError> {
        let states = self.shared.reread_states(tenant).await;
        let states = states.map_err(PrepareError::Store)?;
        let key = states.find(id).ok_or(RotateError::UnknownKey(id))?;
        if former.is_some() && key.state() == KeyState::Primary {
            // Somebody else was first.
            return Err(ChangeError::Conflict.into());
        }
        if !key.state().can_become(KeyState::Primary) {
            let (from, to) = (key.state(), KeyState::Primary);
            return Err(IllegalTransition::NoSuchStep { from, to }.into());
        }
        let ready_in = self.ready_in(key, KeyState::Primary);
        if !ready_in.is_zero() {
            return Err(RotateError::TooYoung { ready_in });
        }
        let old = states
            .primary(key.purpose())
            .map(StoredKey::id)
            .filter(|old| former.is_none_or(|former| former == *old))
            .ok_or(ChangeError::Conflict)?;
        let now = self.shared.clock.wall();
        self.shared.store.promote(old, id, now).await?;
        self.shared.states.forget(tenant);
        self.shared.observer.observe(&Event::KeyPromoted {
            key: key.context(),
            demoted: old,
        });
        Ok(old)
    }

    /// Destroys every key of a tenant at once and refuses it new ones. This process forgets its keys at once; others
    /// refuse within 10 s, and forget within 10 s if they call [`forget_unusable`](Self::forget_unusable).
    ///
    /// # Errors
    /// [`StoreError`]; the erasure has not happened then.
    ///
    /// # Security
    /// What was sealed for the tenant cannot be opened any more, except from a backup of the store
    /// for as long as the version of the key-encryption key exists that wrapped its keys.
    pub async fn erase_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let now = self.shared.clock.wall();
        self.shared.store.erase_tenant(tenant, now).await?;
        let erased = Event::TenantErased { tenant };
        self.shared.observer.observe(&erased);
        // The tenant is erased, whatever the store says from now on: this process forgets its keys at once. In this
        // order: a key that is unwrapped meanwhile is kept only by states that are read from now on.
        self.shared.states.forget(tenant);
        self.shared.keys.evict_tenant(tenant);
        Ok(())
    }
}
