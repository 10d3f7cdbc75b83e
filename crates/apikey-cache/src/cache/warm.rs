//! Loads what was in use lately before the first requests come.

use std::{
    num::NonZeroU16,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use super::{ApiKeyCache, Shared, entry::Loaded};
use crate::{
    kid::Kid,
    observer::{Event, StoreTask},
};

/// Keys used longer ago are not warmed.
const USED_WITHIN: Duration = Duration::from_secs(600);
/// Loads at once. Half of what the store is asked by default: who comes meanwhile need not wait.
const AT_ONCE: usize = 16;
/// How long warming takes at most, waiting for the feed included: it delays a service that starts, and must
/// not keep it from starting.
const LONGEST: Duration = Duration::from_secs(10);

impl ApiKeyCache {
    /// Loads the records of those keys that were used within the last ten minutes, by any process on the store;
    /// of more than `limit` those that were used last. For a process that starts, before it says that it is
    /// ready.
    ///
    /// First it waits until the feed was read: spawn [`follow`](Self::follow) before. What is revoked from then
    /// on is not brought back. It ends within 10 s, whatever the store does; what it could not do costs a miss.
    pub async fn warm(&self, limit: NonZeroU16) -> Warmed {
        self.shared.warm(limit).await
    }
}

/// What [`ApiKeyCache::warm`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warmed {
    /// Records that are in memory now.
    pub loaded: u64,
    /// Those that could not be loaded, or not in time.
    pub failed: u64,
    /// How far it came.
    pub end: WarmingEnd,
}

/// How far warming came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarmingEnd {
    /// Each record was asked for.
    Complete,
    /// There was nothing to do: without a feed, or with the cache off, nothing is answered from memory.
    NoCache,
    /// The feed was not read within 10 s: nobody follows it, or the store is down.
    FeedNotRead,
    /// The store did not tell which keys were used lately.
    StoreFailed,
    /// 10 s were over before all records were loaded.
    TimeUp,
}

impl Shared {
    async fn warm(self: &Arc<Self>, limit: NonZeroU16) -> Warmed {
        if self.feed.is_none() || !self.has_cache() {
            return Warmed::nothing(WarmingEnd::NoCache);
        }
        let progress = Progress::default();
        let end = timeout(LONGEST, self.warm_slowly(limit, &progress)).await;
        let warmed = progress.warmed(end.ok());
        let Warmed { loaded, failed, .. } = warmed;
        self.emit(&Event::Warmed { loaded, failed });
        warmed
    }

    async fn warm_slowly(self: &Arc<Self>, limit: NonZeroU16, progress: &Progress) -> WarmingEnd {
        self.until_confirmed().await;
        let since = self.wall().saturating_sub(USED_WITHIN);
        let used = self.store.recently_used(since, limit);
        let Some(kids) = self.within_timeout(StoreTask::RecentlyUsed, used).await else {
            progress.began(0);
            return WarmingEnd::StoreFailed;
        };
        progress.began(kids.len());
        let loads = stream::iter(kids);
        loads
            .for_each_concurrent(AT_ONCE, |kid| self.warm_one(kid, progress))
            .await;
        WarmingEnd::Complete
    }

    /// By the same way as a miss, so that nothing is kept that the fence refuses.
    async fn warm_one(self: &Arc<Self>, kid: Kid, progress: &Progress) {
        match self.load_again(&kid).await {
            Ok(Loaded::Key(_)) => progress.loaded.fetch_add(1, Ordering::Relaxed),
            Ok(Loaded::Negative(_)) => progress.refused.fetch_add(1, Ordering::Relaxed),
            Err(_) => 0,
        };
    }

    /// Ends when memory may be used: what was kept before the first reading of the feed is dropped by it.
    async fn until_confirmed(&self) {
        loop {
            let mut confirmed = pin!(self.confirmed.notified());
            // Before the look at it: what is confirmed between the two is not missed.
            confirmed.as_mut().enable();
            if self.is_confirmed(self.clock.monotonic()) {
                return;
            }
            confirmed.await;
        }
    }
}

/// What has been done so far, of warming that may be cut short.
#[derive(Debug, Default)]
struct Progress {
    /// One more than the records to load; zero before they are known.
    begun: AtomicU64,
    loaded: AtomicU64,
    refused: AtomicU64,
}

impl Progress {
    fn began(&self, records: usize) {
        self.begun.store(records as u64 + 1, Ordering::Relaxed);
    }

    fn warmed(&self, end: Option<WarmingEnd>) -> Warmed {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let Some(records) = read(&self.begun).checked_sub(1) else {
            return Warmed::nothing(WarmingEnd::FeedNotRead);
        };
        let loaded = read(&self.loaded);
        Warmed {
            loaded,
            failed: records - loaded - read(&self.refused),
            end: end.unwrap_or(WarmingEnd::TimeUp),
        }
    }
}

impl Warmed {
    fn nothing(end: WarmingEnd) -> Self {
        Self {
            loaded: 0,
            failed: 0,
            end,
        }
    }
}
