//! The states of each tenant's keys, as last read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use quick_cache::sync::Cache;

use super::{
    changes::Counted,
    under_way::{Fetch, Held},
    unwrapped::nanoseconds,
};
use crate::{
    KeyId, KeyState, Purpose, TenantId,
    store::{DamagedKey, LoadedKeys, StoreError, StoredKey},
};

/// The keys of each tenant with their states, as last read.
#[derive(Debug)]
pub(super) struct StateCache {
    tenants: Cache<TenantId, Known>,
    reads: Held<TenantId, StateRead>,
    /// How many reads have begun, of all tenants.
    begun: AtomicU64,
}

/// Held, it keeps what is read meanwhile, also if the cache has no room for it.
pub(super) type StateRead = Fetch<Known, StoreError>;

/// What a read has found.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Which of the reads.
    number: u64,
    states: Arc<TenantKeys>,
}

/// All keys of one tenant, and since when they are known to be so.
#[derive(Debug)]
pub(super) struct TenantKeys {
    keys: Box<[StoredKey]>,
    damaged: Box<[DamagedKey]>,
    /// The number of changes of the store that was read before them, if it counts.
    changes: Option<u64>,
    /// In nanoseconds of the monotonic clock: when the read of them began, or one since that found
    /// nothing changed.
    read_at: AtomicU64,
}

impl StateCache {
    pub(super) fn new(tenants: usize) -> Self {
        Self {
            tenants: Cache::new(tenants),
            reads: Held::default(),
            begun: AtomicU64::new(0),
        }
    }

    /// What is known of a tenant, however old.
    pub(super) fn known(&self, tenant: &TenantId) -> Option<Arc<TenantKeys>> {
        let known = match self.tenants.get(tenant) {
            Some(known) => known,
            None => self.reads.find(tenant)?.last()?,
        };
        Some(known.states)
    }

    /// Who holds it shares what others read meanwhile.
    pub(super) fn reading(&self, tenant: &TenantId) -> Arc<StateRead> {
        self.reads.of(tenant)
    }

    /// What is known, if `still_good` says so of the moment it was read; else what `read` gives, which is told
    /// of once it is known. Callers who want the same tenant wait for one read.
    pub(super) async fn read_unless(
        &self,
        tenant: &TenantId,
        still_good: impl Fn(Duration) -> bool,
        read: impl Future<Output = Result<TenantKeys, StoreError>>,
        tell: impl FnOnce(&TenantKeys),
    ) -> Result<Arc<TenantKeys>, StoreError> {
        let good = |known: &Known| still_good(known.states.read_at());
        self.read(tenant, good, read, tell).await
    }

    /// What `read` gives, or a read of somebody else that begins from now on.
    pub(super) async fn read_again(
        &self,
        tenant: &TenantId,
        read: impl Future<Output = Result<TenantKeys, StoreError>>,
        tell: impl FnOnce(&TenantKeys),
    ) -> Result<Arc<TenantKeys>, StoreError> {
        let before = self.begun.load(Ordering::SeqCst);
        let good = |known: &Known| known.number > before;
        self.read(tenant, good, read, tell).await
    }

    /// Says later whether a read has begun since, and what it has found.
    pub(super) fn since_now(&self, tenant: &TenantId) -> impl Fn() -> Option<Arc<TenantKeys>> {
        let reading = self.reading(tenant);
        let before = self.begun.load(Ordering::SeqCst);
        move || {
            let known = reading.last().filter(|known| known.number > before);
            known.map(|known| known.states)
        }
    }

    /// Has the next caller read.
    pub(super) fn forget(&self, tenant: &TenantId) {
        if let Some(reading) = self.reads.take(tenant) {
            reading.call_back();
        }
        self.tenants.remove(tenant);
    }

    async fn read(
        &self,
        tenant: &TenantId,
        good: impl Fn(&Known) -> bool,
        read: impl Future<Output = Result<TenantKeys, StoreError>>,
        tell: impl FnOnce(&TenantKeys),
    ) -> Result<Arc<TenantKeys>, StoreError> {
        let reading = self.reading(tenant);
        let done = || {
            let known = self.tenants.get(tenant).filter(&good);
            Some(known.or_else(|| reading.last().filter(&good))?.states)
        };
        let attempt = async {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let states = Arc::new(read.await?);
            let known = Known {
                number,
                states: Arc::clone(&states),
            };
            reading.finish(known, |known| self.tenants.insert(tenant.clone(), known));
            // Afterwards: who asks from now on whether a key still opens is told the new state.
            tell(&states);
            Ok(states)
        };
        reading.flight.run(done, attempt).await
    }
}

impl TenantKeys {
    pub(super) fn new(found: LoadedKeys, changes: Option<u64>, read_at: Duration) -> Self {
        Self {
            keys: found.keys.into(),
            damaged: found.damaged.into(),
            changes,
            read_at: AtomicU64::new(nanoseconds(read_at)),
        }
    }

    pub(super) fn read_at(&self) -> Duration {
        Duration::from_nanos(self.read_at.load(Ordering::Relaxed))
    }

    /// Takes note that the store has changed nothing since, if that is what it counted.
    pub(super) fn confirm(&self, counted: Counted) -> bool {
        let stands = self.changes == Some(counted.number);
        if stands {
            let read_at = nanoseconds(counted.read_at);
            self.read_at.fetch_max(read_at, Ordering::Relaxed);
        }
        stands
    }

    /// Those that do not open.
    pub(super) fn closed(&self) -> impl Iterator<Item = &StoredKey> {
        self.keys.iter().filter(|key| !key.state().opens())
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&StoredKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    /// A key of the tenant whose row cannot be read.
    pub(super) fn find_damaged(&self, id: KeyId) -> Option<&DamagedKey> {
        self.damaged.iter().find(|key| key.id == id)
    }

    /// The primary of a purpose, if its row cannot be read: no other can be made beside it.
    pub(super) fn damaged_primary(&self, purpose: &Purpose) -> Option<&DamagedKey> {
        let primary = Some(KeyState::Primary);
        let mut damaged = self.damaged.iter();
        damaged.find(|key| key.state == primary && key.purpose.as_ref() == Some(purpose))
    }

    pub(super) fn primary(&self, purpose: &Purpose) -> Option<&StoredKey> {
        self.with_state(purpose, KeyState::Primary)
    }

    pub(super) fn pending(&self, purpose: &Purpose) -> Option<&StoredKey> {
        self.with_state(purpose, KeyState::Pending)
    }

    fn with_state(&self, purpose: &Purpose, state: KeyState) -> Option<&StoredKey> {
        let mut keys = self.keys.iter();
        keys.find(|key| key.state() == state && key.purpose() == purpose)
    }
}
