//! Reads the feed: what it tells is what happened, whatever else was heard.

use std::{
    num::NonZeroU16,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::{join, select};
use tokio::time::{sleep, timeout};

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
/// A note is waited for so long before the next reading; one that takes longer is written beside the readings.
const NOTED_WITHIN: Duration = Duration::from_millis(200);
const LIMIT: NonZeroU16 = NonZeroU16::new(PAGE).expect("not zero");

/// Ends with the last handle to the cache.
pub(super) async fn repeatedly(shared: Weak<Shared>, signals: Arc<Signals>) {
    loop {
        let pause = sleep(READ_PAUSE);
        let (due, feed, after) = match shared.upgrade() {
            None => return,
            Some(shared) => {
                let earlier = random_share(READ_EARLIER, shared.entropy.as_ref());
                // From beginning to beginning, however long the reading takes.
                let due = sleep(READ_EVERY - earlier);
                let was_read = match shared.feed() {
                    Some(feed) => shared.read_feed(feed).await,
                    None => false,
                };
                // A feed that tells of changes and cannot be read would be asked for them all the time.
                let after = shared.following.progress().applied();
                let after = after.filter(|_| was_read);
                (due, shared.feed.clone(), after)
            }
        };
        let woken = async {
            let asked = signals.read.notified();
            match (feed, after) {
                (Some(feed), Some(after)) => {
                    select(feed.changed(after), pin!(asked)).await;
                }
                _ => asked.await,
            }
            pause.await;
        };
        select(pin!(due), pin!(woken)).await;
    }
}

impl Shared {
    /// Applies all changes up to now; gives whether the feed answered.
    async fn read_feed(&self, feed: &dyn ChangeFeed) -> bool {
        if self.following.progress().applied().is_none() && self.read_page(feed).await.is_none() {
            return false;
        }
        if !self.has_to_be_noted() || self.following.noting_is_slow() {
            return self.read_pages(feed).await;
        }
        // Begun first: only what is asked after it was written counts.
        let noted = timeout(NOTED_WITHIN, self.note_reader(feed));
        let (noted, was_read) = join(noted, self.read_pages(feed)).await;
        if noted.is_err() {
            self.following.set_noting_is_slow(true);
            self.following.signals().note.notify_one();
        }
        let is_confirmed = self.is_confirmed(self.clock.monotonic());
        if !was_read || is_confirmed || self.has_to_be_noted() {
            return was_read;
        }
        self.read_pages(feed).await
    }

    /// Applies page after page; gives whether all could be read.
    async fn read_pages(&self, feed: &dyn ChangeFeed) -> bool {
        loop {
            match self.read_page(feed).await {
                None => return false,
                Some(0) => return true,
                Some(_) => {}
            }
        }
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
            if self.is_to_be_applied(change) {
                self.apply(&change.kind);
            }
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
