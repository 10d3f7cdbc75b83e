//! What the clones of a keyring share, and how fresh the states are that they go by.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;

use super::{
    changes::{Changes, Counted},
    names::Purposes,
    negative::UnknownIds,
    states::{StateCache, TenantKeys},
    turns::Turns,
    unwrapped::{Opened, UnwrappedKeys},
};
use crate::{
    TenantId,
    clock::Clock,
    entropy::Entropy,
    kek::{KekContext, KekError},
    observer::{Event, EvictionCause, Observer},
    store::{DekStore, StoreError, StoredKey},
};

/// States are read again when they are this old.
const STATES_REREAD_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Arc<dyn DekStore>,
    pub(super) states: StateCache,
    pub(super) purposes: Purposes,
    pub(super) changes: Changes,
    pub(super) keys: UnwrappedKeys,
    // Tenants known to be erased, which is for ever: they cost no call to the key-encryption key.
    pub(super) erased: Cache<TenantId, ()>,
    pub(super) turns: Turns,
    pub(super) unknown: UnknownIds,
    pub(super) destroy_delay: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) observer: Arc<dyn Observer>,
}

impl Shared {
    /// States that were read, or found to be unchanged, at most 5 s ago.
    pub(super) async fn fresh_states(
        &self,
        tenant: &TenantId,
    ) -> Result<Arc<TenantKeys>, StoreError> {
        if let Some(known) = self.known_states(tenant) {
            return Ok(known);
        }
        let now = self.clock.monotonic();
        let still_good = |read_at: Duration| now.saturating_sub(read_at) < STATES_REREAD_AFTER;
        // One read for all tenants instead of one for each.
        let counted = self.changes().await;
        if let (Some(known), Some(counted)) = (self.states.known(tenant), counted) {
            known.confirm(counted);
        }
        let read = self.read_states(tenant, counted);
        let tell = |states: &TenantKeys| self.evict_closed(states);
        self.states
            .read_unless(tenant, still_good, read, tell)
            .await
    }

    pub(super) async fn unwrapped<'k>(
        &self,
        stored: impl Iterator<Item = &'k StoredKey>,
    ) -> Result<Opened<'k>, KekError> {
        self.keys.all_unwrapped(self, stored).await
    }

    /// Whether a key opens by states that are fresh now. Without them nobody knows, and it is not kept.
    pub(super) async fn still_opens(&self, key: &KekContext) -> bool {
        let states = self.fresh_states(key.tenant()).await;
        let opens = |states: Arc<TenantKeys>| {
            let found = states.find(key.key_id());
            found.is_some_and(|found| found.context() == key && found.state().opens())
        };
        states.is_ok_and(opens)
    }

    pub(super) fn evict_closed(&self, states: &TenantKeys) {
        for key in states.closed() {
            self.keys.evict(key.context(), EvictionCause::State);
        }
    }

    /// States that are that fresh already.
    pub(super) fn known_states(&self, tenant: &TenantId) -> Option<Arc<TenantKeys>> {
        let now = self.clock.monotonic();
        let known = self.states.known(tenant)?;
        let age = now.saturating_sub(known.read_at());
        (age < STATES_REREAD_AFTER).then_some(known)
    }

    /// The number of changes, as read at most 5 s ago. Without one each tenant's keys are read, which
    /// tells of a store that does not answer.
    pub(super) async fn changes(&self) -> Option<Counted> {
        let now = self.clock.monotonic();
        let still_good = |read_at: Duration| now.saturating_sub(read_at) < STATES_REREAD_AFTER;
        self.changes
            .read_unless(still_good, &*self.store, &*self.clock)
            .await
    }

    /// The number of changes, read now.
    pub(super) async fn changes_now(&self) -> Option<Counted> {
        let (store, clock) = (&*self.store, &*self.clock);
        self.changes.read_unless(|_| false, store, clock).await
    }

    pub(super) async fn reread_states(
        &self,
        tenant: &TenantId,
    ) -> Result<Arc<TenantKeys>, StoreError> {
        let read = async { self.read_states(tenant, self.changes().await).await };
        let tell = |states: &TenantKeys| self.evict_closed(states);
        self.states.read_again(tenant, read, tell).await
    }

    /// Reads them after `counted`, so that they are at least as new.
    pub(super) async fn read_states(
        &self,
        tenant: &TenantId,
        counted: Option<Counted>,
    ) -> Result<TenantKeys, StoreError> {
        let read_at = self.clock.monotonic();
        let read = self.store.load_tenant(tenant).await;
        let unavailable = |error: &StoreError| {
            let unavailable = Event::StatesUnavailable { tenant, error };
            self.observer.observe(&unavailable);
        };
        let mut found = read.inspect_err(unavailable)?;
        for key in &found.damaged {
            unavailable(&key.error());
            // What it may do is not known: what was unwrapped before does it no more.
            if let Some(purpose) = key.purpose.clone() {
                let context = KekContext::new(tenant.clone(), purpose, key.id);
                self.keys.evict(&context, EvictionCause::State);
            }
        }
        let read = Event::StatesRead {
            tenant,
            keys: found.rows(),
        };
        self.observer.observe(&read);
        let changes = counted.map(|counted| counted.number);
        let keys = found.keys.into_iter();
        found.keys = keys.map(|key| self.purposes.share(tenant, key)).collect();
        Ok(TenantKeys::new(found, changes, read_at))
    }
}
