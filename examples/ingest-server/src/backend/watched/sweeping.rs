//! What goes over many rows, whose faults are remembered like those of any other statement.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, TenantId, sweep::Cursor};
use portcullis_pii_crypto::{IndexRoots, IndexState, IndexVersion, reencrypt::SealedRows};

use super::{Watched, rows::WatchedRows};
use crate::{
    lead::LeadId,
    store::{Store, StoreError, Sweeping},
};

#[async_trait]
impl Sweeping for Watched<dyn Store> {
    fn sealed_rows(&self, roots: &IndexRoots) -> Vec<Arc<dyn SealedRows>> {
        let watched = |rows| {
            let latch = self.latch.clone();
            Arc::new(WatchedRows { rows, latch }) as Arc<dyn SealedRows>
        };
        let rows = self.store.sealed_rows(roots).into_iter();
        rows.map(watched).collect()
    }

    async fn rows_by_key(&self) -> Result<BTreeMap<KeyId, u64>, StoreError> {
        self.watch(self.store.rows_by_key().await)
    }

    async fn index_state(&self) -> Result<IndexState, StoreError> {
        self.watch(self.store.index_state().await)
    }

    async fn begin_index(&self, version: IndexVersion, at: SystemTime) -> Result<bool, StoreError> {
        self.latch.check()?;
        self.watch(self.store.begin_index(version, at).await)
    }

    async fn enforce_index(
        &self,
        version: IndexVersion,
        at: SystemTime,
    ) -> Result<bool, StoreError> {
        self.latch.check()?;
        self.watch(self.store.enforce_index(version, at).await)
    }

    async fn drop_index(&self, version: IndexVersion) -> Result<bool, StoreError> {
        self.latch.check()?;
        self.watch(self.store.drop_index(version).await)
    }

    async fn copy_fingerprints(
        &self,
        version: IndexVersion,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Option<Cursor>, StoreError> {
        self.latch.check()?;
        self.watch(self.store.copy_fingerprints(version, after, limit).await)
    }

    async fn delete_index_rows(
        &self,
        version: IndexVersion,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Option<Cursor>, StoreError> {
        self.latch.check()?;
        self.watch(self.store.delete_index_rows(version, after, limit).await)
    }

    async fn count_index_rows(&self, version: IndexVersion) -> Result<u64, StoreError> {
        self.watch(self.store.count_index_rows(version).await)
    }

    async fn erase_lead(&self, tenant: &TenantId, id: LeadId) -> Result<bool, StoreError> {
        self.latch.check()?;
        self.watch(self.store.erase_lead(tenant, id).await)
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.latch.check()?;
        self.watch(self.store.erase_tenant(tenant).await)
    }

    async fn fold_log(&self) -> Result<bool, StoreError> {
        self.latch.check()?;
        self.watch(self.store.fold_log().await)
    }
}
