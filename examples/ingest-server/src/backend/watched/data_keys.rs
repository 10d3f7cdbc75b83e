//! The store of data keys, whose faults are remembered like those of any other statement.

use std::time::SystemTime;

use async_trait::async_trait;
use portcullis_keyring::{
    KeyId, TenantId, Transition,
    kek::WrappedKey,
    store::{ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoreError, StoredKey},
};
use portcullis_telemetry::Statement;

use super::Watched;

/// Its table, as `docs/formats.md` names it.
const KEYS: &str = "keyring_data_key";

impl Watched<dyn DekStore> {
    fn check_data_keys(&self) -> Result<(), StoreError> {
        let checked = self.watch.check();
        checked.map_err(|fault| StoreError::Unavailable(fault.into()))
    }
}

#[async_trait]
impl DekStore for Watched<dyn DekStore> {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.check_data_keys()?;
        self.watch
            .ask(Statement::Insert, KEYS, self.store.insert(key))
            .await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.watch
            .ask(Statement::Select, KEYS, self.store.load(id))
            .await
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        self.watch
            .ask(Statement::Select, KEYS, self.store.load_tenant(tenant))
            .await
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, StoreError> {
        self.watch
            .ask(Statement::Select, KEYS, self.store.load_many(ids))
            .await
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        self.watch
            .ask(Statement::Select, KEYS, self.store.list(query))
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check_data_keys()?;
        self.watch
            .ask(Statement::Insert, KEYS, self.store.check())
            .await
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        self.watch
            .ask(Statement::Select, "keyring_change", self.store.changes())
            .await
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch
            .ask(Statement::Update, KEYS, self.store.promote(old, new, at))
            .await
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.check_data_keys()?;
        self.watch
            .ask(Statement::Update, KEYS, self.store.change(id, step, at))
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
            .ask(Statement::Update, KEYS, self.store.rewrap(id, old, new))
            .await
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        self.check_data_keys()?;
        self.watch
            .ask(Statement::Update, KEYS, self.store.erase_tenant(tenant, at))
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use portcullis_keyring::store::MemoryDekStore;

    use super::*;
    use crate::{
        backend::watched::Watch,
        store::{FaultLatch, sqlite::WriteTurns},
    };

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
