//! What those who record and the writer have in common.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot, watch},
    time::timeout,
};

use super::{
    MUST_WAIT, Recorded, Unrecorded,
    dropped::Dropped,
    ids::Ids,
    own_events::Closing,
    queued::{Queued, Reply, Waits},
    room::Room,
    trusted_time::TrustedTime,
};
use crate::{
    clock::{Clock, timestamp},
    event::{
        Commitment, Delivery, Event, EventBuilder, EventId, Id, Personal, PersonalText, Stamp,
    },
    note::SignedNote,
    observer::{self, DropReason, Observer},
    tree::RightEdge,
};

/// The most events that wait, and the most bytes of each kind: 16 MiB together.
const MUST_EVENTS: usize = 4_096;
const BEST_EVENTS: usize = 8_192;
const ROOM_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) must: Room<Queued>,
    pub(super) best: Room<Queued>,
    /// There is something for the writer to do.
    pub(super) wake: Notify,
    pub(super) dropped: Dropped,
    abandoned: Mutex<Vec<EventId>>,
    left_behind: Mutex<Vec<Closing>>,
    pub(super) ids: Ids,
    pub(super) node: Id,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) time: TrustedTime,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) phase: watch::Sender<Phase>,
    /// Whether a log that is being closed has no time left.
    pub(super) late: watch::Sender<bool>,
    /// Whether the last group was not written, or somebody has waited in vain since.
    pub(super) is_failing: AtomicBool,
    pub(super) tree: watch::Sender<RightEdge>,
    pub(super) published: watch::Sender<Option<Published>>,
    /// Somebody waits for a checkpoint.
    pub(super) wanted: Notify,
}

/// A checkpoint that is published, and the size of its tree.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) size: u64,
    pub(super) note: SignedNote,
}

/// How far the life of a log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Closing,
    RolledBack,
}

impl Shared {
    pub(super) fn new(
        ids: Ids,
        node: Id,
        clock: Arc<dyn Clock>,
        time: TrustedTime,
        observer: Arc<dyn Observer>,
        tree: RightEdge,
        published: Option<Published>,
    ) -> Self {
        Self {
            must: Room::new(MUST_EVENTS, ROOM_BYTES),
            best: Room::new(BEST_EVENTS, ROOM_BYTES),
            wake: Notify::new(),
            dropped: Dropped::default(),
            abandoned: Mutex::default(),
            left_behind: Mutex::default(),
            ids,
            node,
            clock,
            time,
            observer,
            phase: watch::Sender::new(Phase::Open),
            late: watch::Sender::new(false),
            is_failing: false.into(),
            tree: watch::Sender::new(tree),
            published: watch::Sender::new(published),
            wanted: Notify::new(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Lets nobody record any more.
    pub(super) fn end(&self, phase: Phase) {
        self.phase.send_replace(phase);
        self.must.close();
        self.best.close();
        self.wake.notify_one();
        self.wanted.notify_one();
    }

    /// The log has that tree, by whichever process. It is never a smaller one than before.
    pub(super) fn has_grown(&self, to: &RightEdge) {
        self.tree.send_if_modified(|tree| {
            let is_larger = to.size() > tree.size();
            if is_larger {
                tree.clone_from(to);
            }
            is_larger
        });
    }

    pub(super) fn tell(&self, event: observer::Event<'_>) {
        self.observer.observe(&event);
    }

    /// The event as it is recorded now.
    pub(super) fn stamped(
        &self,
        draft: EventBuilder,
        delivery: Delivery,
    ) -> Result<Event, Unrecorded> {
        let time = timestamp(&*self.clock);
        let id = self.ids.event_id(time)?;
        Ok(draft.build(Stamp::new(id, time, delivery, self.node.clone()))?)
    }

    /// The event as it is recorded now, and what lies beside it, as they will wait: they are moved as little as can be.
    /// The commitment to what lies beside is for the writer to make.
    pub(super) fn queued(
        &self,
        draft: EventBuilder,
        delivery: Delivery,
        personal: Option<&PersonalText<'_>>,
    ) -> Result<Queued, Unrecorded> {
        let Some(text) = personal else {
            return Ok(Queued::new(self.stamped(draft, delivery)?, None));
        };
        let personal = Personal::new(self.ids.salt()?, text)?;
        let draft = draft.personal(Commitment::UNKNOWN);
        let event = self.stamped(draft, delivery)?;
        Ok(Queued::new(event, Some(personal)))
    }

    /// Hands an event to the writer, and waits until it is durable.
    pub(super) async fn deliver(
        &self,
        mut queued: Queued,
        waits: impl FnOnce(Reply) -> Waits,
    ) -> Result<Recorded, Unrecorded> {
        let began = self.clock.monotonic();
        let answer = timeout(MUST_WAIT, async {
            let ticket = self.must.enter(queued.bytes()).await;
            queued.ticket = Some(ticket.ok_or_else(|| self.refusal())?);
            let (reply, answer) = oneshot::channel();
            queued.waits = waits(reply);
            self.must.push(queued);
            self.wake.notify_one();
            answer.await.unwrap_or_else(|_| Err(self.refusal()))
        });
        let answer = answer.await.unwrap_or_else(|_| {
            // A store that hangs fails as well, until it has written a group.
            self.is_failing.store(true, Relaxed);
            Err(Unrecorded::TimedOut)
        });
        self.tell(observer::Event::Answered {
            took: self.since(began),
            recorded: answer.is_ok(),
        });
        answer
    }

    /// Hands an event to the writer if there is room, and waits for nothing.
    pub(super) fn offer(&self, mut queued: Queued) {
        queued.ticket = self.best.try_enter(queued.bytes());
        if queued.ticket.is_none() {
            let why = match self.phase() {
                Phase::Open => DropReason::Full,
                Phase::Closing | Phase::RolledBack => DropReason::Closed,
            };
            return self.drop_event(queued.event.action(), why);
        }
        self.best.push(queued);
        self.wake.notify_one();
    }

    pub(super) fn drop_event(&self, action: crate::event::Action, why: DropReason) {
        self.dropped.add(action, 1);
        self.tell(observer::Event::Dropped { action, why });
    }

    pub(super) fn abandon(&self, intent: EventId) {
        self.abandoned().push(intent);
        self.wake.notify_one();
    }

    pub(super) fn take_abandoned(&self) -> Vec<EventId> {
        std::mem::take(&mut self.abandoned())
    }

    /// What others have left begun is to be ended.
    pub(super) fn leave_behind(&self, closings: Vec<Closing>) {
        if !closings.is_empty() {
            self.left_behind().extend(closings);
            self.wake.notify_one();
        }
    }

    pub(super) fn take_left_behind(&self) -> Vec<Closing> {
        std::mem::take(&mut self.left_behind())
    }

    pub(super) fn since(&self, began: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(began)
    }

    pub(super) fn refusal(&self) -> Unrecorded {
        match self.phase() {
            Phase::RolledBack => Unrecorded::RolledBack,
            Phase::Open | Phase::Closing => Unrecorded::Closed,
        }
    }

    fn abandoned(&self) -> MutexGuard<'_, Vec<EventId>> {
        locked(&self.abandoned)
    }

    fn left_behind(&self) -> MutexGuard<'_, Vec<Closing>> {
        locked(&self.left_behind)
    }
}

fn locked<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}
