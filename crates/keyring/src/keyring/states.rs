//! The states of each tenant's keys, as last read.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use tokio::sync::RwLock;

use crate::{
    KeyId, KeyState, Purpose, TenantId,
    store::{StoreError, StoredKey},
};

/// The keys of each tenant with their states, as last read.
#[derive(Debug)]
pub(super) struct StateCache {
    tenants: Cache<TenantId, Arc<RwLock<Option<Arc<TenantKeys>>>>>,
}

/// All keys of one tenant, and when the read of them began.
#[derive(Debug)]
pub(super) struct TenantKeys {
    keys: Vec<StoredKey>,
    read_at: Duration,
}

impl StateCache {
    pub(super) fn new(tenants: u64) -> Self {
        Self {
            tenants: Cache::new(tenants),
        }
    }

    /// What is known, if `still_good` says so of the moment it was read; else what `read` gives.
    /// Callers who want the same tenant wait for one read.
    pub(super) async fn read_unless<R>(
        &self,
        tenant: &TenantId,
        still_good: impl Fn(Duration) -> bool,
        read: impl FnOnce() -> R,
    ) -> Result<Arc<TenantKeys>, StoreError>
    where
        R: Future<Output = Result<TenantKeys, StoreError>>,
    {
        let known = match self.tenants.get(tenant) {
            Some(known) => known,
            None => self.tenants.get_with(tenant.clone(), Arc::default),
        };
        let good = |states: &&Arc<TenantKeys>| still_good(states.read_at);
        if let Some(states) = known.read().await.as_ref().filter(good) {
            return Ok(Arc::clone(states));
        }
        let mut known = known.write().await;
        if let Some(states) = known.as_ref().filter(good) {
            return Ok(Arc::clone(states));
        }
        let states = Arc::new(read().await?);
        *known = Some(Arc::clone(&states));
        Ok(states)
    }

    /// Has the next caller read.
    pub(super) fn forget(&self, tenant: &TenantId) {
        self.tenants.invalidate(tenant);
    }
}

impl TenantKeys {
    pub(super) const fn new(keys: Vec<StoredKey>, read_at: Duration) -> Self {
        Self { keys, read_at }
    }

    pub(super) const fn read_at(&self) -> Duration {
        self.read_at
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&StoredKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    pub(super) fn primary(&self, purpose: &Purpose) -> Option<&StoredKey> {
        self.with_state(purpose, KeyState::Primary)
    }

    pub(super) fn pending(&self, purpose: &Purpose) -> Option<&StoredKey> {
        self.with_state(purpose, KeyState::Pending)
    }

    fn with_state(&self, purpose: &Purpose, state: KeyState) -> Option<&StoredKey> {
        self.keys
            .iter()
            .find(|key| key.state() == state && key.purpose() == purpose)
    }
}
