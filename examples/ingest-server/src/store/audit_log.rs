//! The log of who did what. What must be on record is durable before anything is done or shown: one
//! task writes what has queued in one transaction, as the writer of events does, with room of its
//! own, so that a full queue of events keeps nobody from reading. Refusals never wait, and stand
//! together, so that nobody fills the log with them.

mod refusals;

use std::{
    fmt::Debug,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use portcullis_keyring::entropy::{Entropy, EntropyError};
use portcullis_telemetry::SpanLink;
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::Instrument as _;
use uuid::Uuid;

use self::refusals::Refusals;
use super::{AuditDraft, AuditEvent, AuditOutcome, Store, StoreError, group_span};
use crate::clock::Clock;

/// Events that may wait, of those that must be on record and of those that may be dropped.
const MUST_ROOM: usize = 1_024;
const BEST_ROOM: usize = 256;

/// Events that one transaction writes.
const GROUP: usize = 256;

/// How long an event may take to be durable.
const TIMEOUT: Duration = Duration::from_millis(1_900);

/// How often refusals that stand together are looked after, and the database is tried after a failure.
const TICK: Duration = Duration::from_secs(1);

/// Is told what became of events.
pub(crate) trait AuditObserver: Debug + Send + Sync {
    /// Called once for each event, and at once.
    fn observe(&self, event: AuditLogEvent);
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditLogEvent {
    /// Durable.
    Recorded,
    /// It must be on record and is not: what it tells of was not done or not shown.
    Unrecorded,
    /// It may be left out and was.
    Dropped,
}

impl AuditLogEvent {
    pub(crate) const ALL: [Self; 3] = [Self::Recorded, Self::Unrecorded, Self::Dropped];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Unrecorded => "unrecorded",
            Self::Dropped => "dropped",
        }
    }
}

/// The event could not be made durable, so what it tells of must not be done or shown.
#[derive(Debug, thiserror::Error)]
#[error("what was asked for could not be put on record")]
pub(crate) struct Unrecorded;

/// The way into the log. Cloning is cheap; the writing task ends when the last clone is gone and
/// everything queued is written.
#[derive(Debug, Clone)]
pub(crate) struct AuditLog {
    must: mpsc::Sender<Request>,
    best: mpsc::Sender<AuditDraft>,
    stamp: Stamp,
    observer: Arc<dyn AuditObserver>,
    failures: Arc<AtomicU32>,
}

/// Something that is on record as begun. Dropped, its outcome stays unknown.
#[derive(Debug)]
#[must_use = "finish it with what came of it"]
pub(crate) struct Pending {
    log: AuditLog,
    draft: AuditDraft,
}

impl AuditLog {
    /// The log, and the task that writes it, for the caller to spawn.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Arc<dyn AuditObserver>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (must, requests) = mpsc::channel(MUST_ROOM);
        let (best, notes) = mpsc::channel(BEST_ROOM);
        let stamp = Stamp { clock, entropy };
        let failures = Arc::new(AtomicU32::new(0));
        let task = WritingTask {
            store,
            stamp: stamp.clone(),
            observer: Arc::clone(&observer),
            failures: Arc::clone(&failures),
        };
        let log = Self {
            must,
            best,
            stamp,
            observer,
            failures,
        };
        (log, task.run(requests, notes))
    }

    /// Puts an event on record; returns when it is durable.
    ///
    /// # Errors
    /// It is not, or not in time: the caller must not do or show what it tells of.
    pub(crate) async fn record(&self, draft: AuditDraft) -> Result<Uuid, Unrecorded> {
        let recorded = self.append(draft).await;
        if recorded.is_err() {
            self.observer.observe(AuditLogEvent::Unrecorded);
        }
        recorded
    }

    /// Puts on record that something is about to be changed; returns when that is durable.
    ///
    /// # Errors
    /// It is not, or not in time: the caller must not make the change.
    pub(crate) async fn begin(&self, draft: AuditDraft) -> Result<Pending, Unrecorded> {
        let begun = AuditDraft {
            outcome: AuditOutcome::Unknown,
            ..draft
        };
        let id = self.record(begun.clone()).await?;
        Ok(Pending {
            log: self.clone(),
            draft: AuditDraft {
                refs: Some(id),
                ..begun
            },
        })
    }

    /// Notes something that was refused. Never waits; without room it is dropped, and counted.
    pub(crate) fn note(&self, draft: AuditDraft) {
        if self.best.try_send(draft).is_err() {
            self.observer.observe(AuditLogEvent::Dropped);
        }
    }

    /// How many attempts to write have failed since the last that succeeded.
    pub(crate) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    async fn append(&self, draft: AuditDraft) -> Result<Uuid, Unrecorded> {
        let event = self.stamp.event(draft).map_err(|_| Unrecorded)?;
        let id = event.id;
        let (reply, written) = oneshot::channel();
        let request = Request {
            event,
            reply,
            origin: SpanLink::current(),
        };
        self.must.try_send(request).map_err(|_| Unrecorded)?;
        match timeout(TIMEOUT, written).await {
            Ok(Ok(Ok(()))) => Ok(id),
            _ => Err(Unrecorded),
        }
    }
}

impl Pending {
    /// The event as it was begun, for what is known only when it is done.
    pub(crate) fn draft_mut(&mut self) -> &mut AuditDraft {
        &mut self.draft
    }

    /// Puts on record what came of it; `detail` says why it is no success.
    ///
    /// # Errors
    /// It is done, and on record as begun alone.
    pub(crate) async fn finish(
        self,
        outcome: AuditOutcome,
        detail: Option<&'static str>,
    ) -> Result<(), Unrecorded> {
        let draft = AuditDraft {
            outcome,
            detail,
            ..self.draft
        };
        self.log.record(draft).await.map(drop)
    }
}

/// What makes an event of a draft.
#[derive(Debug, Clone)]
struct Stamp {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Stamp {
    fn event(&self, draft: AuditDraft) -> Result<AuditEvent, EntropyError> {
        let time = self.clock.wall();
        let mut random = [0; 10];
        self.entropy.fill(&mut random)?;
        let millis = u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Ok(AuditEvent { id, time, draft })
    }
}

#[derive(Debug)]
struct Request {
    event: AuditEvent,
    reply: oneshot::Sender<Result<(), Unrecorded>>,
    /// The request's span, for the group's to link to.
    origin: Option<SpanLink>,
}

#[derive(Debug)]
struct WritingTask {
    store: Arc<dyn Store>,
    stamp: Stamp,
    observer: Arc<dyn AuditObserver>,
    failures: Arc<AtomicU32>,
}

impl WritingTask {
    async fn run(
        self,
        mut requests: mpsc::Receiver<Request>,
        mut notes: mpsc::Receiver<AuditDraft>,
    ) {
        let mut refusals = Refusals::default();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = self.stamp.clock.monotonic();
            tokio::select! {
                biased;
                request = requests.recv() => match request {
                    Some(request) => self.write(request, &mut requests).await,
                    None => break,
                },
                Some(draft) = notes.recv() => {
                    if let Some(draft) = refusals.add(draft, now) {
                        self.write_noted(vec![draft]).await;
                    }
                }
                _ = ticks.tick() => {
                    self.write_noted(refusals.due(now)).await;
                    self.try_again().await;
                }
            }
        }
        let mut left_over = refusals.drain();
        while let Ok(draft) = notes.try_recv() {
            left_over.push(draft);
        }
        self.write_noted(left_over).await;
    }

    /// Writes a request and what has queued behind it.
    async fn write(&self, first: Request, requests: &mut mpsc::Receiver<Request>) {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = requests.try_recv()
        {
            group.push(next);
        }
        // Who has given up waiting gets no row: nothing will be shown for it.
        group.retain(|request| !request.reply.is_closed());
        let origins: Vec<SpanLink> = group.iter_mut().filter_map(|it| it.origin.take()).collect();
        let (events, mut replies): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|Request { event, reply, .. }| (event, reply))
            .unzip();
        let outcome = self.append(&events, &origins).await;
        if let Err(StoreError::Busy) = outcome {
            // In the next group they would wait as long once more.
            while let Ok(waiting) = requests.try_recv() {
                drop(waiting.reply.send(Err(Unrecorded)));
            }
        }
        for reply in replies.drain(..) {
            let recorded = outcome.as_ref().map_err(|_| Unrecorded);
            drop(reply.send(recorded.copied()));
        }
        if outcome.is_ok() {
            for _ in &events {
                self.observer.observe(AuditLogEvent::Recorded);
            }
        }
    }

    async fn write_noted(&self, drafts: Vec<AuditDraft>) {
        let stamped: Result<Vec<AuditEvent>, _> = drafts
            .into_iter()
            .map(|draft| self.stamp.event(draft))
            .collect();
        let Ok(events) = stamped else {
            self.observer.observe(AuditLogEvent::Dropped);
            return;
        };
        let became = match self.append(&events, &[]).await {
            Ok(()) => AuditLogEvent::Recorded,
            Err(_) => AuditLogEvent::Dropped,
        };
        for _ in &events {
            self.observer.observe(became);
        }
    }

    async fn append(&self, events: &[AuditEvent], origins: &[SpanLink]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let span = group_span::audit_span(events.len(), origins);
        let outcome = self
            .store
            .append_audit(events)
            .instrument(span.clone())
            .await;
        self.count(outcome.is_ok());
        if let Err(error) = &outcome {
            span.in_scope(|| {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    requests = group_span::traces(origins),
                    "events of the audit log were not written"
                );
            });
        }
        outcome
    }

    /// Tries the database after a failure: those who are refused because of it may not come again, nor
    /// anybody else while the service is not ready.
    async fn try_again(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 {
            let span = tracing::info_span!(parent: None, "write_trial");
            let outcome = self.store.try_writing().instrument(span).await;
            self.count(outcome.is_ok());
        }
    }

    /// Counts failures in a row.
    fn count(&self, succeeded: bool) {
        let failures = self.failures.load(Ordering::Relaxed);
        let failures = if succeeded {
            0
        } else {
            failures.saturating_add(1)
        };
        self.failures.store(failures, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
