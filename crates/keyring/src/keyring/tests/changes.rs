//! How often the store is asked what has changed.

use std::time::SystemTime;

use tokio::sync::Semaphore;

use super::*;
use crate::{
    Transition,
    store::{ChangeError, KeyQuery, LoadedKeys},
};

const TENANTS: usize = 50;

#[tokio::test]
async fn all_who_wait_for_a_store_that_fails_slowly_wait_for_one_attempt() {
    let world = World::new();
    let store = Arc::new(SlowToCount {
        keys: Arc::clone(&world.store),
        asked: AtomicUsize::new(0),
        answers: Semaphore::new(1),
    });
    let keyring = Keyring::builder(world.kek.clone(), store.clone())
        .clock(world.clock.clone())
        .calls_per_second(NonZeroU32::MAX)
        .build();
    let tenants: Vec<_> = (0..TENANTS).map(|at| format!("tenant-{at}")).collect();
    for at in &tenants {
        keyring.primary(at, "email").await;
    }
    assert_eq!(store.asked(), 1);

    world.clock.advance(5 * SECOND);
    let waiting = tenants.iter().map(|at| keyring.primary(at, "email"));
    let waiting = join_all(waiting);
    // It has polled all of them, in order, when it lets the store fail.
    let fails = async {
        assert_eq!(store.asked(), 2);
        world.clock.advance(SECOND);
        store.answers.close();
    };
    tokio::join!(biased; waiting, fails);
    assert_eq!(store.asked(), 2, "one attempt for all");

    keyring.primary("new", "email").await;
    assert_eq!(store.asked(), 2, "a moment later it is not asked either");
    world.clock.advance(SECOND);
    keyring.primary("newer", "email").await;
    assert_eq!(store.asked(), 3);
}

/// A store of which only the count is slow: each takes a permit, and fails when no more are to come.
#[derive(Debug)]
struct SlowToCount {
    keys: Arc<MemoryDekStore>,
    asked: AtomicUsize,
    answers: Semaphore,
}

impl SlowToCount {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl DekStore for SlowToCount {
    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.acquire().await;
        let answer = answer.map_err(|closed| StoreError::Unavailable(closed.into()))?;
        answer.forget();
        self.keys.changes().await
    }

    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.keys.insert(key).await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.keys.load(id).await
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        self.keys.load_tenant(tenant).await
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
