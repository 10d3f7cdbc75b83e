//! Processes on one database, each with its own way to it and to Redis.

use std::{
    num::NonZeroUsize,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, ApiKeyCacheBuilder, BusState, NewKey, Peppers, Tier,
    bus::{InvalidationBus, RedisBus},
    secrets::VersionedSecrets,
    store::SqliteKeyStore,
};
use secrecy::SecretBox;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::{
    link::{Commits, LinkedStore},
    proxy::Proxy,
    redis::Redis,
    wait::wait_for,
};

/// A database file, and when keys in it were revoked.
pub(crate) struct Database {
    folder: TempDir,
    pub(crate) commits: Commits,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            commits: Commits::default(),
        }
    }

    /// As another process opens it.
    async fn open(&self) -> LinkedStore {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.path().join("keys.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new().max_connections(4);
        let store = SqliteKeyStore::new(pool.connect_with(options).await.unwrap());
        store.migrate().await.unwrap();
        LinkedStore::new(store, Arc::clone(&self.commits))
    }

    /// What only changes keys, as the command line does: it follows nothing and tells nobody.
    pub(crate) async fn command_line(&self) -> ApiKeyCache {
        builder(&Arc::new(self.open().await)).build()
    }

    /// A node without a bus, which has read the feed.
    pub(crate) async fn node(&self) -> Node {
        Node::start(Arc::new(self.open().await), |builder| builder).await
    }

    /// A node that asks the store for everything.
    pub(crate) async fn node_without_feed(&self) -> Node {
        let store = Arc::new(self.open().await);
        let cache = ApiKeyCache::builder_without_feed(Arc::clone(&store) as _, peppers()).build();
        Node::of(cache, store)
    }

    /// A node without a bus that waits long for many loads at once.
    pub(crate) async fn patient_node(&self) -> Node {
        let loads = NonZeroUsize::new(1_000).unwrap();
        let timeout = Duration::from_secs(20);
        Node::start(Arc::new(self.open().await), |builder| {
            builder.store_concurrency(loads).store_timeout(timeout)
        })
        .await
    }

    /// A node whose bus is this Redis, and the network between them.
    pub(crate) async fn node_on(&self, redis: &Redis) -> (Node, Proxy) {
        let proxy = Proxy::before(redis.port()).await;
        let bus = RedisBus::builder([proxy.url()]).unwrap();
        let bus = bus.build(&peppers()).unwrap();
        let bus: Arc<dyn InvalidationBus> = Arc::new(bus);
        let node = Node::start(Arc::new(self.open().await), |builder| builder.bus(bus)).await;
        node.is_on_bus().await;
        (node, proxy)
    }
}

fn builder(store: &Arc<LinkedStore>) -> ApiKeyCacheBuilder {
    ApiKeyCache::builder(Arc::clone(store) as _, Arc::clone(store) as _, peppers())
}

fn peppers() -> Peppers {
    let secret = SecretBox::new(Box::new([7; 32]));
    Peppers::new(VersionedSecrets::single(secret)).unwrap()
}

/// A cache, and a thread that follows.
pub(crate) struct Node {
    pub(crate) cache: ApiKeyCache,
    pub(crate) store: Arc<LinkedStore>,
    follower: Option<oneshot::Sender<Stop>>,
}

/// What the thread is to do next, and last.
enum Stop {
    /// Nothing until this ends, as a process that is stopped.
    Freeze(mpsc::Receiver<()>),
}

/// A node does nothing until this is dropped.
pub(crate) struct Frozen {
    _thaw: mpsc::Sender<()>,
}

impl Node {
    async fn start(
        store: Arc<LinkedStore>,
        build: impl FnOnce(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder,
    ) -> Self {
        let node = Self::of(build(builder(&store)).build(), store);
        wait_for("a node that has read the feed", async || {
            (!node.cache.stats().confirmed_for.is_zero()).then_some(())
        })
        .await;
        node
    }

    fn of(cache: ApiKeyCache, store: Arc<LinkedStore>) -> Self {
        let (follower, stop) = oneshot::channel();
        let follow = cache.follow();
        thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = follow => {}
                    stop = stop => if let Ok(Stop::Freeze(thaw)) = stop {
                        // Ends when the other half is dropped; nothing is ever sent.
                        assert!(thaw.recv().is_err());
                    }
                }
            });
        });
        Self {
            cache,
            store,
            follower: Some(follower),
        }
    }

    /// Stops the thread and all that runs on it, for good; memory is still asked.
    pub(crate) fn freeze(&mut self) -> Frozen {
        let (thaw, frozen) = mpsc::channel();
        let follower = self.follower.take().unwrap();
        assert!(follower.send(Stop::Freeze(frozen)).is_ok());
        Frozen { _thaw: thaw }
    }

    pub(crate) async fn issue(&self) -> ApiKey {
        let new = NewKey::new(
            "tenant".parse().unwrap(),
            Tier::STANDARD,
            "events:write".parse().unwrap(),
        );
        self.cache.issue(new).await.unwrap().into_key()
    }

    /// Waits until what is told is heard.
    pub(crate) async fn is_on_bus(&self) {
        wait_for("a node that listens", async || {
            (self.cache.stats().bus == BusState::Up).then_some(())
        })
        .await;
    }
}
