//! Events and leads, whose faults are remembered like those of any other statement.

use std::time::SystemTime;

use async_trait::async_trait;
use portcullis_keyring::TenantId;
use portcullis_pii_crypto::IndexState;
use portcullis_telemetry::Statement;

use super::{Watched, sink::WatchedSink};
use crate::{
    lead::{LeadColumn, LeadId, LeadRecord},
    store::{
        EarlierEntry, EarlierQuery, IndexedLead, KnownLeads, PolicyKind, SecretCheck, Store,
        StoreError, WriteGroups,
    },
};

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

    async fn earlier_audit_events(
        &self,
        query: &EarlierQuery,
    ) -> Result<Vec<EarlierEntry>, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "audit_event",
                self.store.earlier_audit_events(query),
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

    async fn audit_anchor(&self, origin: &str) -> Result<Option<String>, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "audit_anchor",
                self.store.audit_anchor(origin),
            )
            .await
    }

    async fn replace_audit_anchor(
        &self,
        origin: &str,
        before: Option<&str>,
        checkpoint: &str,
    ) -> Result<bool, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Update,
                "audit_anchor",
                self.store.replace_audit_anchor(origin, before, checkpoint),
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

/// The table of a policy.
const fn policies(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Limits => "limit_policies",
        PolicyKind::Detection => "detection_policy",
    }
}
