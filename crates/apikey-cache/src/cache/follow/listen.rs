//! Listens to what others tell.

use std::{
    future::pending,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::{Shared, progress::Heard, random_share::random_share, state::Outage};
use crate::{
    bus::{BusListener, InvalidationBus, Notice},
    clock::Clock,
    feed::{Change, ChangeKind, FeedId},
    observer::{Event, Origin},
};

/// From one attempt to listen to the next, at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(5);
/// Listening that has gone well for so long ends an outage. What fails sooner is tried less and less often: what
/// cannot be read on the bus is still there for who listens again at once.
const WENT_WELL: Duration = Duration::from_secs(2);
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
            match listening.hear_all(&shared).await {
                Ended::OtherFeed => continue,
                Ended::Failed => {}
                Ended::FailedAfterAll => retry = RETRY_FIRST,
            }
        }
        let Some(strong) = shared.upgrade() else {
            return;
        };
        if strong.does_not_hear() == Outage::Begins {
            // What is told meanwhile is not heard.
            strong.following.read_soon();
        }
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
    began_at: Duration,
    /// What is heard next was told after this moment.
    told_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The listener, soon, or the last handle to the cache.
    Failed,
    /// The listener, which had gone well for long.
    FailedAfterAll,
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
    // What was told before was not heard.
    shared.upgrade()?.following.read_soon();
    Some(Listening {
        feed,
        listener,
        clock,
        began_at: told_after,
        told_after,
    })
}

impl Shared {
    fn apply_notices(&self, notices: &[Notice], told_after: Duration) {
        let mut changes = 0;
        for notice in notices {
            if let Notice::Change(change) = notice
                && self.is_to_be_applied(change)
            {
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

    /// A record has its version, by which it is known again. An invalidation has none: who repeats one, be it
    /// that several caches tell it, or that somebody copies what was told, would empty the memory each time.
    pub(super) fn is_to_be_applied(&self, change: &Change) -> bool {
        match change.kind {
            ChangeKind::Record { .. } => true,
            // The first reading drops all that there was before.
            ChangeKind::Invalidation(_) => {
                let progress = self.following.progress();
                progress.applied().is_some() && !progress.has_applied(change.seq)
            }
        }
    }
}

impl Listening {
    /// Applies what is told until there is nobody to hear it for.
    async fn hear_all(mut self, shared: &Weak<Shared>) -> Ended {
        let mut went_well = false;
        loop {
            let called_at = self.clock.monotonic();
            let notices = timeout(SILENT_FOR, self.listener.next()).await;
            let (Some(shared), Ok(Ok(notices))) = (shared.upgrade(), notices) else {
                return if went_well {
                    Ended::FailedAfterAll
                } else {
                    Ended::Failed
                };
            };
            went_well = self.clock.monotonic() >= self.began_at + WENT_WELL;
            shared.hears(went_well);
            if shared.following.known_feed_id() != Some(self.feed) {
                return Ended::OtherFeed;
            }
            // Of what this call gave it is known only that it was told after the call before it began.
            shared.apply_notices(&notices, self.told_after);
            self.told_after = called_at;
        }
    }
}
