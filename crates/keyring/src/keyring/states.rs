//! The states of each tenant's keys, as last read.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;

use super::{changes::Counted, flight::Flight, unwrapped::nanoseconds};
use crate::{
    KeyId, KeyState, Purpose, TenantId,
    store::{DamagedKey, LoadedKeys, StoreError, StoredKey},
};

/// The keys of each tenant with their states, as last read.
#[derive(Debug)]
pub(super) struct StateCache {
    tenants: Cache<TenantId, Arc<Slot>>,
}

/// What is known of one tenant.
#[derive(Debug, Default)]
struct Slot {
    known: Mutex<Option<Known>>,
    /// How many reads have begun.
    begun: AtomicU64,
    reading: Flight<StoreError>,
}

/// What a read has found.
#[derive(Debug, Clone)]
struct Known {
    /// Which of the reads.
    number: u64,
    states: Arc<TenantKeys>,
}

/// All keys of one tenant, and since when they are known to be so.
#[derive(Debug)]
pub(super) struct TenantKeys {
    found: LoadedKeys,
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
    pub(super) fn known(&self, tenant: &TenantId) -> Option<Arc<TenantKeys>> {
        Some(self.tenants.get(tenant)?.known()?.states)
    }

    /// What is known, if `still_good` says so of the moment it was read; else what `read` gives.
    /// Callers who want the same tenant wait for one read.
    pub(super) async fn read_unless(
        &self,
        tenant: &TenantId,
        still_good: impl Fn(Duration) -> bool,
        read: impl Future<Output = Result<TenantKeys, StoreError>>,
    ) -> Result<Arc<TenantKeys>, StoreError> {
        let good = |known: &Known| still_good(known.states.read_at());
        self.slot(tenant).read_unless(good, read).await
    }

    /// What `read` gives, or a read of somebody else that begins from now on.
    pub(super) async fn read_again(
        &self,
        tenant: &TenantId,
        read: impl Future<Output = Result<TenantKeys, StoreError>>,
    ) -> Result<Arc<TenantKeys>, StoreError> {
        let slot = self.slot(tenant);
        let before = slot.begun.load(Ordering::SeqCst);
        slot.read_unless(|known| known.number > before, read).await
    }

    /// Says later whether a read has begun since, and what it has found.
    pub(super) fn since_now(
        &self,
        tenant: &TenantId,
    ) -> impl Fn() -> Option<Arc<TenantKeys>> + use<> {
        let slot = self.slot(tenant);
        let before = slot.begun.load(Ordering::SeqCst);
        move || {
            let known = slot.known().filter(|known| known.number > before);
            known.map(|known| known.states)
        }
    }

    /// Has the next caller read.
    pub(super) fn forget(&self, tenant: &TenantId) {
        self.tenants.invalidate(tenant);
    }

    fn slot(&self, tenant: &TenantId) -> Arc<Slot> {
        match self.tenants.get(tenant) {
            Some(slot) => slot,
            None => self.tenants.get_with(tenant.clone(), Arc::default),
        }
    }
}

impl Slot {
    async fn read_unless(
        &self,
        good: impl Fn(&Known) -> bool,
        read: impl Future<Output = Result<TenantKeys, StoreError>>,
    ) -> Result<Arc<TenantKeys>, StoreError> {
        let done = || Some(self.known().filter(&good)?.states);
        let attempt = async {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let states = Arc::new(read.await?);
            let known = Known {
                number,
                states: Arc::clone(&states),
            };
            *self.lock() = Some(known);
            Ok(states)
        };
        self.reading.run(done, attempt).await
    }

    fn known(&self) -> Option<Known> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TenantKeys {
    pub(super) fn new(found: LoadedKeys, changes: Option<u64>, read_at: Duration) -> Self {
        Self {
            found,
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
        self.found.keys.iter().find(|key| key.id() == id)
    }

    /// A key of the tenant whose row cannot be read.
    pub(super) fn find_damaged(&self, id: KeyId) -> Option<&DamagedKey> {
        self.found.damaged.iter().find(|key| key.id == id)
    }

    /// The primary of a purpose, if its row cannot be read: no other can be made beside it.
    pub(super) fn damaged_primary(&self, purpose: &Purpose) -> Option<&DamagedKey> {
        let primary = Some(KeyState::Primary);
        let mut damaged = self.found.damaged.iter();
        damaged.find(|key| key.state == primary && key.purpose.as_ref() == Some(purpose))
    }

    pub(super) fn primary(&self, purpose: &Purpose) -> Option<&StoredKey> {
        self.with_state(purpose, KeyState::Primary)
    }

    pub(super) fn pending(&self, purpose: &Purpose) -> Option<&StoredKey> {
        self.with_state(purpose, KeyState::Pending)
    }

    fn with_state(&self, purpose: &Purpose, state: KeyState) -> Option<&StoredKey> {
        let mut keys = self.found.keys.iter();
        keys.find(|key| key.state() == state && key.purpose() == purpose)
    }
}
