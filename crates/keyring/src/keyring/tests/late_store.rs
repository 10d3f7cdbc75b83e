//! A store that answers late, or not at all.

use std::{sync::Mutex, time::SystemTime};

use super::*;
use crate::{
    Transition,
    store::{ChangeError, DamagedKey, KeyQuery, LoadedKeys},
};

/// What it reads is from when it was asked, and given when it is told to.
#[derive(Debug)]
pub(super) struct LateStore {
    keys: Arc<MemoryDekStore>,
    /// Before the keys of a tenant.
    pub(super) keys_of_tenant: Gate,
    /// Before the number of changes.
    pub(super) count: Gate,
    damaged: Mutex<Option<KeyId>>,
}

/// What answers go through.
#[derive(Debug)]
pub(super) struct Gate {
    asked: AtomicUsize,
    /// From which question on answers wait.
    holds_from: AtomicUsize,
    is_down: AtomicBool,
}

/// So that the states of each tenant are read again, and not found to be unchanged.
pub(super) async fn change_something(world: &World) {
    let rotated = world
        .keyring()
        .rotate(&tenant("somebody"), &purpose("email"))
        .await;
    rotated.expect("a step");
}

impl LateStore {
    pub(super) fn on(keys: &Arc<MemoryDekStore>) -> Arc<Self> {
        Arc::new(Self {
            keys: Arc::clone(keys),
            keys_of_tenant: Gate::open(),
            count: Gate::open(),
            damaged: Mutex::default(),
        })
    }

    /// A process on it.
    pub(super) fn keyring(self: &Arc<Self>, world: &World) -> Keyring {
        Keyring::builder(world.kek.clone(), self.clone())
            .clock(world.clock.clone())
            .calls_per_second(NonZeroU32::MAX)
            .build()
    }

    /// The row of a key is not what it was.
    pub(super) fn damage(&self, id: KeyId) {
        *self.damaged.lock().expect("no panic") = Some(id);
    }
}

impl Gate {
    const fn open() -> Self {
        Self {
            asked: AtomicUsize::new(0),
            holds_from: AtomicUsize::new(usize::MAX),
            is_down: AtomicBool::new(false),
        }
    }

    /// How often it was asked for something.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// After so many more answers they wait.
    pub(super) fn hold_after(&self, more: usize) {
        self.holds_from
            .store(self.asked() + more + 1, Ordering::SeqCst);
    }

    pub(super) fn let_go(&self) {
        self.holds_from.store(usize::MAX, Ordering::SeqCst);
    }

    /// From now on there is no answer.
    pub(super) fn fail(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    async fn pass(&self) -> Result<(), StoreError> {
        let question = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        while question >= self.holds_from.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("told to be".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl DekStore for LateStore {
    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        let mut found = self.keys.load_tenant(tenant).await?;
        self.keys_of_tenant.pass().await?;
        let damaged = *self.damaged.lock().expect("no panic");
        for key in found.keys.extract_if(.., |key| Some(key.id()) == damaged) {
            found.damaged.push(DamagedKey {
                id: key.id(),
                tenant: Some(key.tenant().clone()),
                purpose: Some(key.purpose().clone()),
                state: Some(key.state()),
            });
        }
        Ok(found)
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        let number = self.keys.changes().await?;
        self.count.pass().await?;
        Ok(number)
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
