//! Tells the bus what nobody has told.

use std::{
    future::ready,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::select;
use tokio::time::{sleep, timeout};

use super::{
    Shared,
    outgoing::TOLD_WITHIN,
    state::{Following, Signals},
};
use crate::{
    bus::{InvalidationBus, Notice},
    feed::{Change, FeedId},
    observer::Event,
};

/// From one look at what is to be told to the next. Readings wake it when there is something.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Ends with the last handle to the cache.
pub(super) async fn repeatedly(shared: Weak<Shared>, signals: Arc<Signals>) {
    loop {
        {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            shared.tell_what_nobody_told().await;
        }
        let look = sleep(LOOK_EVERY);
        select(pin!(look), pin!(signals.tell.notified())).await;
    }
}

impl Shared {
    async fn tell_what_nobody_told(&self) {
        let Some(bus) = &self.bus else { return };
        while self.following.progress().outgoing.has_any() {
            // First: a watermark says how old it is when it is taken.
            let Some(feed) = self.feed_id().await else {
                return;
            };
            let now = self.clock.monotonic();
            let notices = self.following.progress().outgoing.take(now);
            let feed = ready(Some(feed));
            if notices.is_empty() || !self.tell(bus.as_ref(), feed, notices).await {
                return;
            }
        }
    }

    /// Tells these changes at once; gives whether that worked, within a quarter of a second. If not, they are
    /// told later.
    pub(in crate::cache) async fn tell_changes(
        &self,
        bus: &dyn InvalidationBus,
        changes: &[Change],
    ) -> bool {
        let notices = changes.iter().cloned().map(Notice::Change);
        self.tell(bus, self.feed_id(), notices.collect()).await
    }

    async fn tell(
        &self,
        bus: &dyn InvalidationBus,
        feed: impl Future<Output = Option<FeedId>>,
        notices: Vec<Notice>,
    ) -> bool {
        let untold = Untold {
            following: &self.following,
            notices,
        };
        let mut is_asked = false;
        let told = async {
            let feed = feed.await?;
            is_asked = true;
            bus.tell(feed, &untold.notices).await.ok()
        };
        let works = matches!(timeout(TOLD_WITHIN, told).await, Ok(Some(())));
        if is_asked {
            self.note_telling(works);
        }
        if works {
            let changes = untold.were_told();
            if changes > 0 {
                self.emit(&Event::BusTold { changes });
            }
        }
        works
    }
}

/// Keeps changes to be told later, unless they were told.
struct Untold<'a> {
    following: &'a Following,
    notices: Vec<Notice>,
}

impl Untold<'_> {
    /// Gives how many of them are changes.
    fn were_told(mut self) -> u64 {
        let told = std::mem::take(&mut self.notices);
        let is_change = |notice: &&Notice| matches!(notice, Notice::Change(_));
        told.iter().filter(is_change).count() as u64
    }
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        let mut progress = self.following.progress();
        for notice in &self.notices {
            // A watermark is worth nothing later.
            if let Notice::Change(change) = notice {
                progress.outgoing.keep(change);
            }
        }
    }
}
