//! The data keys of every tenant, as a service uses them.

mod budget;
mod builder;
mod census;
mod changes;
mod flight;
mod forgetting;
mod lifecycle;
mod names;
mod negative;
mod rewrap;
mod rotation;
mod shared;
mod states;
mod turns;
mod under_way;
mod unwrapped;

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time;

use self::{shared::Shared, states::TenantKeys};
use crate::{
    KeyId, KeyMissing, KeyState, PreparedKey, PreparedKeys, Purpose, TenantId,
    entropy::{Entropy, EntropyError},
    kek::{KekContext, KekError, KekProvider},
    observer::{Event, NegativeCause},
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
        let opened = self.shared.unwrapped(primaries).await?;
        if let Some((_, refused)) = opened.refused.into_iter().next() {
            return Err(refused.into());
        }
        for key in opened.keys {
            prepared.add_primary(PreparedKey::new(key), states.read_at());
        }
        Ok(prepared)
    }

    /// The keys with these ids, to open with.
    ///
    /// An id that cannot be used is no error here: the keys remember why, and so opening can tell a
    /// destroyed key from a forged id, and one that the key-encryption key refuses from both. An id that is
    /// unknown, or of another tenant, costs at most one read of the store in a minute and never a call to the
    /// key-encryption key; looks for unknown ids of one tenant wait for each other, ten in a second.
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
        let opened = self.shared.unwrapped(openable).await?;

        let mut prepared = self.nothing_prepared(tenant);
        for id in ids {
            if states.find_damaged(*id).is_some() {
                prepared.add_damaged(*id, states.read_at());
                continue;
            }
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
        for (key, _) in opened.refused {
            let (purpose, why) = (key.purpose().clone(), KeyMissing::NotOpened);
            prepared.add_refused(key.id(), purpose, why, states.read_at());
        }
        for key in opened.keys {
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
        let states = self.shared.fresh_states(tenant).await?;
        if all(&states) {
            return Ok(states);
        }
        // Held by all who wait: what is read for the one who makes them is there for the others.
        let reading = self.shared.states.reading(tenant);
        let made = || {
            let known = self.shared.known_states(tenant)?;
            all(&known).then_some(known)
        };
        let turns = self.shared.turns.of(tenant);
        let make = self.make_primaries(tenant, purposes);
        let states = turns.making.run(made, make).await;
        drop(reading);
        states
    }

    /// One caller of a process makes what is missing, for all.
    async fn make_primaries(
        &self,
        tenant: &TenantId,
        purposes: &[Purpose],
    ) -> Result<Arc<TenantKeys>, PrepareError> {
        let mut states = self.shared.fresh_states(tenant).await?;
        for _ in 0..MAKE_ATTEMPTS {
            let missing = purposes
                .iter()
                .filter(|name| states.primary(name).is_none());
            let damaged = missing.clone().find_map(|it| states.damaged_primary(it));
            if let Some(key) = damaged {
                return Err(key.error().into());
            }
            let primary = KeyState::Primary;
            let made = missing.map(|purpose| self.make_key(tenant, purpose, primary));
            let made = join_all(made).await;
            if made.is_empty() {
                return Ok(states);
            }
            made.into_iter().collect::<Result<(), _>>()?;
            states = self.shared.reread_states(tenant).await?;
        }
        let all = purposes.iter().all(|name| states.primary(name).is_some());
        all.then_some(states).ok_or(PrepareError::Contended)
    }

    async fn states_with_ids(
        &self,
        tenant: &TenantId,
        ids: &[KeyId],
    ) -> Result<Arc<TenantKeys>, PrepareError> {
        let shared = &*self.shared;
        let now = shared.clock.monotonic();
        let states = shared.fresh_states(tenant).await?;
        let has = |states: &TenantKeys, id| {
            states.find(id).is_some() || states.find_damaged(id).is_some()
        };
        let is_missing = |id: &&KeyId| !has(&states, **id);
        let mut is_new = false;
        for key in ids.iter().copied().filter(|id| is_missing(&id)) {
            if shared.unknown.contains(tenant, key, now) {
                let cause = NegativeCause::UnknownId;
                let hit = Event::NegativeHit { tenant, key, cause };
                shared.observer.observe(&hit);
            } else {
                is_new = true;
            }
        }
        if !is_new {
            return Ok(states);
        }
        let states = self.look_for_ids(tenant).await?;
        for id in ids.iter().filter(|id| !has(&states, **id)) {
            shared.unknown.insert(tenant, *id, now);
        }
        Ok(states)
    }

    /// Another process may have made a key since. Who sends forged ids has the store read ten times in a second,
    /// and waits meanwhile, with others of the same tenant who look for ids.
    async fn look_for_ids(&self, tenant: &TenantId) -> Result<Arc<TenantKeys>, StoreError> {
        let turns = self.shared.turns.of(tenant);
        let looked = self.shared.states.since_now(tenant);
        let look = async {
            let shared = &*self.shared;
            let wait = shared.turns.next_look(tenant, shared.clock.monotonic());
            if !wait.is_zero() {
                time::sleep(wait).await;
            }
            shared.turns.count_look(tenant, shared.clock.monotonic());
            shared.reread_states(tenant).await
        };
        turns.looking.run(looked, look).await
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
        let made = shared.keys.make(&context).await?;
        let wrapped = made.wrapped().clone();
        // Before anybody can read of it: nobody then asks for what is here.
        shared.keys.keep_made(made);
        let key = StoredKey::new(context, state, wrapped, shared.clock.wall());
        let inserted = shared.store.insert(&key).await;
        if inserted.is_err() {
            shared.keys.forget(key.context());
        }
        match inserted {
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

fn make_key_id(entropy: &dyn Entropy) -> Result<KeyId, EntropyError> {
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes)?;
    Ok(KeyId::new(u32::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests;
