//! What goes over many rows, on a connection of its own.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, TenantId, sweep::Cursor};
use portcullis_pii_crypto::{IndexRoots, IndexState, IndexVersion, reencrypt::SealedRows};

use super::{SqliteStore, erasure, index_state, sealed_refs, sealed_rows};
use crate::{
    lead::LeadId,
    store::{StoreError, Sweeping},
};

#[async_trait]
impl Sweeping for SqliteStore {
    fn sealed_rows(&self, roots: &IndexRoots) -> Vec<Arc<dyn SealedRows>> {
        sealed_rows::all(&self.sweeps, roots)
    }

    async fn rows_by_key(&self) -> Result<BTreeMap<KeyId, u64>, StoreError> {
        self.sweeps.read(sealed_refs::count).await
    }

    async fn index_state(&self) -> Result<IndexState, StoreError> {
        Ok(self.readers.read(index_state::read).await?)
    }

    async fn begin_index(&self, version: IndexVersion, at: SystemTime) -> Result<bool, StoreError> {
        let begin = move |connection: &_| index_state::begin(connection, version, at);
        self.sweeps.write(begin).await
    }

    async fn enforce_index(
        &self,
        version: IndexVersion,
        at: SystemTime,
    ) -> Result<bool, StoreError> {
        let enforce = move |connection: &_| index_state::enforce(connection, version, at);
        self.sweeps.write(enforce).await
    }

    async fn drop_index(&self, version: IndexVersion) -> Result<bool, StoreError> {
        let drop = move |connection: &_| index_state::drop_version(connection, version);
        self.sweeps.write(drop).await
    }

    async fn copy_fingerprints(
        &self,
        version: IndexVersion,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Option<Cursor>, StoreError> {
        let after = after.map(Cursor::to_string).unwrap_or_default();
        let copy = move |connection: &_| {
            index_state::copy_fingerprints(connection, version, &after, limit.get())
        };
        self.sweeps.write(copy).await
    }

    async fn delete_index_rows(
        &self,
        version: IndexVersion,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Option<Cursor>, StoreError> {
        let after = after.map(Cursor::to_string);
        let delete = move |connection: &_| {
            index_state::delete_rows(connection, version, after.as_deref(), limit.get())
        };
        self.sweeps.write(delete).await
    }

    async fn count_index_rows(&self, version: IndexVersion) -> Result<u64, StoreError> {
        let count = move |connection: &_| index_state::count_rows(connection, version);
        self.sweeps.read(count).await
    }

    async fn erase_lead(&self, tenant: &TenantId, id: LeadId) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        let erase = move |connection: &_| erasure::erase_lead(connection, &tenant, id);
        self.sweeps.write(erase).await
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let mut erased = 0;
        let mut after = erasure::Place::default();
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

    async fn fold_log(&self) -> Result<bool, StoreError> {
        self.sweeps.read(index_state::fold_log).await
    }
}
