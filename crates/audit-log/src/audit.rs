//! What a service records with: notes that wait for nothing, records and changes that are durable before anything is
//! shown or done.

mod at_once;
mod builder;
mod closing;
mod doubt;
mod dropped;
mod erasure;
mod generation;
mod ids;
mod intents;
mod left_behind;
mod opening;
mod own_events;
mod pending;
mod personal;
mod publisher;
mod queued;
mod retention;
mod rollback;
mod room;
mod sealing;
mod shared;
mod status;
mod trusted_time;
mod unrecorded;
mod writer;

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::timeout;

use self::{
    own_events::BEGUN,
    queued::Waits,
    shared::{Phase, Shared},
};
use crate::{
    event::{Delivery, EventBuilder, EventId, Id, Leaf, Personal, PersonalText},
    note::{KeyName, SignedNote},
    observer::DropReason,
    sealer::Sealer,
    search::{Page, Query},
    store::{Store, StoreError},
};

#[cfg(feature = "archive")]
pub(crate) use self::generation::number_of;
pub(crate) use self::generation::order_of;
pub use self::{
    builder::AuditBuilder,
    closing::CLOSE_WAIT,
    erasure::{EraseError, Erasure},
    generation::{AcceptedFor, AcceptedRollback, Generation, InvalidGeneration, LogTree},
    pending::{Ending, Pending},
    personal::PersonalError,
    retention::{ARCHIVE_CURSOR, Retained, Retention},
    rollback::AcceptError,
    status::Status,
    trusted_time::ClockAhead,
    unrecorded::{OpenError, RolledBack, UnknownKey, Unrecorded, Unverifiable},
};

/// The longest that somebody waits for an event to be durable.
pub const MUST_WAIT: Duration = Duration::from_secs(2);

/// A log that is open. Clones are the same log.
#[derive(Clone)]
pub struct Audit {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    sealer: Option<Arc<dyn Sealer>>,
}

/// An event that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Recorded {
    /// What it is known by.
    pub id: EventId,
    /// Its index in the tree.
    pub n: u64,
}

impl Audit {
    /// What opens the log in a store, whose checkpoints have that origin; `node` is the writer's name in every event.
    pub fn builder(store: Arc<dyn Store>, origin: KeyName, node: Id) -> AuditBuilder {
        AuditBuilder::new(store, origin, node)
    }

    /// Records something that nobody waits for. What there is no room for is dropped and counted, and the count is an
    /// event in the log once there is room.
    pub fn note(&self, event: EventBuilder, personal: Option<&PersonalText<'_>>) {
        let action = event.action();
        match self.shared.queued(event, Delivery::Best, personal) {
            Ok(queued) => self.shared.offer(queued),
            Err(_) => self.shared.drop_event(action, DropReason::Invalid),
        }
    }

    /// Records something that may be shown when this returns, and not before.
    ///
    /// # Errors
    /// [`Unrecorded`] after 2 s at the latest: nothing may be shown.
    pub async fn record(
        &self,
        event: EventBuilder,
        personal: Option<&PersonalText<'_>>,
    ) -> Result<Recorded, Unrecorded> {
        let queued = self.shared.queued(event, Delivery::Must, personal)?;
        self.shared.deliver(queued, Waits::Reader).await
    }

    /// Records that something is begun, which may be done when this returns, and not before. What came of it,
    /// [`Pending::finish`] records.
    ///
    /// # Errors
    /// [`Unrecorded`] after 2 s at the latest: nothing may be done.
    pub async fn begin(
        &self,
        event: EventBuilder,
        personal: Option<&PersonalText<'_>>,
    ) -> Result<Pending, Unrecorded> {
        let intent = event.clone().unknown(BEGUN);
        let intent = self.shared.queued(intent, Delivery::Must, personal)?;
        let begun = self.shared.deliver(intent, Waits::Beginner).await?;
        Ok(Pending::new(Arc::clone(&self.shared), begun, event))
    }

    /// A page of events. That somebody looked is for the caller to record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        self.store.search(query).await
    }

    /// The personal part of an event, opened; `None` if it has none, or none any more.
    ///
    /// # Errors
    /// [`PersonalError`].
    pub async fn personal(&self, n: u64) -> Result<Option<Personal>, PersonalError> {
        personal::opened(&*self.store, self.sealer.as_deref(), n).await
    }

    /// The same of a leaf that the caller has read, such as one who verifies the log.
    ///
    /// # Errors
    /// [`PersonalError`].
    pub async fn personal_of(&self, leaf: &Leaf<'_>) -> Result<Option<Personal>, PersonalError> {
        personal::of_leaf(&*self.store, self.sealer.as_deref(), leaf).await
    }

    /// The same of a leaf of another log under the same keys, as one that this one has followed or that of a process
    /// which has ended.
    ///
    /// # Errors
    /// [`PersonalError`].
    pub async fn personal_in(
        &self,
        store: &dyn Store,
        leaf: &Leaf<'_>,
    ) -> Result<Option<Personal>, PersonalError> {
        personal::of_leaf(store, self.sealer.as_deref(), leaf).await
    }

    /// The store, to follow the log, publish and verify it.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A published checkpoint that has everything that was recorded before this call, by whichever process. There is at
    /// most one a second.
    ///
    /// # Errors
    /// [`Unrecorded::TimedOut`] if it is not published within 2 s, and [`Unrecorded::Unavailable`] if nothing was ever
    /// recorded.
    pub async fn checkpoint(&self) -> Result<SignedNote, Unrecorded> {
        let mut published = self.shared.published.subscribe();
        let publishing = async {
            let known = self.shared.tree.borrow().size();
            // Others may have appended what this process has not seen yet.
            let size = self.store.size().await.unwrap_or(known).max(known);
            self.shared.wanted.notify_one();
            let is_there = |published: &Option<shared::Published>| {
                published.as_ref().is_some_and(|last| last.size >= size)
            };
            let published = published.wait_for(is_there).await;
            let published = published.map_err(|_| Unrecorded::Closed)?;
            let note = published.as_ref().map(|last| last.note.clone());
            note.ok_or(Unrecorded::Unavailable)
        };
        let late = |_| Unrecorded::TimedOut;
        timeout(MUST_WAIT, publishing).await.map_err(late)?
    }

    /// How the log does.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::of(&self.shared)
    }

    /// Lets nobody record any more. What was taken is written, then that the log is closed, and a last checkpoint is
    /// published; the future that [`AuditBuilder::open`] gave ends with it, or [`CLOSE_WAIT`] later, or what
    /// [`close_wait`](AuditBuilder::close_wait) says, whatever hangs.
    pub fn close(&self) {
        if self.shared.phase() == Phase::Open {
            self.shared.end(Phase::Closing);
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
