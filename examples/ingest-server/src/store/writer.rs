//! Group commit: what has queued is written in one transaction, and then acknowledged.

mod group_loop;
mod request;

use std::{
    fmt::Debug,
    future::Future,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use portcullis_keyring::TenantId;
use portcullis_telemetry::SpanLink;
use tokio::sync::{mpsc, oneshot};

use self::{group_loop::GroupLoop, request::WriteRequest};
use super::{
    Receipt, Store, StoreError, Write,
    queue_room::{QueueRoom, QueueSlots},
};
use crate::{clock::Clock, shares::Exceeded};

/// Bounds of the writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WriterLimits {
    /// Rows that may wait; beyond it, requests are refused.
    pub(crate) queued_rows: NonZeroUsize,
    /// Bytes that may wait, as they were sent, and some for each row.
    pub(crate) queued_bytes: NonZeroUsize,
    /// Rows that one transaction writes.
    pub(crate) group_rows: NonZeroUsize,
}

impl Default for WriterLimits {
    fn default() -> Self {
        let some = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            queued_rows: some(8_192),
            queued_bytes: some(16 << 20),
            group_rows: some(2_048),
        }
    }
}

/// Is told what the writer does.
pub(crate) trait WriteObserver: Debug + Send + Sync {
    /// Called where groups are written, between two of them: it must not wait.
    fn observe(&self, event: &WriteEvent);
}

/// What the writer did. Rows are those of events and leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteEvent {
    /// One transaction made this many rows durable.
    Committed { rows: usize, took: Duration },
    /// So many rows were refused: they had waited too long to be written in time.
    Late { rows: usize },
    /// A commit took so long that rows became durable later than anything may that was sealed.
    CommittedLate { rows: usize },
    /// One transaction failed, and nothing of its group was written.
    Failed { rows: usize },
    /// The first transaction succeeded after so many that failed in a row.
    Recovered { failures: u32 },
}

/// The queue in front of the database. Cloning is cheap; writing ends when the last clone is gone
/// and everything queued is written.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::UnboundedSender<WriteRequest>,
    room: QueueRoom,
    failures: Arc<AtomicU32>,
}

/// Tells how full a queue is, and whether it can be written.
#[derive(Debug, Clone)]
pub(crate) struct QueueGauge {
    room: QueueRoom,
    failures: Arc<AtomicU32>,
}

impl Writer {
    /// The queue, and what empties it, for the caller to spawn.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        limits: WriterLimits,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn WriteObserver>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (writer, groups) = Self::with_loop(limits, clock, observer);
        let run = async move {
            let groups = Box::new(move |sink| Box::pin(groups.run(sink)) as _);
            store.write_groups(groups).await;
        };
        (writer, run)
    }

    fn with_loop(
        limits: WriterLimits,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn WriteObserver>,
    ) -> (Self, GroupLoop) {
        // The room bounds the channel.
        let (queue, writes) = mpsc::unbounded_channel();
        let failures = Arc::new(AtomicU32::new(0));
        let groups = GroupLoop::new(writes, limits, clock, observer, &failures);
        let writer = Self {
            queue,
            room: QueueRoom::new(limits.queued_rows, limits.queued_bytes),
            failures,
        };
        (writer, groups)
    }

    /// Takes room for so many rows of a tenant, made from so many bytes of text, without waiting.
    pub(crate) fn reserve(
        &self,
        tenant: &TenantId,
        rows: usize,
        text: usize,
    ) -> Result<QueueSlots, Exceeded> {
        self.room.take(tenant, rows, text)
    }

    /// Writes in one piece with what others queue at the same time; returns when durable.
    pub(crate) async fn write(&self, writes: Vec<Write>) -> Result<Vec<Receipt>, StoreError> {
        let (reply, receipts) = oneshot::channel();
        let request = WriteRequest {
            writes,
            reply,
            origin: SpanLink::current(),
        };
        self.queue.send(request).map_err(|_| StoreError::Stopped)?;
        receipts.await.map_err(|_| StoreError::Stopped)?
    }

    /// How full the queue is, without keeping the writing alive.
    pub(crate) fn gauge(&self) -> QueueGauge {
        QueueGauge {
            room: self.room.clone(),
            failures: Arc::clone(&self.failures),
        }
    }
}

impl QueueGauge {
    /// How much may wait, and does.
    pub(crate) const fn room(&self) -> &QueueRoom {
        &self.room
    }

    /// How many attempts to write have failed since the last that succeeded.
    pub(crate) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
