//! A store in memory.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;

use super::{
    ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoreError, StoredKey, tables::Tables,
};
use crate::{KeyId, TenantId, Transition, kek::WrappedKey};

/// A store in memory: for tests, and for data that dies with the process.
#[derive(Debug, Default)]
pub struct MemoryDekStore {
    tables: Mutex<Tables>,
}

impl MemoryDekStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Every change is made after the last thing that can fail.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DekStore for MemoryDekStore {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.tables().insert(key)
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.tables().find(id).cloned())
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        let keys: Vec<_> = self.tables().of_tenant(tenant).cloned().collect();
        Ok(keys.into())
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        Ok(self.tables().list(query).into())
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        Ok(Some(self.tables().changes()))
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.tables().promote(old, new, at)
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.tables().change(id, step, at)
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.tables().rewrap(id, old, new)
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        self.tables().erase_tenant(tenant, at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn it_is_a_dek_store() {
        conformance::dek_store(async || Arc::new(MemoryDekStore::new()) as _).await;
    }
}
