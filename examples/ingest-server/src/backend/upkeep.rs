//! What goes on beside requests while limits are shared.

use std::{fmt, future::pending, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    observer::BreakerState,
    store::{FallbackStore, RedisHeartbeat},
};
use portcullis_telemetry::BackgroundTask;

use super::{heartbeat, limit_stores::Stores};

/// What goes on beside requests while limits are shared: other processes are told that this one is there, and a
/// Redis that is not asked is tried.
pub(crate) struct Upkeep(BoxFuture<'static, ()>);

const WATCH_REDIS: BackgroundTask = BackgroundTask::new("watch_redis");

/// From one look at whether Redis is asked to the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Upkeep {
    pub(super) fn of(stores: &Stores, limiter: &RateLimiter) -> Self {
        let Stores::Shared(stores) = stores else {
            return Self(Box::pin(pending()));
        };
        let trying = try_again(limiter.clone(), Arc::clone(&stores.fallback));
        // Also where the number is fixed, which stays: others may count this process, and only what writes
        // finds out whether Redis can be written.
        let heartbeat = RedisHeartbeat::new(Arc::clone(&stores.redis), stores.nodes.clone());
        let missed = Arc::clone(&stores.missed_beats);
        let beating = heartbeat::beat(heartbeat, stores.database.clone(), missed);
        Self(Box::pin(async {
            tokio::join!(beating, trying);
        }))
    }

    /// Goes on until it is dropped.
    pub(crate) async fn run(self) {
        self.0.await;
    }
}

/// Finds out that Redis is well again also while nobody sends anything.
async fn try_again(limiter: RateLimiter, fallback: Arc<FallbackStore>) {
    // A peek, which takes nothing and counts nowhere.
    let peek = RateLimitRequest::new("_", &Tier::FREE, &Category::READ).with_cost(0);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if fallback.stats().state != BreakerState::Closed {
            // What comes of it is told by the breaker.
            drop(WATCH_REDIS.run(limiter.check(&peek)).await);
        }
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep").finish_non_exhaustive()
    }
}
