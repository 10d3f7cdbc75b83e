//! Applies changes that other processes made.

use std::{
    num::NonZeroU16,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::select;
use tokio::time::{sleep, timeout};

use super::{ApiKeyCache, Shared};
use crate::{
    feed::{ChangeFeed, FeedPage, FeedSeq, RETENTION},
    observer::{Event, FeedGap, StoreTask},
    store::StoreError,
};

/// From one reading of the feed to the next. Less than the 500 ms that are promised, which leaves
/// a busy runtime some room.
const READ_EVERY: Duration = Duration::from_millis(400);
/// A feed that tells of changes at once is read no more often than this, however many there are.
const READ_PAUSE: Duration = Duration::from_millis(10);
/// Changes read at once.
const PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");
/// From one writing of the dates of last use to the next.
const WRITE_USES_EVERY: Duration = Duration::from_secs(30);
/// The feed is trimmed at one of so many writings: every 10 minutes.
const WRITINGS_PER_TRIM: u32 = 20;

impl ApiKeyCache {
    /// Reads the change feed for as long as a handle to the cache exists: at least every 500 ms,
    /// so that a revocation by another process is applied within that and a round trip, or at once
    /// where the feed tells of it. It also loads records of keys in use again before their time is over,
    /// writes when keys were last used, and trims the feed to [`RETENTION`].
    ///
    /// The caller spawns the future; dropping it makes every validation ask the store from 3 s
    /// later. It needs a Tokio runtime with time enabled.
    pub fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        let reading = read_repeatedly(Arc::downgrade(&self.shared));
        let writing = write_repeatedly(Arc::downgrade(&self.shared));
        let refreshing = self.shared.refreshes.run(Arc::downgrade(&self.shared));
        // Side by side: a write that has to wait must not delay a reading.
        async move {
            select(pin!(select(pin!(reading), pin!(writing))), pin!(refreshing)).await;
        }
    }
}

/// Ends with the last handle to the cache.
async fn read_repeatedly(shared: Weak<Shared>) {
    let mut follower = Follower::default();
    loop {
        // From beginning to beginning, however long the reading takes.
        let due = sleep(READ_EVERY);
        let pause = sleep(READ_PAUSE);
        let feed = match shared.upgrade() {
            None => return,
            Some(shared) => {
                if let Some(feed) = &shared.feed {
                    follower.read(&shared, feed.as_ref()).await;
                }
                shared.feed.clone()
            }
        };
        match (feed, follower.applied) {
            (Some(feed), Some(applied)) => {
                let changed = async {
                    feed.changed(applied).await;
                    pause.await;
                };
                select(pin!(due), pin!(changed)).await;
            }
            _ => due.await,
        }
    }
}

/// Ends with the last handle to the cache.
async fn write_repeatedly(shared: Weak<Shared>) {
    let mut writings: u32 = 0;
    loop {
        sleep(WRITE_USES_EVERY).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        shared.write_uses().await;
        writings = writings.wrapping_add(1);
        if writings.is_multiple_of(WRITINGS_PER_TRIM) {
            shared.trim_feed().await;
        }
    }
}

impl Shared {
    async fn write_uses(&self) {
        let uses = self.last_used.take();
        if !uses.is_empty() {
            let written = self.store.update_last_used(&uses);
            self.within_timeout(StoreTask::UpdateLastUsed, written)
                .await;
        }
    }

    async fn trim_feed(&self) {
        if let Some(feed) = &self.feed {
            let trimmed = feed.trim(self.wall().saturating_sub(RETENTION));
            self.within_timeout(StoreTask::Trim, trimmed).await;
        }
    }

    /// The answer, or `None` and an event if there is none in time.
    pub(super) async fn within_timeout<T>(
        &self,
        task: StoreTask,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<T> {
        match timeout(self.store_timeout, answer).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(_)) | Err(_) => {
                self.emit(&Event::StoreFailed(task));
                None
            }
        }
    }
}

/// How far the feed has been read.
#[derive(Debug, Default)]
struct Follower {
    /// The last change that was applied, `None` before the first reading.
    applied: Option<FeedSeq>,
}

impl Follower {
    /// Applies all changes up to now.
    async fn read(&mut self, shared: &Shared, feed: &dyn ChangeFeed) {
        loop {
            let asked_at = shared.clock.monotonic();
            let Some(behind) = self.read_page(shared, feed).await else {
                return;
            };
            if behind == 0 {
                shared.confirm(asked_at);
                return;
            }
        }
    }

    /// Applies a page and gives how many changes are still behind it; `None` if the feed does not
    /// answer.
    async fn read_page(&mut self, shared: &Shared, feed: &dyn ChangeFeed) -> Option<u64> {
        let page = match self.applied {
            Some(applied) => {
                let page = feed.changes_after(applied, PAGE);
                shared.within_timeout(StoreTask::Follow, page).await?
            }
            None => FeedPage {
                head: shared
                    .within_timeout(StoreTask::Follow, feed.head())
                    .await?,
                changes: Vec::new(),
            },
        };
        let applied = self.apply(shared, &page);
        self.applied = Some(applied);
        let behind = page.head.value().saturating_sub(applied.value());
        let changes = page.changes.len() as u64;
        shared.emit(&Event::FeedRead { changes, behind });
        Some(behind)
    }

    /// Invalidates what a page says, and everything if there is something that it does not say.
    /// Gives the number up to which everything has been applied.
    fn apply(&self, shared: &Shared, page: &FeedPage) -> FeedSeq {
        let Some(before) = self.applied else {
            // What was loaded before the first reading may have changed since.
            shared.fenced.invalidate_all();
            return page.head;
        };
        let mut applied = before;
        if page.head < applied {
            shared.fenced.reset();
            shared.emit(&Event::FeedGap(FeedGap::Regressed));
            return page.head;
        }
        let mut gap = false;
        for change in &page.changes {
            gap |= change.seq != applied.next();
            applied = change.seq;
            shared.apply(&change.kind);
        }
        // A page that is not full ends with the head, or what follows was trimmed. One that leads
        // nowhere would be read again and again.
        let is_last = page.changes.len() < usize::from(PAGE.get()) || applied <= before;
        if is_last && applied < page.head {
            gap = true;
            applied = page.head;
        }
        if gap {
            shared.fenced.invalidate_all();
            shared.emit(&Event::FeedGap(FeedGap::Missing));
        }
        applied
    }
}
