//! Forms groups, has them written, and tells who waits. Each group has a span of its own, which links
//! to the requests that it serves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use portcullis_telemetry::BackgroundTask;
use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};
use tracing::Instrument as _;

use super::{
    WriteEvent, WriteObserver, WriterLimits,
    request::{Waiting, WriteRequest},
};
use crate::{
    clock::Clock,
    store::{Committed, Group, GroupSink, Receipt, StoreError, group_span},
};

const TRIAL: BackgroundTask = BackgroundTask::new("write_trial");

/// How long after a failure the database is tried when nobody else does.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// What queues, and what becomes of it.
#[derive(Debug)]
pub(super) struct GroupLoop {
    queue: Queue,
    limits: WriterLimits,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn WriteObserver>,
    failures: Arc<AtomicU32>,
}

#[derive(Debug)]
struct Queue {
    writes: UnboundedReceiver<WriteRequest>,
    /// What had no room in the group before.
    left_over: Option<WriteRequest>,
}

impl GroupLoop {
    pub(super) fn new(
        writes: UnboundedReceiver<WriteRequest>,
        limits: WriterLimits,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn WriteObserver>,
        failures: &Arc<AtomicU32>,
    ) -> Self {
        let left_over = None;
        Self {
            queue: Queue { writes, left_over },
            limits,
            clock,
            observer,
            failures: Arc::clone(failures),
        }
    }

    /// Writes until nobody can queue any more and nothing is left.
    pub(super) async fn run(mut self, mut sink: Box<dyn GroupSink>) {
        while let Some(first) = self.next(&mut *sink).await {
            let (group, waiting) = self.queue.group(first, self.limits);
            if !group.writes.is_empty() {
                self.write(&mut *sink, &group, waiting).await;
            }
        }
    }

    /// The next request. While the database cannot be written, it is tried meanwhile, so that its
    /// recovery is noticed also when nothing is sent here because of the failure.
    async fn next(&mut self, sink: &mut dyn GroupSink) -> Option<WriteRequest> {
        while self.failures.load(Ordering::Relaxed) > 0 {
            if let Ok(request) = timeout(TRY_EVERY, self.queue.next()).await {
                return request;
            }
            let trial = async {
                let outcome = sink.try_writing().await;
                self.count(outcome.is_ok());
                outcome
            };
            if let Err(StoreError::Busy) = TRIAL.run(trial).await {
                self.queue.refuse();
            }
        }
        self.queue.next().await
    }

    async fn write(&mut self, sink: &mut dyn GroupSink, group: &Group, waiting: Waiting) {
        let span = group_span::group_span(group, &waiting.origins);
        let outcome = self.commit(sink, group).instrument(span.clone()).await;
        if let Err(StoreError::Busy) = outcome {
            self.queue.refuse();
        }
        span.in_scope(|| match outcome {
            Ok(committed) => waiting.acknowledge(committed),
            Err(error) => {
                group_span::tell_not_written(&error, &waiting.origins);
                waiting.refuse(&error);
            }
        });
    }

    async fn commit(
        &self,
        sink: &mut dyn GroupSink,
        group: &Group,
    ) -> Result<Committed, StoreError> {
        let rows = group.writes.len();
        let began = self.clock.monotonic();
        let outcome = sink.commit(group, &*self.clock).await;
        let ended = self.clock.monotonic();
        let took = ended.saturating_sub(began);
        if rows > 0 {
            self.observer.observe(&match outcome {
                Ok(_) => WriteEvent::Committed { rows, took },
                Err(_) => WriteEvent::Failed { rows },
            });
        }
        self.tell_late(group, &outcome, ended);
        self.count(outcome.is_ok());
        outcome
    }

    /// Tells of what was refused because it waited too long, and of what a slow commit made durable too late.
    fn tell_late(&self, group: &Group, outcome: &Result<Committed, StoreError>, ended: Duration) {
        let late = match outcome {
            Err(StoreError::Late) => group.writes.len(),
            Err(_) => 0,
            Ok(Committed { receipts, .. }) => {
                let late = receipts.iter().filter(|it| **it == Receipt::Late);
                late.count()
            }
        };
        if late > 0 {
            self.observer.observe(&WriteEvent::Late { rows: late });
        }
        if let Ok(Committed { receipts, .. }) = outcome
            && let Some(earliest) = group.earliest(receipts)
            && !earliest.was_committed_in_time(ended)
        {
            let rows = receipts.len();
            self.observer.observe(&WriteEvent::CommittedLate { rows });
        }
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

impl Queue {
    async fn next(&mut self) -> Option<WriteRequest> {
        match self.left_over.take() {
            Some(request) => Some(request),
            None => self.writes.recv().await,
        }
    }

    /// A request and what came in during the last commit; a lone one does not wait.
    fn group(&mut self, first: WriteRequest, limits: WriterLimits) -> (Group, Waiting) {
        let (mut group, mut waiting) = (Group::default(), Waiting::default());
        waiting.add(&mut group, first);
        while let Some(next) = self
            .left_over
            .take()
            .or_else(|| self.writes.try_recv().ok())
        {
            let rows = group.writes.len() + next.writes.len();
            if rows > limits.group_rows.get() && !group.writes.is_empty() {
                self.left_over = Some(next);
                break;
            }
            waiting.add(&mut group, next);
        }
        (group, waiting)
    }

    /// Refuses what has queued while the database was locked for as long as one request may wait: in
    /// the next group it would wait that long once more.
    fn refuse(&mut self) {
        let mut group = Group::default();
        let mut waiting = Waiting::default();
        while let Some(request) = self
            .left_over
            .take()
            .or_else(|| self.writes.try_recv().ok())
        {
            waiting.add(&mut group, request);
        }
        waiting.refuse(&StoreError::Busy);
    }
}
