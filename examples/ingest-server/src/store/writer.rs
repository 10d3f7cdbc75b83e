//! Group commit: one task writes what has queued in one transaction, then acknowledges it. Each group has
//! a span of its own, which links to the requests that it serves.

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
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tracing::Instrument as _;

use super::{
    Receipt, Store, StoreError, Write, group_span,
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
    /// Called by the writing task between two groups: it must not wait.
    fn observe(&self, event: &WriteEvent);
}

/// What the writer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteEvent {
    /// One transaction made this many rows durable.
    Committed { rows: usize, took: Duration },
    /// One transaction failed, and nothing of its group was written.
    Failed { rows: usize },
    /// The first transaction succeeded after so many that failed in a row.
    Recovered { failures: u32 },
}

/// The queue in front of the database. Cloning is cheap; the writing task ends when the last
/// clone is gone and everything queued is written.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::UnboundedSender<Request>,
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
    /// The queue, and the task that empties it, for the caller to spawn.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        limits: WriterLimits,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn WriteObserver>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        // The room bounds the channel.
        let (queue, requests) = mpsc::unbounded_channel();
        let failures = Arc::new(AtomicU32::new(0));
        let task = WritingTask {
            store,
            clock,
            observer,
            group_rows: limits.group_rows,
            failures: Arc::clone(&failures),
        };
        (
            Self {
                queue,
                room: QueueRoom::new(limits.queued_rows, limits.queued_bytes),
                failures,
            },
            task.run(requests),
        )
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
        let request = Request {
            writes,
            reply,
            origin: SpanLink::current(),
        };
        self.queue.send(request).map_err(|_| StoreError::Stopped)?;
        receipts.await.map_err(|_| StoreError::Stopped)?
    }

    /// How full the queue is, without keeping the writing task alive.
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

type Reply = oneshot::Sender<Result<Vec<Receipt>, StoreError>>;

#[derive(Debug)]
struct Request {
    writes: Vec<Write>,
    reply: Reply,
    /// The request's span, for the group's to link to.
    origin: Option<SpanLink>,
}

#[derive(Debug)]
struct WritingTask {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn WriteObserver>,
    group_rows: NonZeroUsize,
    failures: Arc<AtomicU32>,
}

/// How long after a failure the database is tried when nobody else does.
const TRY_EVERY: Duration = Duration::from_millis(500);

impl WritingTask {
    async fn run(self, mut requests: mpsc::UnboundedReceiver<Request>) {
        let mut left_over = None;
        loop {
            let first = match left_over.take() {
                Some(request) => request,
                None => match self.next(&mut requests).await {
                    Some(request) => request,
                    None => return,
                },
            };
            let mut group = first.writes;
            let mut replies = vec![(group.len(), first.reply)];
            let mut origins: Vec<SpanLink> = first.origin.into_iter().collect();
            // What came in during the last commit is there by now; a lone request does not wait.
            while let Ok(next) = requests.try_recv() {
                if group.len() + next.writes.len() > self.group_rows.get() {
                    left_over = Some(next);
                    break;
                }
                replies.push((next.writes.len(), next.reply));
                origins.extend(next.origin);
                group.extend(next.writes);
            }
            let span = group_span::group_span(group.len(), &origins);
            let outcome = self.commit(&group).instrument(span.clone()).await;
            if let Err(StoreError::Busy) = outcome {
                refuse_waiting(left_over.take(), &mut requests);
            }
            span.in_scope(|| acknowledge(outcome, replies, &origins));
        }
    }

    /// The next request. While the database cannot be written, it is tried meanwhile, so that its
    /// recovery is noticed also when nothing is sent here because of the failure.
    async fn next(&self, requests: &mut mpsc::UnboundedReceiver<Request>) -> Option<Request> {
        while self.failures.load(Ordering::Relaxed) > 0 {
            if let Ok(request) = timeout(TRY_EVERY, requests.recv()).await {
                return request;
            }
            let span = tracing::info_span!(parent: None, "write_trial");
            let trial = async {
                let outcome = self.store.try_writing().await;
                self.count(outcome.is_ok());
                outcome
            };
            let outcome = trial.instrument(span).await;
            if let Err(StoreError::Busy) = outcome {
                refuse_waiting(None, requests);
            }
        }
        requests.recv().await
    }

    async fn commit(&self, group: &[Write]) -> Result<Vec<Receipt>, StoreError> {
        let rows = group.len();
        let began = self.clock.monotonic();
        let outcome = self.store.commit(group).await;
        let took = self.clock.monotonic().saturating_sub(began);
        self.observer.observe(&match outcome {
            Ok(_) => WriteEvent::Committed { rows, took },
            Err(_) => WriteEvent::Failed { rows },
        });
        self.count(outcome.is_ok());
        outcome
    }

    /// Counts failures in a row.
    fn count(&self, succeeded: bool) {
        let failures = self.failures.load(Ordering::Relaxed);
        if !succeeded {
            let failures = failures.saturating_add(1);
            self.failures.store(failures, Ordering::Relaxed);
        } else if failures > 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.observer.observe(&WriteEvent::Recovered { failures });
        }
    }
}

/// Refuses what has queued while the database was locked for as long as one request may wait: in
/// the next group it would wait that long once more.
fn refuse_waiting(first: Option<Request>, requests: &mut mpsc::UnboundedReceiver<Request>) {
    let mut next = first.or_else(|| requests.try_recv().ok());
    while let Some(request) = next {
        drop(request.reply.send(Err(StoreError::Busy)));
        next = requests.try_recv().ok();
    }
}

fn acknowledge(
    outcome: Result<Vec<Receipt>, StoreError>,
    replies: Vec<(usize, Reply)>,
    origins: &[SpanLink],
) {
    match outcome {
        Ok(receipts) => {
            let mut receipts = receipts.into_iter();
            for (rows, reply) in replies {
                // A requester that went away does not need its receipts.
                drop(reply.send(Ok(receipts.by_ref().take(rows).collect())));
            }
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                requests = group_span::traces(origins),
                "a group was not written"
            );
            for (_, reply) in replies {
                drop(reply.send(Err(error.echo())));
            }
        }
    }
}
