//! Listens to what others tell.

use std::{
    future::pending,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::{Shared, progress::Heard, random_share::random_share};
use crate::{
    bus::{BusListener, InvalidationBus, Notice},
    clock::Clock,
    feed::FeedId,
    observer::{BusTask, Event, Origin},
};

/// From one attempt to listen to the next, at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// A bus that is silent for so long has failed: it gives nothing after half a second if there is nothing.
const SILENT_FOR: Duration = Duration::from_secs(5);

/// Ends with the last handle to the cache.
pub(super) async fn repeatedly(shared: Weak<Shared>) {
    let Some(bus) = shared.upgrade().and_then(|shared| shared.bus.clone()) else {
        // Nothing is heard; that is for others to end.
        return pending().await;
    };
    let mut retry = RETRY_FIRST;
    loop {
        if let Some(listening) = listen(bus.as_ref(), &shared).await {
            retry = RETRY_FIRST;
            if listening.hear_all(&shared).await == Ended::OtherFeed {
                continue;
            }
        }
        let Some(strong) = shared.upgrade() else {
            return;
        };
        strong.note_bus(BusTask::Listen, false);
        // What is told meanwhile is not heard.
        strong.following.read_soon();
        // Those who lost a bus together do not come back together.
        let pause = retry - random_share(retry / 2, strong.entropy.as_ref());
        drop(strong);
        sleep(pause).await;
        retry = (retry * 2).min(RETRY_LAST);
    }
}

/// A listener to one feed.
struct Listening {
    feed: FeedId,
    listener: Box<dyn BusListener>,
    clock: Arc<dyn Clock>,
    /// What is heard next was told after this moment.
    told_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The listener, or the last handle to the cache.
    Failed,
    OtherFeed,
}

/// Listens to the feed of a cache; no handle to it is held meanwhile.
async fn listen(bus: &dyn InvalidationBus, shared: &Weak<Shared>) -> Option<Listening> {
    let (feed, clock) = {
        let shared = shared.upgrade()?;
        (shared.feed_id().await?, Arc::clone(&shared.clock))
    };
    let told_after = clock.monotonic();
    let listener = timeout(SILENT_FOR, bus.listen(feed)).await.ok()?.ok()?;
    let shared = shared.upgrade()?;
    shared.note_bus(BusTask::Listen, true);
    // What was told before was not heard.
    shared.following.read_soon();
    Some(Listening {
        feed,
        listener,
        clock,
        told_after,
    })
}

impl Shared {
    fn apply_notices(&self, notices: &[Notice], told_after: Duration) {
        let mut changes = 0;
        for notice in notices {
            if let Notice::Change(change) = notice {
                self.apply(&change.kind);
            }
            let now = self.clock.monotonic();
            let mut progress = self.following.progress();
            let mut new = None;
            let heard = match notice {
                Notice::Change(change) => {
                    let is_following = progress.applied().is_some();
                    new = Some(change)
                        .filter(|change| is_following && !progress.has_applied(change.seq));
                    progress.heard(change)
                }
                Notice::Watermark(watermark) => {
                    progress.heard_watermark(*watermark, told_after, now)
                }
            };
            if let Heard::Confirmed(until) = heard {
                self.confirm(until, now);
            }
            drop(progress);
            if let Some(change) = new {
                self.emit_applied(Origin::Bus, &change.kind);
            }
            match heard {
                Heard::Known | Heard::Confirmed(_) => {}
                Heard::Applied => changes += 1,
                Heard::Gap => {
                    self.emit(&Event::BusGap);
                    self.following.read_soon();
                }
            }
        }
        if changes > 0 {
            self.emit(&Event::BusHeard { changes });
        }
        if self.following.progress().is_awaited() {
            self.following.signals().note.notify_one();
        }
    }
}

impl Listening {
    /// Applies what is told until there is nobody to hear it for.
    async fn hear_all(mut self, shared: &Weak<Shared>) -> Ended {
        loop {
            let called_at = self.clock.monotonic();
            let notices = timeout(SILENT_FOR, self.listener.next()).await;
            let (Some(shared), Ok(Ok(notices))) = (shared.upgrade(), notices) else {
                return Ended::Failed;
            };
            if shared.following.known_feed_id() != Some(self.feed) {
                return Ended::OtherFeed;
            }
            // Of what this call gave it is known only that it was told after the call before it began.
            shared.apply_notices(&notices, self.told_after);
            self.told_after = called_at;
        }
    }
}
