//! What goes over many rows, whose faults are remembered like those of any other statement.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, TenantId};
use portcullis_pii_crypto::{IndexRoots, index_rotation::IndexStates, reencrypt::SealedRows};
use portcullis_telemetry::Statement;
use time::OffsetDateTime;

use super::{Watched, index_states::WatchedIndexStates, rows::WatchedRows};
use crate::{
    lead::{LeadId, UniqueFields},
    store::{NotedErasures, OldRows, Store, StoreError, Sweeping, UniqueFieldsError},
};

#[async_trait]
impl Sweeping for Watched<dyn Store> {
    fn sealed_rows(&self, roots: &IndexRoots) -> Vec<Arc<dyn SealedRows>> {
        let watched = |rows| {
            let watch = self.watch.clone();
            Arc::new(WatchedRows { rows, watch }) as Arc<dyn SealedRows>
        };
        let rows = self.store.sealed_rows(roots).into_iter();
        rows.map(watched).collect()
    }

    async fn rows_by_key(&self) -> Result<BTreeMap<KeyId, u64>, StoreError> {
        self.watch
            .ask(Statement::Select, "sealed_ref", self.store.rows_by_key())
            .await
    }

    fn index_states(&self) -> Arc<dyn IndexStates> {
        let watch = self.watch.clone();
        let states = self.store.index_states();
        Arc::new(WatchedIndexStates { states, watch })
    }

    async fn erase_leads(&self, leads: &[(TenantId, LeadId)]) -> Result<u64, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(Statement::Delete, "lead", self.store.erase_leads(leads))
            .await
    }

    async fn find_old_rows(
        &self,
        tenant: &TenantId,
        source: &'static str,
        before: OffsetDateTime,
    ) -> Result<Option<OldRows>, StoreError> {
        let find = self.store.find_old_rows(tenant, source, before);
        self.watch.ask(Statement::Select, "event", find).await
    }

    async fn delete_old_rows(&self, tenant: &TenantId, rows: OldRows) -> Result<(), StoreError> {
        self.watch.check()?;
        let delete = self.store.delete_old_rows(tenant, rows);
        self.watch.ask(Statement::Delete, "event", delete).await
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(Statement::Delete, "lead", self.store.erase_tenant(tenant))
            .await
    }

    async fn has_rows_of(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        self.watch
            .ask(Statement::Select, "lead", self.store.has_rows_of(tenant))
            .await
    }

    async fn is_erased(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "keyring_erased_tenant",
                self.store.is_erased(tenant),
            )
            .await
    }

    async fn noted_erasures(&self) -> Result<NotedErasures, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "sweep_cursor",
                self.store.noted_erasures(),
            )
            .await
    }

    async fn note_erasures(&self, noted: &NotedErasures) -> Result<(), StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Insert,
                "sweep_cursor",
                self.store.note_erasures(noted),
            )
            .await
    }

    async fn hold_unique(
        &self,
        fields: &UniqueFields,
    ) -> Result<Result<(), UniqueFieldsError>, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Update,
                "sweep_cursor",
                self.store.hold_unique(fields),
            )
            .await
    }

    async fn at_work(&self, work: &'static str) -> Result<Option<String>, StoreError> {
        self.watch
            .ask(Statement::Select, "sweep_cursor", self.store.at_work(work))
            .await
    }

    async fn replace_at_work(
        &self,
        work: &'static str,
        expected: Option<&str>,
        new: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Update,
                "sweep_cursor",
                self.store.replace_at_work(work, expected, new),
            )
            .await
    }

    async fn change_unique(
        &self,
        fields: &UniqueFields,
    ) -> Result<Result<(), UniqueFieldsError>, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Update,
                "sweep_cursor",
                self.store.change_unique(fields),
            )
            .await
    }

    async fn shred(&self) -> Result<bool, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(Statement::Update, "sqlite_dbpage", self.store.shred())
            .await
    }

    async fn owes_shredding(&self) -> Result<bool, StoreError> {
        self.watch
            .ask(
                Statement::Select,
                "sweep_cursor",
                self.store.owes_shredding(),
            )
            .await
    }

    async fn owe_shredding(&self) -> Result<(), StoreError> {
        self.watch.check()?;
        self.watch
            .ask(
                Statement::Insert,
                "sweep_cursor",
                self.store.owe_shredding(),
            )
            .await
    }
}
