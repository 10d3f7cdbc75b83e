//! What goes over many rows, on a connection of its own.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, TenantId};
use portcullis_pii_crypto::{IndexRoots, index_rotation::IndexStates, reencrypt::SealedRows};
use time::OffsetDateTime;

use super::{
    SqliteStore, at_work, erasure, index_states::SqliteIndexStates, old_rows, sealed_refs,
    sealed_rows, shredding, unique_fields,
};
use crate::{
    lead::{LeadId, UniqueFields},
    store::{NotedErasures, OldRows, StoreError, Sweeping, UniqueFieldsError},
};

#[async_trait]
impl Sweeping for SqliteStore {
    fn sealed_rows(&self, roots: &IndexRoots) -> Vec<Arc<dyn SealedRows>> {
        sealed_rows::all(&self.sweeps, roots)
    }

    async fn rows_by_key(&self) -> Result<BTreeMap<KeyId, u64>, StoreError> {
        self.sweeps.read(sealed_refs::count).await
    }

    fn index_states(&self) -> Arc<dyn IndexStates> {
        Arc::new(SqliteIndexStates::new(self.sweeps.clone()))
    }

    async fn erase_leads(&self, leads: &[(TenantId, LeadId)]) -> Result<u64, StoreError> {
        let leads = leads.to_vec();
        let erase = move |connection: &_| {
            let mut erased = 0;
            for (tenant, lead) in &leads {
                erased += u64::from(erasure::erase_lead(connection, tenant, *lead)?);
            }
            Ok(erased)
        };
        self.sweeps.write(erase).await
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let mut erased = 0;
        let mut after = erasure::Reached::default();
        loop {
            let (tenant, from) = (tenant.clone(), after.clone());
            let next = self
                .sweeps
                .write(move |connection| erasure::erase_some(connection, &tenant, &from));
            let Some((rows, next)) = next.await? else {
                return Ok(erased);
            };
            erased += rows;
            after = next;
        }
    }

    async fn has_rows_of(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        let has = move |connection: &_| erasure::has_rows_of(connection, &tenant);
        self.sweeps.read(has).await
    }

    async fn is_erased(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        let is = move |connection: &_| erasure::is_erased(connection, &tenant);
        self.sweeps.read(is).await
    }

    async fn noted_erasures(&self) -> Result<NotedErasures, StoreError> {
        self.sweeps.read(erasure::noted).await
    }

    async fn note_erasures(&self, noted: &NotedErasures) -> Result<(), StoreError> {
        let noted = noted.clone();
        let note = move |connection: &_| erasure::note(connection, &noted);
        self.sweeps.write(note).await
    }

    async fn hold_unique(
        &self,
        fields: &UniqueFields,
    ) -> Result<Result<(), UniqueFieldsError>, StoreError> {
        let fields = fields.clone();
        let hold = move |connection: &_| unique_fields::hold(connection, &fields);
        self.sweeps.write(hold).await
    }

    async fn at_work(&self, work: &'static str) -> Result<Option<String>, StoreError> {
        let find = move |connection: &_| at_work::find(connection, work);
        self.notes.read(find).await
    }

    async fn replace_at_work(
        &self,
        work: &'static str,
        expected: Option<&str>,
        new: Option<&str>,
    ) -> Result<bool, StoreError> {
        let (expected, new) = (expected.map(str::to_owned), new.map(str::to_owned));
        let replace = move |connection: &_| {
            at_work::replace(connection, work, expected.as_deref(), new.as_deref())
        };
        self.notes.write(replace).await
    }

    async fn change_unique(
        &self,
        fields: &UniqueFields,
    ) -> Result<Result<(), UniqueFieldsError>, StoreError> {
        let fields = fields.clone();
        let change = move |connection: &_| unique_fields::change(connection, &fields);
        self.sweeps.write(change).await
    }

    async fn find_old_rows(
        &self,
        tenant: &TenantId,
        source: &'static str,
        before: OffsetDateTime,
    ) -> Result<Option<OldRows>, StoreError> {
        old_rows::find(&self.sweeps, tenant, source, before).await
    }

    async fn delete_old_rows(&self, tenant: &TenantId, rows: OldRows) -> Result<(), StoreError> {
        old_rows::delete(&self.sweeps, tenant, rows).await
    }

    async fn shred(&self) -> Result<bool, StoreError> {
        shredding::shred(&self.sweeps).await
    }

    async fn owes_shredding(&self) -> Result<bool, StoreError> {
        self.notes.read(shredding::is_owed).await
    }

    async fn owe_shredding(&self) -> Result<(), StoreError> {
        self.notes.write(shredding::owe).await
    }
}
