//! Stores whose faults are remembered: what one statement finds wrong with the database holds for
//! all of them.

mod api_keys;
mod index_states;
mod quality_history;
mod rows;
mod sink;
mod sweeping;
mod watch;

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
use portcullis_telemetry::Statement;

use self::sink::WatchedSink;
use super::outages::Outages;
use crate::{
    lead::{LeadColumn, LeadId, LeadRecord},
    store::{
        AuditEntry, AuditQuery, IndexedLead, KnownLeads, PolicyKind, SecretCheck, Store,
        StoreError, WriteGroups, sqlite::WriteTurns,
    },
};

pub(super) use self::watch::Watch;

/// A store on the database that is watched. After a fault it reads, and writes no more. API keys
/// are written beside the writer of groups, and so in turn; the store of data keys sees to its turns itself.
#[derive(Debug)]
pub(super) struct Watched<T: ?Sized> {
    store: Arc<T>,
    watch: Watch,
    turns: WriteTurns,
    /// Of API keys alone: all else is told to who asks for it.
    outages: Outages,
}

impl<T: ?Sized> Watched<T> {
    pub(super) fn new(store: Arc<T>, watch: &Watch, turns: WriteTurns) -> Self {
        Self {
            store,
            watch: watch.clone(),
            turns,
            outages: Outages::new(tell_outage),
        }
    }

    fn check_data_keys(&self) -> Result<(), keyring_store::StoreError> {
        let checked = self.watch.check();
        checked.map_err(|fault| keyring_store::StoreError::Unavailable(fault.into()))
    }

    fn check_api_keys(&self) -> Result<(), apikey_store::StoreError> {
        let checked = self.watch.check();
        checked.map_err(apikey_store::StoreError::unavailable)
    }
}

/// The table of a policy.
const fn policies(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Limits => "limit_policies",
        PolicyKind::Detection => "detection_policy",
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
        let watch = self.watch.clone();
        let watched = |sink| groups(Box::new(WatchedSink { sink, watch }));
        self.store.write_groups(Box::new(watched)).await;
    }

    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRecord>, StoreError> {
        self.watch
            .ask(Statement::Select, "lead", self.store.lead(tenant, id))
            .await
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
        self.watch.ask(Statement::Select, "lead_index", leads).await
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
        self.watch.ask(Statement::Select, "lead_index", leads).await
    }

    async fn known_leads(
        &self,
        tenant: &TenantId,
        column: &'static LeadColumn,
        fingerprints: &[&[u8]],
        ids: &[LeadId],
    ) -> Result<KnownLeads, StoreError> {
        let known = self.store.known_leads(tenant, column, fingerprints, ids);
        self.watch.ask(Statement::Select, "lead_index", known).await
    }

    async fn secret_checks(&self) -> Result<Vec<SecretCheck>, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "secret_check",
                self.store.secret_checks(),
            )
            .await
    }

    async fn remember_secrets(&self, checks: &[SecretCheck]) -> Result<(), StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Insert,
                "secret_check",
                self.store.remember_secrets(checks),
            )
            .await
    }

    async fn secret_first_used(
        &self,
        secret: &'static str,
        version: u32,
    ) -> Result<Option<SystemTime>, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "secret_first_use",
                self.store.secret_first_used(secret, version),
            )
            .await
    }

    async fn enforced_index(&self, version: u16) -> Result<u16, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Insert,
                "index_state",
                self.store.enforced_index(version),
            )
            .await
    }

    async fn index_state(&self) -> Result<IndexState, StoreError> {
        self.watch
            .ask(Statement::Select, "index_state", self.store.index_state())
            .await
    }

    async fn audit_events(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "audit_event",
                self.store.audit_events(query),
            )
            .await
    }

    async fn policy(&self, kind: PolicyKind) -> Result<Option<String>, StoreError> {
        self.watch
            .ask(Statement::Select, policies(kind), self.store.policy(kind))
            .await
    }

    async fn remember_policy(&self, kind: PolicyKind, text: &str) -> Result<(), StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Insert,
                policies(kind),
                self.store.remember_policy(kind, text),
            )
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.watch.check()?;
        self.watch
            .ask(Statement::Select, "secret_check", self.store.ping())
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.watch.check()?;
        self.watch
            .ask(Statement::Insert, "event", self.store.check())
            .await
    }
}

#[async_trait]
impl DekStore for Watched<dyn DekStore> {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.check_data_keys()?;
        self.watch
            .ask(
                Statement::Insert,
                "keyring_data_key",
                self.store.insert(key),
            )
            .await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, keyring_store::StoreError> {
        self.watch
            .ask(Statement::Select, "keyring_data_key", self.store.load(id))
            .await
    }

    async fn load_tenant(
        &self,
        tenant: &TenantId,
    ) -> Result<LoadedKeys, keyring_store::StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "keyring_data_key",
                self.store.load_tenant(tenant),
            )
            .await
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, keyring_store::StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "keyring_data_key",
                self.store.load_many(ids),
            )
            .await
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, keyring_store::StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "keyring_data_key",
                self.store.list(query),
            )
            .await
    }

    async fn check(&self) -> Result<(), keyring_store::StoreError> {
        self.check_data_keys()?;
        self.watch
            .ask(Statement::Insert, "keyring_data_key", self.store.check())
            .await
    }

    async fn changes(&self) -> Result<Option<u64>, keyring_store::StoreError> {
        self.watch
            .ask(Statement::Select, "keyring_change", self.store.changes())
            .await
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch
            .ask(
                Statement::Update,
                "keyring_data_key",
                self.store.promote(old, new, at),
            )
            .await
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch
            .ask(
                Statement::Update,
                "keyring_data_key",
                self.store.change(id, step, at),
            )
            .await
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch
            .ask(
                Statement::Update,
                "keyring_data_key",
                self.store.rewrap(id, old, new),
            )
            .await
    }

    async fn erase_tenant(
        &self,
        tenant: &TenantId,
        at: SystemTime,
    ) -> Result<(), keyring_store::StoreError> {
        self.check_data_keys()?;
        self.watch
            .ask(
                Statement::Update,
                "keyring_data_key",
                self.store.erase_tenant(tenant, at),
            )
            .await
    }
}

#[cfg(test)]
mod tests {
    use portcullis_keyring::store::MemoryDekStore;

    use super::*;
    use crate::store::FaultLatch;

    /// What a wrapper leaves to the default of a trait is silently another store.
    #[tokio::test]
    async fn changes_of_data_keys_are_counted_through_it() {
        let store: Arc<dyn DekStore> = Arc::new(MemoryDekStore::new());
        let watched = Watched::new(
            Arc::clone(&store),
            &Watch::new(FaultLatch::new(None), None),
            WriteTurns::default(),
        );
        let (counted, expected) = (watched.changes().await, store.changes().await);
        assert_eq!(counted.unwrap(), expected.unwrap());
        assert_ne!(watched.changes().await.unwrap(), None);
    }
}
