//! Stores whose faults are remembered: what one statement finds wrong with the database holds for
//! all of them.

mod api_keys;
mod index_states;
mod quality_history;
mod rows;
mod sink;
mod sweeping;

use std::{error::Error, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use portcullis_apikey_cache::store as apikey_store;
use portcullis_keyring::{
    KeyId, TenantId, Transition,
    kek::WrappedKey,
    store::{
        self as keyring_store, ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoredKey,
    },
};
use portcullis_pii_crypto::IndexState;

use self::sink::WatchedSink;
use super::outages::Outages;
use crate::{
    lead::{LeadColumn, LeadId, LeadRecord},
    store::{
        AuditEntry, AuditQuery, DatabaseFault, FaultLatch, IndexedLead, KnownLeads, PolicyKind,
        SecretCheck, Store, StoreError, WriteGroups, sqlite::WriteTurns,
    },
};

/// A store on the database that the latch belongs to. After a fault it reads, and writes no more. API keys
/// are written beside the writer of groups, and so in turn; the store of data keys sees to its turns itself.
#[derive(Debug)]
pub(super) struct Watched<T: ?Sized> {
    store: Arc<T>,
    latch: FaultLatch,
    turns: WriteTurns,
    /// Of API keys alone: all else is told to who asks for it.
    outages: Outages,
}

impl<T: ?Sized> Watched<T> {
    pub(super) fn new(store: Arc<T>, latch: &FaultLatch, turns: WriteTurns) -> Self {
        Self {
            store,
            latch: latch.clone(),
            turns,
            outages: Outages::new(tell_outage),
        }
    }

    /// Passes an outcome on, and remembers the fault it tells of.
    fn watch<R, E: TellsFault>(&self, outcome: Result<R, E>) -> Result<R, E> {
        if let Err(error) = &outcome
            && let Some(fault) = error.fault()
        {
            self.latch.report(fault, error);
        }
        outcome
    }

    fn check_data_keys(&self) -> Result<(), keyring_store::StoreError> {
        let checked = self.latch.check();
        checked.map_err(|fault| keyring_store::StoreError::Unavailable(fault.into()))
    }

    fn check_api_keys(&self) -> Result<(), apikey_store::StoreError> {
        let checked = self.latch.check();
        checked.map_err(apikey_store::StoreError::unavailable)
    }
}

/// Of what the cache of API keys asks for; what an operator asks for is told to the operator.
fn tell_outage(task: &'static str, cause: Option<&(dyn Error + 'static)>) {
    match cause {
        Some(error) => tracing::warn!(task, error, "the API keys' store failed"),
        None => tracing::info!(task, "the API keys' store does its work again"),
    }
}

#[async_trait]
impl Store for Watched<dyn Store> {
    async fn write_groups(&self, groups: WriteGroups) {
        let latch = self.latch.clone();
        let watched = |sink| groups(Box::new(WatchedSink { sink, latch }));
        self.store.write_groups(Box::new(watched)).await;
    }

    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRecord>, StoreError> {
        self.watch(self.store.lead(tenant, id).await)
    }

    async fn leads_by_index(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError> {
        let leads = self
            .store
            .leads_by_index(tenant, column, values, after, limit);
        self.watch(leads.await)
    }

    async fn leads_by_parts(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        values: &[&[u8]],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<IndexedLead>, StoreError> {
        let leads = self
            .store
            .leads_by_parts(tenant, column, values, after, limit);
        self.watch(leads.await)
    }

    async fn known_leads(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        fingerprints: &[&[u8]],
        ids: &[LeadId],
    ) -> Result<KnownLeads, StoreError> {
        let known = self.store.known_leads(tenant, column, fingerprints, ids);
        self.watch(known.await)
    }

    async fn secret_checks(&self) -> Result<Vec<SecretCheck>, StoreError> {
        self.watch(self.store.secret_checks().await)
    }

    async fn remember_secrets(&self, checks: &[SecretCheck]) -> Result<(), StoreError> {
        self.latch.check()?;
        self.watch(self.store.remember_secrets(checks).await)
    }

    async fn secret_first_used(
        &self,
        secret: &'static str,
        version: u32,
    ) -> Result<Option<SystemTime>, StoreError> {
        self.watch(self.store.secret_first_used(secret, version).await)
    }

    async fn enforced_index(&self, version: u16) -> Result<u16, StoreError> {
        self.latch.check()?;
        self.watch(self.store.enforced_index(version).await)
    }

    async fn index_state(&self) -> Result<IndexState, StoreError> {
        self.watch(self.store.index_state().await)
    }

    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.watch(self.store.audit_events(query).await)
    }

    async fn policy(&self, kind: PolicyKind) -> Result<Option<String>, StoreError> {
        self.watch(self.store.policy(kind).await)
    }

    async fn remember_policy(&self, kind: PolicyKind, text: &str) -> Result<(), StoreError> {
        self.latch.check()?;
        self.watch(self.store.remember_policy(kind, text).await)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.latch.check()?;
        self.watch(self.store.ping().await)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.latch.check()?;
        self.watch(self.store.check().await)
    }
}

#[async_trait]
impl DekStore for Watched<dyn DekStore> {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.check_data_keys()?;
        self.watch(self.store.insert(key).await)
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, keyring_store::StoreError> {
        self.watch(self.store.load(id).await)
    }

    async fn load_tenant(
        &self,
        tenant: &TenantId,
    ) -> Result<LoadedKeys, keyring_store::StoreError> {
        self.watch(self.store.load_tenant(tenant).await)
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, keyring_store::StoreError> {
        self.watch(self.store.load_many(ids).await)
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, keyring_store::StoreError> {
        self.watch(self.store.list(query).await)
    }

    async fn check(&self) -> Result<(), keyring_store::StoreError> {
        self.check_data_keys()?;
        self.watch(self.store.check().await)
    }

    async fn changes(&self) -> Result<Option<u64>, keyring_store::StoreError> {
        self.watch(self.store.changes().await)
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch(self.store.promote(old, new, at).await)
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch(self.store.change(id, step, at).await)
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch(self.store.rewrap(id, old, new).await)
    }

    async fn erase_tenant(
        &self,
        tenant: &TenantId,
        at: SystemTime,
    ) -> Result<(), keyring_store::StoreError> {
        self.check_data_keys()?;
        self.watch(self.store.erase_tenant(tenant, at).await)
    }
}

/// An error that may tell of a fault.
trait TellsFault: Error + 'static {
    fn fault(&self) -> Option<DatabaseFault>;
}

impl TellsFault for StoreError {
    fn fault(&self) -> Option<DatabaseFault> {
        match self {
            Self::Corrupt(_) => Some(DatabaseFault::Corrupt),
            Self::Fault(fault) => Some(*fault),
            _ => None,
        }
    }
}

impl TellsFault for keyring_store::StoreError {
    fn fault(&self) -> Option<DatabaseFault> {
        matches!(self, Self::Corrupt(_)).then_some(DatabaseFault::Corrupt)
    }
}

impl TellsFault for InsertError {
    fn fault(&self) -> Option<DatabaseFault> {
        match self {
            Self::Store(error) => error.fault(),
            _ => None,
        }
    }
}

impl TellsFault for ChangeError {
    fn fault(&self) -> Option<DatabaseFault> {
        match self {
            Self::Store(error) => error.fault(),
            _ => None,
        }
    }
}

impl TellsFault for apikey_store::StoreError {
    fn fault(&self) -> Option<DatabaseFault> {
        matches!(self, Self::Corrupt(_)).then_some(DatabaseFault::Corrupt)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_keyring::store::MemoryDekStore;

    use super::*;

    /// What a wrapper leaves to the default of a trait is silently another store.
    #[tokio::test]
    async fn changes_of_data_keys_are_counted_through_it() {
        let store: Arc<dyn DekStore> = Arc::new(MemoryDekStore::new());
        let watched = Watched::new(
            Arc::clone(&store),
            &FaultLatch::new(None),
            WriteTurns::default(),
        );
        let (counted, expected) = (watched.changes().await, store.changes().await);
        assert_eq!(counted.unwrap(), expected.unwrap());
        assert_ne!(watched.changes().await.unwrap(), None);
    }
}
