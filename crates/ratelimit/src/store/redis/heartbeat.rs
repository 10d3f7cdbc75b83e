//! How many processes share the limits.

mod counts;

use std::{
    convert::Infallible,
    hash::{BuildHasher as _, RandomState},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time;

use self::counts::Counts;
use super::{RedisConfigError, RedisStore, failure::Failure, script::Script};
use crate::store::{NodeCount, StoreError};

const INTERVAL: Duration = Duration::from_secs(2);

/// What the servers can tell apart.
const SHORTEST: Duration = Duration::from_millis(1);

/// A process that misses so many beats counts no more.
const BEATS: u32 = 3;

/// In milliseconds: about a century, which the servers can add to their time.
const LONGEST: u64 = 1 << 42;

/// Tells the servers of a [`RedisStore`] that this process is alive, and a [`NodeCount`] how many are.
///
/// It does nothing by itself: the caller spawns [`run`](Self::run). A process that ends is counted for three
/// intervals more.
///
/// A larger number counts at once. A smaller one counts once four beats in a row were answered by servers that
/// knew this process, and then it is the largest of the four: servers that have lost what they kept count one
/// process first, and the others as they beat. While the servers do not answer the number stays what it was,
/// which is when a [`FallbackStore`](crate::store::FallbackStore) needs it. A process whose beats alone do not
/// arrive drops out of what the others count, and goes on to count them.
///
/// ```no_run
/// # use std::{num::NonZeroU32, sync::Arc};
/// # use portcullis_ratelimit::store::{NodeCount, RedisHeartbeat, RedisStore};
/// # async fn spawned() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Arc::new(RedisStore::builder(["redis://127.0.0.1"])?.build()?);
/// // As few as there ever are: a process that starts while the servers are down counts so many.
/// let nodes = NodeCount::at_least(NonZeroU32::new(3).ok_or("above zero")?);
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
    counts: Mutex<Counts>,
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
            counts: Mutex::default(),
            store,
            nodes,
        }
    }

    /// How often the process says that it is alive; default: every 2 s. All processes have the same interval.
    ///
    /// # Errors
    /// It is shorter than a millisecond.
    pub fn every(self, interval: Duration) -> Result<Self, RedisConfigError> {
        if interval < SHORTEST {
            return Err(RedisConfigError::Interval);
        }
        Ok(Self { interval, ..self })
    }

    /// Beats until it is dropped.
    pub async fn run(self) -> Infallible {
        loop {
            // The next beat says the same.
            drop(self.beat().await);
            time::sleep(self.interval).await;
        }
    }

    /// Beats once: how many processes the servers count. The `NodeCount` has the number as well, if it is no
    /// smaller than before, or once it has held for some beats.
    ///
    /// # Errors
    /// The servers do not answer.
    pub async fn beat(&self) -> Result<NonZeroU32, StoreError> {
        let counted = self.counted().await;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counted {
            Ok((count, was_known)) => {
                let nodes = counts.answered(count, was_known, self.nodes.current());
                self.nodes.set(nodes);
                Ok(count)
            }
            Err(failure) => {
                counts.not_answered();
                Err(failure.into())
            }
        }
    }

    /// How many processes the servers count, and whether this was one of them before.
    async fn counted(&self) -> Result<(NonZeroU32, bool), Failure> {
        let millis = self.interval.saturating_mul(BEATS).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX).min(LONGEST);
        let command = |mut command: redis::Cmd| {
            command.arg(1).arg(&self.key).arg(&self.id).arg(millis);
            command
        };
        let by_hash = command(self.script.by_hash());
        let servers = self.store.servers();
        let reply = servers.evaluate(&by_hash, || command(self.script.whole()));
        let (count, is_new): (u32, u32) = reply.await?;
        let count = NonZeroU32::new(count).ok_or(Failure::WrongReply)?;
        Ok((count, is_new == 0))
    }
}
