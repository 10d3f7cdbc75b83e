//! The data keys of every tenant, as a service uses them.

mod budget;
mod builder;
mod census;
mod changes;
mod lifecycle;
mod rewrap;
mod rotation;
mod states;
mod unwrapped;

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use self::{
    changes::{Changes, Counted},
    states::{StateCache, TenantKeys},
    unwrapped::UnwrappedKeys,
};
use crate::{
    KeyId, KeyMissing, KeyState, PreparedKey, PreparedKeys, Purpose, TenantId,
    clock::Clock,
    entropy::{Entropy, EntropyError},
    kek::{KekContext, KekError, KekProvider},
    observer::{Event, EvictionCause, Observer},
    store::{DekStore, InsertError, StoreError, StoredKey},
};

pub(crate) use self::unwrapped::UnwrappedKey;
pub use self::{
    builder::KeyringBuilder,
    census::{DATA_KEY_PERIOD, KEK_PERIOD, KeyStates},
    lifecycle::DESTROY_DELAY,
    rewrap::{RewrapError, Rewrapped},
    rotation::{RotateError, Rotation},
};

/// The data keys of every tenant: made when first needed, kept unwrapped for a while, rotated.
///
/// Cheap to clone; clones share their caches.
#[derive(Debug, Clone)]
pub struct Keyring {
    shared: Arc<Shared>,
}

/// Why keys were not prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The tenant was erased: what it had is gone, and it gets no new keys.
    #[error("the tenant was erased: it gets no new keys")]
    TenantErased,
    /// Other processes kept changing the keys of this tenant; asking again can help.
    #[error("the keys of this tenant keep changing: try again")]
    Contended,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key-encryption key did not wrap or unwrap.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// No random bytes for a key id.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Keyring {
    /// Begins a keyring on what wraps its keys and what stores them.
    pub fn builder(kek: Arc<dyn KekProvider>, store: Arc<dyn DekStore>) -> KeyringBuilder {
        KeyringBuilder::new(kek, store)
    }

    /// The primary key of each purpose, to seal with; a tenant's first key is made here. Without a
    /// purpose nothing is asked for, and nothing read.
    ///
    /// What it answers rests on states read at most 5 s ago, and may seal and open until they are
    /// 10 s old: prepare for a request or a batch, not for ever. What was sealed under an earlier
    /// key opens with [`prepare_ids`](Self::prepare_ids).
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn prepare(
        &self,
        tenant: &TenantId,
        purposes: &[Purpose],
    ) -> Result<PreparedKeys, PrepareError> {
        let mut prepared = self.nothing_prepared(tenant);
        if purposes.is_empty() {
            return Ok(prepared);
        }
        let states = self.states_with_primaries(tenant, purposes).await?;
        let primaries = purposes
            .iter()
            .filter_map(|purpose| states.primary(purpose));
        let keys = self.shared.keys.all_unwrapped(primaries).await?;
        for key in keys {
            prepared.add_primary(PreparedKey::new(key), states.read_at());
        }
        Ok(prepared)
    }

    /// The keys with these ids, to open with.
    ///
    /// An id that cannot be used is no error here: the keys remember why, and so opening can tell a
    /// destroyed key from a forged id. An id that is unknown, or of another tenant, costs one read
    /// of the store and never a call to the key-encryption key.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn prepare_ids(
        &self,
        tenant: &TenantId,
        ids: &[KeyId],
    ) -> Result<PreparedKeys, PrepareError> {
        let states = self.states_with_ids(tenant, ids).await?;
        let openable = ids
            .iter()
            .filter_map(|id| states.find(*id))
            .filter(|key| key.state().opens());
        let keys = self.shared.keys.all_unwrapped(openable).await?;

        let mut prepared = self.nothing_prepared(tenant);
        for id in ids {
            let Some(key) = states.find(*id) else {
                let unknown = Event::UnknownKeyRequested { tenant, key: *id };
                self.shared.observer.observe(&unknown);
                prepared.add_unknown(*id, states.read_at());
                continue;
            };
            let why = match key.state() {
                KeyState::Pending | KeyState::Primary | KeyState::DecryptOnly => continue,
                KeyState::Disabled | KeyState::DestroyScheduled => KeyMissing::Unavailable,
                KeyState::Destroyed => KeyMissing::Destroyed,
            };
            self.shared.observer.observe(&Event::RefusedKeyRequested {
                tenant,
                purpose: key.purpose(),
                key: *id,
                state: key.state(),
            });
            prepared.add_refused(*id, key.purpose().clone(), why, states.read_at());
        }
        for key in keys {
            prepared.add(PreparedKey::new(key), states.read_at());
        }
        Ok(prepared)
    }

    fn nothing_prepared(&self, tenant: &TenantId) -> PreparedKeys {
        let shared = &*self.shared;
        PreparedKeys::none(
            tenant.clone(),
            Arc::clone(&shared.clock),
            Arc::clone(&shared.entropy),
            Arc::clone(&shared.observer),
        )
    }

    async fn states_with_primaries(
        &self,
        tenant: &TenantId,
        purposes: &[Purpose],
    ) -> Result<Arc<TenantKeys>, PrepareError> {
        let all = |states: &TenantKeys| purposes.iter().all(|name| states.primary(name).is_some());
        let mut states = self.shared.fresh_states(tenant).await?;
        for _ in 0..MAKE_ATTEMPTS {
            if all(&states) {
                return Ok(states);
            }
            for purpose in purposes
                .iter()
                .filter(|name| states.primary(name).is_none())
            {
                self.make_key(tenant, purpose, KeyState::Primary).await?;
            }
            states = self.shared.reread_states(tenant).await?;
        }
        if all(&states) {
            Ok(states)
        } else {
            Err(PrepareError::Contended)
        }
    }

    async fn states_with_ids(
        &self,
        tenant: &TenantId,
        ids: &[KeyId],
    ) -> Result<Arc<TenantKeys>, PrepareError> {
        let states = self.shared.fresh_states(tenant).await?;
        if ids.iter().all(|id| states.find(*id).is_some()) {
            return Ok(states);
        }
        // Another process may have made the key since.
        Ok(self.shared.reread_states(tenant).await?)
    }

    /// Makes a key, unless the store says that another process has just done so.
    async fn make_key(
        &self,
        tenant: &TenantId,
        purpose: &Purpose,
        state: KeyState,
    ) -> Result<(), PrepareError> {
        let shared = &*self.shared;
        if shared.erased.contains_key(tenant) {
            return Err(PrepareError::TenantErased);
        }
        let id = make_key_id(&*shared.entropy)?;
        let context = KekContext::new(tenant.clone(), purpose.clone(), id);
        // The key in the clear is dropped: its first use proves that what was stored unwraps.
        let wrapped = shared.keys.generate(&context).await?.wrapped;
        let key = StoredKey::new(context, state, wrapped, shared.clock.wall());
        match shared.store.insert(&key).await {
            Ok(()) => {
                let key = key.context();
                shared.observer.observe(&Event::KeyGenerated { key, state });
                Ok(())
            }
            Err(InsertError::StateTaken | InsertError::IdTaken) => Ok(()),
            Err(InsertError::TenantErased) => {
                shared.erased.insert(tenant.clone(), ());
                Err(PrepareError::TenantErased)
            }
            Err(InsertError::Store(error)) => Err(error.into()),
        }
    }
}

/// Covers both a taken key id (one chance in 4 billion for each key there is) and lost races.
const MAKE_ATTEMPTS: usize = 4;

/// States are read again when they are this old.
const STATES_REREAD_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Shared {
    store: Arc<dyn DekStore>,
    states: StateCache,
    changes: Changes,
    keys: UnwrappedKeys,
    // Tenants known to be erased, which is for ever: they cost no call to the key-encryption key.
    erased: Cache<TenantId, ()>,
    destroy_delay: Duration,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
}

impl Shared {
    /// States that were read, or found to be unchanged, at most 5 s ago.
    async fn fresh_states(&self, tenant: &TenantId) -> Result<Arc<TenantKeys>, StoreError> {
        let now = self.clock.monotonic();
        let still_good = |read_at: Duration| now.saturating_sub(read_at) < STATES_REREAD_AFTER;
        let known = self.states.known(tenant).await;
        if let Some(known) = known.as_ref().filter(|known| still_good(known.read_at())) {
            return Ok(Arc::clone(known));
        }
        // One read for all tenants instead of one for each.
        let counted = self.changes().await;
        if let (Some(known), Some(counted)) = (known, counted) {
            known.confirm(counted);
        }
        self.states
            .read_unless(tenant, still_good, || self.read_states(tenant, counted))
            .await
    }

    /// The number of changes, as read at most 5 s ago. Without one each tenant's keys are read, which
    /// tells of a store that does not answer.
    async fn changes(&self) -> Option<Counted> {
        let now = self.clock.monotonic();
        let still_good = |read_at: Duration| now.saturating_sub(read_at) < STATES_REREAD_AFTER;
        self.changes
            .read_unless(still_good, &*self.store, &*self.clock)
            .await
    }

    async fn reread_states(&self, tenant: &TenantId) -> Result<Arc<TenantKeys>, StoreError> {
        let now = self.clock.monotonic();
        let read = async || self.read_states(tenant, self.changes().await).await;
        self.states
            .read_unless(tenant, |read_at| read_at > now, read)
            .await
    }

    /// Reads them after `counted`, so that they are at least as new.
    async fn read_states(
        &self,
        tenant: &TenantId,
        counted: Option<Counted>,
    ) -> Result<TenantKeys, StoreError> {
        let read_at = self.clock.monotonic();
        let read = self.store.load_tenant(tenant).await;
        let keys = read.inspect_err(|error| {
            let unavailable = Event::StatesUnavailable { tenant, error };
            self.observer.observe(&unavailable);
        })?;
        let read = Event::StatesRead {
            tenant,
            keys: keys.len(),
        };
        self.observer.observe(&read);
        for key in keys.iter().filter(|key| !key.state().opens()) {
            self.keys.evict(key.context(), EvictionCause::State);
        }
        let changes = counted.map(|counted| counted.number);
        Ok(TenantKeys::new(keys, changes, read_at))
    }
}

fn make_key_id(entropy: &dyn Entropy) -> Result<KeyId, EntropyError> {
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes)?;
    Ok(KeyId::new(u32::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests;
