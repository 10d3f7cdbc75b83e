//! A world of processes that share a store, a key-encryption key and a clock.

mod budget;
mod cache;
mod census;
mod changes;
mod first_key;
mod flight;
mod forgets;
mod full_cache;
mod late_promotion;
mod late_store;
mod lifecycle;
mod negative;
mod observer;
mod prepare;
mod rewrap;
mod rewrap_all;
mod rotation;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;

use super::*;
use crate::{
    DataKey, DerivedKeys,
    clock::{Clock, FakeClock},
    conformance::raw,
    entropy::SystemEntropy,
    kek::{GeneratedKey, MemoryKek, WrappedKey},
    observer::Observer,
    store::MemoryDekStore,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// What processes share: one store, one KEK, one time.
struct World {
    store: Arc<MemoryDekStore>,
    kek: Arc<WatchedKek>,
    clock: Arc<FakeClock>,
}

impl World {
    fn new() -> Self {
        Self {
            store: Arc::default(),
            kek: Arc::new(WatchedKek::new()),
            clock: Arc::default(),
        }
    }

    /// The keyring of one process.
    fn keyring(&self) -> Keyring {
        self.builder().build()
    }

    fn builder(&self) -> KeyringBuilder {
        // Most tests stop the clock, by which the calls of a second are counted.
        Keyring::builder(self.kek.clone(), self.store.clone())
            .clock(self.clock.clone())
            .calls_per_second(NonZeroU32::MAX)
    }
}

/// A local KEK that counts what it is asked, and fails when told to.
#[derive(Debug)]
struct WatchedKek {
    inner: MemoryKek,
    generates: AtomicUsize,
    unwraps: AtomicUsize,
    running: AtomicUsize,
    most_running: AtomicUsize,
    unreachable: AtomicBool,
    refuses: AtomicBool,
}

impl WatchedKek {
    fn new() -> Self {
        Self {
            inner: MemoryKek::new().expect("a KEK"),
            generates: AtomicUsize::new(0),
            unwraps: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
            unreachable: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
        }
    }

    fn unwraps(&self) -> usize {
        self.unwraps.load(Ordering::SeqCst)
    }

    fn set_unreachable(&self, unreachable: bool) {
        self.unreachable.store(unreachable, Ordering::SeqCst);
    }

    async fn enter(&self) -> Result<(), KekError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        // As a call over a network does, it lets everybody else go first.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        if self.unreachable.load(Ordering::SeqCst) {
            return Err(KekError::Unavailable("told to be".into()));
        }
        if self.refuses.load(Ordering::SeqCst) {
            return Err(KekError::Rejected);
        }
        Ok(())
    }
}

#[async_trait]
impl KekProvider for WatchedKek {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.generates.fetch_add(1, Ordering::SeqCst);
        self.enter().await?;
        self.inner.generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.enter().await?;
        self.inner.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.unwraps.fetch_add(1, Ordering::SeqCst);
        self.enter().await?;
        self.inner.unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.enter().await?;
        self.inner.rewrap(context, key).await
    }
}

/// How often what was derived has been cleared.
#[derive(Debug, Default)]
struct Cleared(AtomicUsize);

impl DerivedKeys for Arc<Cleared> {
    fn clear(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a name")
}

fn purpose(name: &str) -> Purpose {
    Purpose::new(name).expect("a name")
}

impl Keyring {
    /// The id of the primary key for a purpose.
    async fn primary(&self, at: &str, name: &str) -> KeyId {
        let keys = self
            .prepare(&tenant(at), &[purpose(name)])
            .await
            .expect("it answers");
        keys.primary(name, keys.clock().monotonic())
            .expect("it was prepared")
            .id()
    }

    /// The bytes of the primary key for a purpose.
    async fn data_key(&self, at: &str, name: &str) -> [u8; 32] {
        let keys = self
            .prepare(&tenant(at), &[purpose(name)])
            .await
            .expect("it answers");
        let key = keys.primary(name, keys.clock().monotonic());
        raw(key.expect("it was prepared").data_key())
    }

    /// What can be done with a key.
    async fn find(&self, at: &str, name: &str, id: KeyId) -> Result<KeyId, KeyMissing> {
        let keys = self
            .prepare_ids(&tenant(at), &[id])
            .await
            .expect("it answers");
        keys.find(id, name, keys.clock().monotonic())
            .map(PreparedKey::id)
    }
}
