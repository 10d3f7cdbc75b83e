//! A store that reads the keys of tenants late, or not at all.

use std::time::SystemTime;

use super::*;
use crate::{
    Transition,
    store::{ChangeError, KeyQuery, LoadedKeys},
};

/// What it reads of a tenant is from when it was asked, and given when it is told to.
#[derive(Debug)]
pub(super) struct LateStore {
    keys: Arc<MemoryDekStore>,
    asked: AtomicUsize,
    holds: AtomicBool,
    is_down: AtomicBool,
}

impl LateStore {
    pub(super) fn on(keys: Arc<MemoryDekStore>) -> Arc<Self> {
        Arc::new(Self {
            keys,
            asked: AtomicUsize::new(0),
            holds: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
        })
    }

    /// How often the keys of a tenant were asked for.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Whether answers wait.
    pub(super) fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }

    /// Whether there are none.
    pub(super) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

#[async_trait]
impl DekStore for LateStore {
    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("told to be".into()));
        }
        let found = self.keys.load_tenant(tenant).await;
        while self.holds.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        found
    }

    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.keys.insert(key).await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.keys.load(id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        self.keys.list(query).await
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.keys.promote(old, new, at).await
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.keys.change(id, step, at).await
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.keys.rewrap(id, old, new).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        self.keys.erase_tenant(tenant, at).await
    }
}
