//! The states of each tenant's keys, as last read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;
use tokio::sync::RwLock;

use super::{changes::Counted, unwrapped::nanoseconds};
use crate::{
    KeyId, KeyState, Purpose, TenantId,
    store::{StoreError, StoredKey},
};

/// The keys of each tenant with their states, as last read.
#[derive(Debug)]
pub(super) struct StateCache {
    tenants: Cache<TenantId, Arc<RwLock<Option<Arc<TenantKeys>>>>>,
}

/// All keys of one tenant, and since when they are known to be so.
#[derive(Debug)]
pub(super) struct TenantKeys {
    keys: Vec<StoredKey>,
    /// The number of changes of the store that was read before them, if it counts.
    changes: Option<u64>,
    /// In nanoseconds of the monotonic clock: when the read of them began, or one since that found
    /// nothing changed.
    read_at: AtomicU64,
}

impl StateCache {
    pub(super) fn new(tenants: u64) -> Self {
        Self {
            tenants: Cache::new(tenants),
        }
    }

    /// What is known of a tenant, however old.
    pub(super) async fn known(&self, tenant: &TenantId) -> Option<Arc<TenantKeys>> {
        let known = self.tenants.get(tenant)?;
        let known = known.read().await;
        known.clone()
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
        let good = |states: &&Arc<TenantKeys>| still_good(states.read_at());
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
    pub(super) fn new(keys: Vec<StoredKey>, changes: Option<u64>, read_at: Duration) -> Self {
        Self {
            keys,
            changes,
            read_at: AtomicU64::new(nanoseconds(read_at)),
        }
    }

    pub(super) fn read_at(&self) -> Duration {
        Duration::from_nanos(self.read_at.load(Ordering::Relaxed))
    }

    /// Takes note that the store has changed nothing since, if that is what it counted.
    pub(super) fn confirm(&self, counted: Counted) {
        if self.changes == Some(counted.number) {
            let read_at = nanoseconds(counted.read_at);
            self.read_at.fetch_max(read_at, Ordering::Relaxed);
        }
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
