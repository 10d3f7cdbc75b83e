//! Notes in the feed that this cache reads it, and how far it is: those who revoke wait for it.

use std::{
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::select;
use tokio::time::sleep;

use super::{Shared, state::Signals};
use crate::{
    entropy::Entropy,
    feed::{ChangeFeed, Reader, ReaderId},
    observer::StoreTask,
};

/// From one look at whether a note is due to the next; one that failed is tried again then.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// Notes follow each other no faster than this, however many changes somebody waits for.
const PAUSE: Duration = Duration::from_millis(10);

/// Ends with the last handle to the cache.
pub(super) async fn repeatedly(shared: Weak<Shared>, signals: Arc<Signals>) {
    loop {
        let look = sleep(LOOK_EVERY);
        let pause = sleep(PAUSE);
        {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            if let Some(feed) = shared.feed()
                && shared.is_note_due()
            {
                shared.note_reader(feed).await;
            }
        }
        let woken = async {
            signals.note.notified().await;
            pause.await;
        };
        select(pin!(look), pin!(woken)).await;
    }
}

impl Shared {
    /// Whether a note is to be renewed; one that is not good any more is written with a reading, if it can be.
    fn is_note_due(&self) -> bool {
        let now = self.clock.monotonic();
        let progress = self.following.progress();
        let registration = &progress.registration;
        let is_worth_it = registration.is_old(now) || progress.is_awaited();
        if registration.is_over(now) {
            return self.following.noting_is_slow();
        }
        registration.noted().is_some() && is_worth_it
    }

    /// Whether no proof counts before a note is written.
    pub(super) fn has_to_be_noted(&self) -> bool {
        let progress = self.following.progress();
        progress.applied().is_some() && progress.registration.is_over(self.clock.monotonic())
    }

    /// Notes how far everything has been applied. For a cache that trusts no memory nobody has to wait.
    pub(super) async fn note_reader(&self, feed: &dyn ChangeFeed) {
        if !self.has_cache() {
            return;
        }
        let began = self.clock.monotonic();
        let begun = {
            let mut progress = self.following.progress();
            progress.begin_note(|| make_reader_id(self.entropy.as_ref()))
        };
        let Some((id, applied)) = begun else {
            return;
        };
        let at = self.wall();
        let reader = Reader { id, applied, at };
        let noted = feed.note_reader(&reader);
        let noted = self.within_timeout(StoreTask::NoteReader, noted).await;
        self.following.set_noting_is_slow(noted.is_none());
        if noted.is_none() {
            return;
        }
        let ended = self.clock.monotonic();
        let former = {
            let registration = &mut self.following.progress().registration;
            registration.was_noted(id, began, ended, applied);
            registration.take_former()
        };
        // If it is not forgotten, those who revoke wait for it in vain, for two minutes at most.
        if let Some(former) = former {
            let forgotten = feed.forget_reader(&former);
            self.within_timeout(StoreTask::ForgetReader, forgotten)
                .await;
        }
    }

    /// Uses the memory no more, and then lets nobody wait for this cache.
    pub(super) async fn leave(&self) {
        {
            let mut progress = self.following.progress();
            progress.registration.leave();
            self.unconfirm();
        }
        if let (Some(feed), Some(id)) = (self.feed(), self.following.reader_id()) {
            let forgotten = feed.forget_reader(&id);
            self.within_timeout(StoreTask::ForgetReader, forgotten)
                .await;
        }
    }
}

fn make_reader_id(entropy: &dyn Entropy) -> Option<ReaderId> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes).ok()?;
    Some(ReaderId::new(bytes))
}
