//! Reads the feed: what it tells is what happened, whatever else was heard.

use std::{
    num::NonZeroU16,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::select;
use tokio::time::sleep;

use super::{
    Shared,
    progress::{Drops, FeedReading, PAGE, Read},
    random_share::random_share,
    state::Signals,
};
use crate::{
    feed::{Change, ChangeFeed, FeedPage},
    observer::{Event, FeedGap, Origin, StoreTask},
};

/// From one reading of the feed to the next, at most. Less than the 500 ms that are promised, which leaves
/// a busy runtime some room.
const READ_EVERY: Duration = Duration::from_millis(400);
/// Up to so much earlier, at random: of caches that were started together each would tell what all have read.
const READ_EARLIER: Duration = Duration::from_millis(40);
/// A feed that is to be read at once is read no more often than this, however many changes there are.
const READ_PAUSE: Duration = Duration::from_millis(10);
const LIMIT: NonZeroU16 = NonZeroU16::new(PAGE).expect("not zero");

/// Ends with the last handle to the cache.
pub(super) async fn repeatedly(shared: Weak<Shared>, signals: Arc<Signals>) {
    loop {
        let pause = sleep(READ_PAUSE);
        let (due, feed, applied) = match shared.upgrade() {
            None => return,
            Some(shared) => {
                let earlier = random_share(READ_EARLIER, shared.entropy.as_ref());
                // From beginning to beginning, however long the reading takes.
                let due = sleep(READ_EVERY - earlier);
                if let Some(feed) = shared.feed() {
                    shared.read_feed(feed).await;
                }
                let applied = shared.following.progress().applied();
                (due, shared.feed.clone(), applied)
            }
        };
        let woken = async {
            let asked = signals.read.notified();
            match (feed, applied) {
                (Some(feed), Some(applied)) => {
                    select(feed.changed(applied), pin!(asked)).await;
                }
                _ => asked.await,
            }
            pause.await;
        };
        select(pin!(due), pin!(woken)).await;
    }
}

impl Shared {
    /// Applies all changes up to now.
    async fn read_feed(&self, feed: &dyn ChangeFeed) {
        if self.following.progress().applied().is_none() {
            self.read_page(feed).await;
        }
        let is_over = |shared: &Self| {
            let progress = shared.following.progress();
            progress.applied().is_some() && progress.registration.is_over(shared.clock.monotonic())
        };
        // Before the reading: only what is asked after it counts.
        if is_over(self) {
            self.note_reader(feed).await;
        }
        while self.read_page(feed).await.is_some_and(|behind| behind > 0) {}
    }

    /// Applies a page and gives how many changes are still behind it; `None` if the feed does not
    /// answer.
    async fn read_page(&self, feed: &dyn ChangeFeed) -> Option<u64> {
        let reading = {
            let progress = self.following.progress();
            progress.begin_reading(self.clock.monotonic())
        };
        let page = async {
            match reading.after {
                Some(after) => feed.changes_after(after, LIMIT).await,
                None => feed.head().await.map(|head| FeedPage {
                    head,
                    changes: Vec::new(),
                }),
            }
        };
        let Some(page) = self.within_timeout(StoreTask::Follow, page).await else {
            if self.following.progress().reading_failed() {
                self.fenced.invalidate_all();
                self.emit(&Event::FeedGap(FeedGap::Unread));
            }
            return None;
        };
        let read = self.apply_page(&reading, &page);
        let changes = page.changes.len() as u64;
        let behind = read.behind;
        self.emit(&Event::FeedRead { changes, behind });
        Some(behind)
    }

    /// Invalidates what a page says, and everything if there is something that it does not say.
    fn apply_page(&self, reading: &FeedReading, page: &FeedPage) -> Read {
        for change in &page.changes {
            self.apply(&change.kind);
        }
        let now = self.clock.monotonic();
        let mut progress = self.following.progress();
        let is_new = |change: &&Change| !progress.has_applied(change.seq);
        let new: Vec<_> = page.changes.iter().filter(is_new).collect();
        let read = progress.read(reading, page, now);
        match read.drops {
            Drops::Nothing => {}
            Drops::Unread | Drops::Missing => self.fenced.invalidate_all(),
            Drops::Regressed => {
                self.fenced.reset();
                self.unconfirm();
            }
        }
        let is_awaited = progress.is_awaited();
        let confirmed = read.confirmed_until;
        if let Some(until) = confirmed {
            self.confirm(until, now);
        }
        drop(progress);
        for change in new {
            self.emit_applied(Origin::Feed, &change.kind);
        }
        match read.drops {
            Drops::Nothing | Drops::Unread => {}
            Drops::Missing => self.emit(&Event::FeedGap(FeedGap::Missing)),
            Drops::Regressed => {
                self.emit(&Event::FeedGap(FeedGap::Regressed));
                self.following.forget_feed_id();
                // To be noted in the feed as it is now.
                self.following.read_soon();
            }
        }
        let signals = self.following.signals();
        signals.tell.notify_one();
        if is_awaited {
            signals.note.notify_one();
        }
        read
    }
}
