//! How many processes share the limits.

use std::{
    convert::Infallible,
    hash::{BuildHasher as _, RandomState},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use tokio::time;

use super::{RedisStore, failure::Failure, script::Script};
use crate::store::{NodeCount, StoreError};

const INTERVAL: Duration = Duration::from_secs(2);

/// A process that misses so many beats counts no more.
const BEATS: u32 = 3;

/// Tells the servers of a [`RedisStore`] that this process is alive, and a [`NodeCount`] how many are.
///
/// It does nothing by itself: the caller spawns [`run`](Self::run). A process that ends is counted for three
/// intervals more. While the servers do not answer the number stays what it was, which is when a
/// [`FallbackStore`](crate::store::FallbackStore) needs it.
///
/// ```no_run
/// # use std::{num::NonZeroU32, sync::Arc};
/// # use portcullis_ratelimit::store::{NodeCount, RedisHeartbeat, RedisStore};
/// # async fn spawned() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Arc::new(RedisStore::builder(["redis://127.0.0.1"])?.build()?);
/// let nodes = NodeCount::starting_at(NonZeroU32::MIN);
/// tokio::spawn(RedisHeartbeat::new(store, nodes.clone()).run());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedisHeartbeat {
    store: Arc<RedisStore>,
    nodes: NodeCount,
    interval: Duration,
    script: Script,
    key: String,
    id: String,
}

impl RedisHeartbeat {
    /// One of this process, which has an id of its own from now on.
    #[must_use]
    pub fn new(store: Arc<RedisStore>, nodes: NodeCount) -> Self {
        let random = RandomState::new();
        Self {
            // No tenant has this tag.
            key: format!("{}:{{@nodes}}", store.key_prefix()),
            id: format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1)),
            script: Script::new(include_str!("heartbeat.lua")),
            interval: INTERVAL,
            store,
            nodes,
        }
    }

    /// How often the process says that it is alive; default: every 2 s. All processes have the same interval.
    #[must_use]
    pub fn every(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Beats until it is dropped.
    pub async fn run(self) -> Infallible {
        loop {
            // The next beat says the same.
            drop(self.beat().await);
            time::sleep(self.interval).await;
        }
    }

    /// Beats once: the number of processes, which the `NodeCount` has as well.
    ///
    /// # Errors
    /// The servers do not answer.
    pub async fn beat(&self) -> Result<NonZeroU32, StoreError> {
        let millis = (self.interval * BEATS).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let command = |mut command: redis::Cmd| {
            command.arg(1).arg(&self.key).arg(&self.id).arg(millis);
            command
        };
        let by_hash = command(self.script.by_hash());
        let servers = self.store.servers();
        let reply = servers.evaluate(&by_hash, || command(self.script.whole()));
        let count: u32 = reply.await?;
        let count = NonZeroU32::new(count).ok_or(Failure::WrongReply)?;
        self.nodes.set(count);
        Ok(count)
    }
}
