//! The log of who did what. What must be on record is durable before anything is done or shown: it goes
//! into the next group that is written, ahead of the events that wait there, and has room of its own,
//! so that a full queue of events keeps nobody from reading. Refusals never wait, and stand together,
//! so that nobody fills the log with them.

mod refusals;

use std::{future::Future, sync::Arc, time::Duration};

use portcullis_keyring::entropy::{Entropy, EntropyError};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use uuid::Uuid;

use self::refusals::Refusals;
use super::{
    AuditDraft, AuditEvent, AuditLogEvent, AuditObserver, AuditOutcome, StoreError, Writer,
};
use crate::clock::Clock;

/// Refusals that may wait.
const BEST_ROOM: usize = 256;

/// How long an event may take to be durable.
const TIMEOUT: Duration = Duration::from_millis(1_900);

/// How often refusals that stand together are looked after.
const TICK: Duration = Duration::from_secs(1);

/// The event could not be made durable, so what it tells of must not be done or shown.
#[derive(Debug, thiserror::Error)]
#[error("what was asked for could not be put on record")]
pub(crate) struct Unrecorded;

/// The way into the log. Cloning is cheap; the task that notes refusals ends when the last clone is
/// gone and all of them are written.
#[derive(Debug, Clone)]
pub(crate) struct AuditLog {
    record: Record,
    best: mpsc::Sender<AuditDraft>,
}

/// Something that is on record as begun. Dropped, its outcome stays unknown.
#[derive(Debug)]
#[must_use = "finish it with what came of it"]
pub(crate) struct Pending {
    log: AuditLog,
    draft: AuditDraft,
}

impl AuditLog {
    /// The log, and the task that notes refusals in it, for the caller to spawn.
    pub(crate) fn new(
        writer: Writer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Arc<dyn AuditObserver>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (best, notes) = mpsc::channel(BEST_ROOM);
        let record = Record {
            writer,
            clock,
            entropy,
            observer,
        };
        let task = NotingTask(record.clone());
        (Self { record, best }, task.run(notes))
    }

    /// Puts an event on record; returns when it is durable.
    ///
    /// # Errors
    /// It is not, or not in time: the caller must not do or show what it tells of.
    pub(crate) async fn record(&self, draft: AuditDraft) -> Result<Uuid, Unrecorded> {
        let recorded = self.append(draft).await;
        if recorded.is_err() {
            self.record.observer.observe(AuditLogEvent::Unrecorded);
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

    /// Notes something that was refused, or has shown nothing of anybody. Never waits; without room it is
    /// dropped, and counted.
    pub(crate) fn note(&self, draft: AuditDraft) {
        if self.best.try_send(draft).is_err() {
            self.record.observer.observe(AuditLogEvent::Dropped);
        }
    }

    async fn append(&self, draft: AuditDraft) -> Result<Uuid, Unrecorded> {
        let event = self.record.event(draft).map_err(|_| Unrecorded)?;
        let id = event.id;
        match timeout(TIMEOUT, self.record.append(vec![event])).await {
            Ok(Ok(())) => Ok(id),
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

/// What makes events of drafts, and has them written.
#[derive(Debug, Clone)]
struct Record {
    writer: Writer,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn AuditObserver>,
}

impl Record {
    fn event(&self, draft: AuditDraft) -> Result<AuditEvent, EntropyError> {
        let time = self.clock.wall();
        let mut random = [0; 10];
        self.entropy.fill(&mut random)?;
        let millis = u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Ok(AuditEvent { id, time, draft })
    }

    /// What becomes durable after its caller has given up is told of by the caller, as what is not on
    /// record.
    async fn append(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        let count = events.len();
        self.writer.append_audit(events).await?;
        for _ in 0..count {
            self.observer.observe(AuditLogEvent::Recorded);
        }
        Ok(())
    }
}

/// Gathers refusals and has them written.
#[derive(Debug)]
struct NotingTask(Record);

impl NotingTask {
    async fn run(self, mut notes: mpsc::Receiver<AuditDraft>) {
        let mut refusals = Refusals::default();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = self.0.clock.monotonic();
            tokio::select! {
                biased;
                draft = notes.recv() => {
                    let Some(draft) = draft else { break };
                    if let Some(draft) = refusals.add(draft, now) {
                        self.write(vec![draft]).await;
                    }
                }
                _ = ticks.tick() => self.write(refusals.due(now)).await,
            }
        }
        self.write(refusals.drain()).await;
    }

    async fn write(&self, drafts: Vec<AuditDraft>) {
        if drafts.is_empty() {
            return;
        }
        let events: Result<Vec<AuditEvent>, _> = drafts
            .into_iter()
            .map(|draft| self.0.event(draft))
            .collect();
        let Ok(events) = events else {
            self.0.observer.observe(AuditLogEvent::Dropped);
            return;
        };
        let count = events.len();
        if self.0.append(events).await.is_err() {
            for _ in 0..count {
                self.0.observer.observe(AuditLogEvent::Dropped);
            }
        }
    }
}

#[cfg(test)]
mod tests;
