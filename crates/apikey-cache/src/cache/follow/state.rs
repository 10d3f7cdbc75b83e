//! What the loops of a follower, and changes that this process makes, have in common.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};

use super::{Shared, outgoing::Outgoing, progress::Progress};
use crate::{
    cache::nanoseconds,
    feed::{Change, ChangeFeed, FeedId, ReaderId},
    observer::{BusTask, Event, StoreTask},
    store::StoreError,
};

/// How far this cache is, and who it is to the others.
#[derive(Debug)]
pub(in crate::cache) struct Following {
    progress: Mutex<Progress>,
    signals: Arc<Signals>,
    /// Asked for when it is first needed.
    feed_id: Mutex<Option<FeedId>>,
    /// Notes are written beside the readings.
    noting_is_slow: AtomicBool,
    hears: AtomicBool,
    listening_fails: AtomicBool,
    telling_fails: AtomicBool,
}

/// Whether a failure is the first since all went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    Begins,
    GoesOn,
}

/// Wake the loops of a follower before they are due.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) read: Notify,
    pub(super) tell: Notify,
    pub(super) note: Notify,
}

impl Following {
    pub(in crate::cache) fn new(has_bus: bool) -> Self {
        Self {
            progress: Mutex::new(Progress::new(Outgoing::new(has_bus))),
            signals: Arc::default(),
            feed_id: Mutex::default(),
            noting_is_slow: AtomicBool::new(false),
            hears: AtomicBool::new(false),
            listening_fails: AtomicBool::new(false),
            telling_fails: AtomicBool::new(false),
        }
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }

    /// This process has made this change, and applied it.
    pub(in crate::cache) fn made(&self, change: &Change) {
        self.progress().heard(change);
    }

    /// Whether the last note failed, or took longer than a reading can wait.
    pub(super) fn noting_is_slow(&self) -> bool {
        self.noting_is_slow.load(Ordering::Relaxed)
    }

    pub(super) fn set_noting_is_slow(&self, is_slow: bool) {
        self.noting_is_slow.store(is_slow, Ordering::Relaxed);
    }

    /// Has the feed read soon, whatever the time.
    pub(in crate::cache) fn read_soon(&self) {
        self.signals.read.notify_one();
    }

    /// Who this cache is in the feed, if it was ever to be noted there.
    pub(in crate::cache) fn reader_id(&self) -> Option<ReaderId> {
        self.progress().registration.reader()
    }

    /// The feed may be another one by now.
    pub(super) fn forget_feed_id(&self) {
        *self.lock_feed_id() = None;
    }

    pub(super) fn known_feed_id(&self) -> Option<FeedId> {
        *self.lock_feed_id()
    }

    fn lock_feed_id(&self) -> MutexGuard<'_, Option<FeedId>> {
        self.feed_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether notices are heard, and those that are told get through.
    pub(in crate::cache) fn bus_works(&self) -> bool {
        self.hears.load(Ordering::Relaxed) && !self.telling_fails.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// The memory may be used up to this time.
    pub(super) fn confirm(&self, until: Duration, now: Duration) {
        if !self.has_cache() {
            return;
        }
        let until = nanoseconds(until);
        let before = self.confirmed_until.fetch_max(until, Ordering::SeqCst);
        self.confirmed.notify_waiters();
        if before < until {
            let margin = Duration::from_nanos(before).saturating_sub(now);
            self.emit(&Event::Confirmed { margin });
        }
    }

    /// The memory is not to be used before it is confirmed again.
    pub(super) fn unconfirm(&self) {
        self.confirmed_until.store(0, Ordering::SeqCst);
    }

    /// Which feed this is; `None` if there is none, or it does not answer.
    pub(super) async fn feed_id(&self) -> Option<FeedId> {
        if let Some(id) = self.following.known_feed_id() {
            return Some(id);
        }
        let id = self.feed.as_ref()?.id();
        let id = self.within_timeout(StoreTask::Identify, id).await?;
        *self.following.lock_feed_id() = Some(id);
        Some(id)
    }

    /// The bus did or did not tell what it was asked to; an outage is told of once.
    pub(super) fn note_telling(&self, works: bool) {
        let failed_before = self.following.telling_fails.swap(!works, Ordering::Relaxed);
        if !works && !failed_before {
            self.emit(&Event::BusFailed(BusTask::Tell));
        }
    }

    /// The listener answered; `for_long` ends an outage.
    pub(super) fn hears(&self, for_long: bool) {
        self.following.hears.store(true, Ordering::Relaxed);
        if for_long {
            let fails = &self.following.listening_fails;
            fails.store(false, Ordering::Relaxed);
        }
    }

    /// Nothing is heard; an outage is told of once.
    pub(super) fn does_not_hear(&self) -> Outage {
        self.following.hears.store(false, Ordering::Relaxed);
        if self.following.listening_fails.swap(true, Ordering::Relaxed) {
            return Outage::GoesOn;
        }
        self.emit(&Event::BusFailed(BusTask::Listen));
        Outage::Begins
    }

    /// The answer, or `None` and an event if there is none in time.
    pub(in crate::cache) async fn within_timeout<T>(
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

    pub(super) fn feed(&self) -> Option<&dyn ChangeFeed> {
        self.feed.as_deref()
    }
}
