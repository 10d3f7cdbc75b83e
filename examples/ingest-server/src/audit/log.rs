//! The way into the log. What must be on record is durable before anything is done or shown; refusals and ordinary
//! writes never wait, and stand together, so that nobody fills the log with them.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use portcullis_audit_log::{
    audit::{self, Audit, Ending, EraseError, Erasure, Retained, Retention, Status},
    event::{Code, Outcome, Resource},
    store::{Store, StoreError},
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{
    AnchorTimes, ArchiveGauge, ArchiveState, AuditDraft, AuditFolder, AuditIdentity, AuditReads,
    AuditTail, EndedVerifications, Leader, Leadership, NotReached, WriteRecords, Written,
    refusals::Refusals, screen, write_sums::WriteSums,
};
use crate::clock::Clock;

/// How often it is looked for what stands together for long enough.
const TICK: Duration = Duration::from_secs(1);

/// The event could not be made durable, so what it tells of must not be done or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what was asked for could not be put on record")]
pub(crate) struct Unrecorded(#[from] audit::Unrecorded);

/// A legal hold keeps what was to be erased or taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "INGEST_AUDIT_HOLD is on: under a legal hold nothing goes out of the audit log or from beside it; it is asked for \
     again once the hold is over"
)]
pub(crate) struct Held;

impl Held {
    /// What a refusal is on record with.
    pub(crate) const CODE: Code = Code::new("held");
}

/// The way into the log. Cloning is cheap; what gathers ends when the last clone is gone and all of it is written.
#[derive(Debug, Clone)]
pub(crate) struct AuditLog {
    audit: Audit,
    folder: AuditFolder,
    identity: Arc<AuditIdentity>,
    gathered: Arc<Gathered>,
    clock: Arc<dyn Clock>,
    writes: WriteRecords,
    archive: Option<ArchiveGauge>,
    leadership: Leadership,
    is_held: bool,
    ended: EndedVerifications,
    /// Tells the task when nobody can add anything any more.
    _in_use: mpsc::Sender<Infallible>,
}

/// Tells how the log does.
#[derive(Debug, Clone)]
pub(crate) struct AuditGauge(Audit);

/// What waits for more of its kind.
#[derive(Debug, Default)]
struct Gathered {
    refusals: Mutex<Refusals>,
    writes: Mutex<WriteSums>,
    anchors: OnceLock<Arc<AnchorTimes>>,
}

/// What was erased.
#[derive(Debug)]
pub(crate) struct Erased {
    /// How many parts there were.
    pub(crate) parts: u64,
    /// Logs that may have more of them.
    pub(crate) not_reached: Vec<NotReached>,
}

/// Something that is on record as begun. Dropped, it is put on record that nobody knows what came of it.
#[derive(Debug)]
#[must_use = "finish it with what came of it"]
pub(crate) struct Pending {
    pending: audit::Pending,
    draft: AuditDraft,
}

impl AuditLog {
    /// The way in, and the task that writes what was gathered, for the caller to spawn.
    pub(crate) fn new(
        audit: Audit,
        folder: AuditFolder,
        identity: AuditIdentity,
        clock: Arc<dyn Clock>,
        writes: WriteRecords,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let gathered = Arc::new(Gathered::default());
        let (in_use, ended) = mpsc::channel(1);
        let task = write_gathered(
            audit.clone(),
            Arc::clone(&gathered),
            Arc::clone(&clock),
            ended,
        );
        let log = Self {
            audit,
            folder,
            identity: Arc::new(identity),
            gathered,
            clock,
            writes,
            archive: None,
            leadership: Leadership::alone(),
            is_held: false,
            ended: EndedVerifications::default(),
            _in_use: in_use,
        };
        (log, task)
    }

    /// With what tells how its archive does.
    pub(crate) fn archived(self, archive: Option<ArchiveGauge>) -> Self {
        Self { archive, ..self }
    }

    /// One that this process writes among others, of whom one follows it.
    pub(crate) fn led(self, leadership: Leadership) -> Self {
        Self { leadership, ..self }
    }

    /// With what tells how the logs of processes do that have ended.
    pub(crate) fn beside(self, ended: EndedVerifications) -> Self {
        Self { ended, ..self }
    }

    /// How the logs of this machine do whose processes have ended.
    pub(crate) const fn ended(&self) -> &EndedVerifications {
        &self.ended
    }

    /// Under a legal hold, or not.
    pub(crate) fn held(self, is_held: bool) -> Self {
        Self { is_held, ..self }
    }

    /// Whether a legal hold keeps all that is there, in the other logs of this machine too.
    ///
    /// # Errors
    /// [`Held`] while it does: the caller must erase nothing.
    pub(crate) const fn require_no_hold(&self) -> Result<(), Held> {
        if self.is_held { Err(Held) } else { Ok(()) }
    }

    /// Who follows it, if several processes write it.
    pub(crate) fn leader(&self) -> Option<Leader> {
        self.leadership.leader()
    }

    /// Puts on record too whether its checkpoints were with their anchors in time.
    pub(crate) fn anchored(&self, times: Arc<AnchorTimes>) {
        // It is given once, to the log of a process.
        let _ = self.gathered.anchors.set(times);
    }

    /// Whether an anchor has been without a checkpoint for longer than it may.
    pub(crate) fn has_late_anchor(&self) -> bool {
        let times = self.gathered.anchors.get();
        times.is_some_and(|times| times.has_late())
    }

    /// How its archive does, if it has one.
    pub(crate) fn archive(&self) -> Option<ArchiveState> {
        self.archive.as_ref().map(ArchiveGauge::now)
    }

    /// What is recorded, for those who read it.
    pub(crate) fn reading(&self) -> AuditReads<'_> {
        AuditReads::new(&self.audit, &self.folder, &self.identity)
    }

    /// Has all that is there by now published, if that can be.
    pub(crate) async fn publish(&self) {
        // Where it cannot, there is what was published before.
        let _ = self.audit.checkpoint().await;
    }

    /// Its end, for those who follow it.
    pub(crate) fn tail(&self) -> AuditTail {
        AuditTail::new(self.audit.clone())
    }

    /// What it is verified with.
    pub(crate) fn identity(&self) -> &AuditIdentity {
        &self.identity
    }

    /// Tells how the log does, without keeping it open.
    pub(crate) fn status(&self) -> AuditGauge {
        AuditGauge(self.audit.clone())
    }

    /// Puts an event on record; returns when it is durable.
    ///
    /// # Errors
    /// It is not, or not in time: the caller must not do or show what it tells of.
    pub(crate) async fn record(&self, draft: AuditDraft) -> Result<(), Unrecorded> {
        let personal = draft.personal();
        let recorded = self.audit.record(draft.event(), personal.as_ref());
        Ok(recorded.await.map(drop)?)
    }

    /// Puts on record that something is about to be changed; returns when that is durable.
    ///
    /// # Errors
    /// It is not, or not in time: the caller must not make the change.
    pub(crate) async fn begin(&self, draft: AuditDraft) -> Result<Pending, Unrecorded> {
        let personal = draft.personal();
        let pending = self.audit.begin(draft.event(), personal.as_ref()).await?;
        Ok(Pending { pending, draft })
    }

    /// Erases what lies beside entries, of the logs too that this one has followed, and of those of processes that have
    /// ended. An event is one of this log.
    ///
    /// # Errors
    /// [`EraseError`].
    pub(crate) async fn erase(&self, whose: &Erasure) -> Result<Erased, EraseError> {
        if matches!(whose, Erasure::Event(_)) {
            let parts = self.audit.erase(whose).await?;
            return Ok(Erased {
                parts,
                not_reached: Vec::new(),
            });
        }
        // One that does not open keeps nothing in the others.
        let (logs, listed) = match self.folder.earlier() {
            Ok(logs) => (logs, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        let erasing = async |earlier: Vec<Arc<dyn Store>>| {
            let with_ended = async |ended: Vec<Arc<dyn Store>>| {
                let others = [earlier, ended].concat();
                self.audit.erase_with(whose, &others).await
            };
            // Its state is large, and would be on the stack of who waits.
            Box::pin(self.folder.with_ended(with_ended)).await
        };
        let erasing = Box::pin(self.folder.with_earlier(&logs, erasing));
        let ((erased, not_reached), opened) = erasing.await;
        let parts = erased?;
        listed.map_err(StoreError::from)?;
        opened.map_err(StoreError::from)?;
        Ok(Erased { parts, not_reached })
    }

    /// Takes away what is too old of a log that nobody writes any more. What went is on record here.
    ///
    /// # Errors
    /// [`EraseError`].
    pub(crate) async fn retain_in(
        &self,
        store: &dyn Store,
        ages: &Retention,
    ) -> Result<Retained, EraseError> {
        self.audit.retain_in(store, ages).await
    }

    /// Erases what lies beside the entries of a tenant that is erased. That under its own key is unreadable; this is
    /// also that under the service's, as of what was done before the tenant had a key.
    ///
    /// # Errors
    /// [`EraseError`].
    pub(crate) async fn forget(&self, tenant: &str) -> Result<(), EraseError> {
        let tenant = screen::tenant(tenant);
        // Others have no name either.
        if tenant != screen::UNNAMED {
            let erased = self.erase(&Erasure::Tenant(tenant)).await?;
            for NotReached { log, why } in erased.not_reached {
                tracing::info!(
                    log,
                    ?why,
                    "what lies beside entries of that log under the key of the service stays there until it is too old"
                );
            }
        }
        Ok(())
    }

    /// Notes something that was refused, or has shown nothing of anybody. Never waits; without room it is
    /// dropped, and counted in the log itself.
    pub(crate) fn note(&self, draft: AuditDraft) {
        let now = self.clock.monotonic();
        let draft = locked(&self.gathered.refusals).add(draft, now);
        draft.iter().for_each(|draft| note(&self.audit, draft));
    }

    /// Notes what was taken in, as it is configured. Never waits.
    pub(crate) fn wrote(&self, written: Written<'_>) {
        let draft = match self.writes {
            WriteRecords::Off => None,
            _ if written.count == 0 => None,
            WriteRecords::Each => Some(written.draft()),
            WriteRecords::Summary => {
                let now = self.clock.monotonic();
                locked(&self.gathered.writes).add(written, now)
            }
        };
        draft.iter().for_each(|draft| note(&self.audit, draft));
    }
}

impl AuditGauge {
    pub(crate) fn now(&self) -> Status {
        self.0.status()
    }

    /// Whether somebody has damaged its journal since the start, as far as that was found.
    pub(crate) fn was_damaged(&self) -> bool {
        self.0.store().damages() > 0
    }
}

impl Pending {
    /// Names something that came to be while it was done.
    pub(crate) fn with_resource(self, id: &str) -> Self {
        let resource = Resource::new(self.draft.action.resource, screen::issued(id));
        let pending = self.pending.amend(|event| event.resources([resource]));
        Self { pending, ..self }
    }

    /// Puts on record what came of it; `detail` says why it is no success.
    ///
    /// # Errors
    /// It is done, and on record as begun alone.
    pub(crate) async fn finish(
        self,
        outcome: Outcome,
        detail: Option<Code>,
    ) -> Result<(), Unrecorded> {
        let detail = detail.unwrap_or(AuditDraft::UNSPECIFIED);
        let ending = match outcome {
            Outcome::Success => Ending::Success,
            Outcome::Denied => Ending::Denied(detail),
            Outcome::Failure => Ending::Failure(detail),
            Outcome::Unknown => Ending::Unknown(detail),
        };
        Ok(self.pending.finish(ending).await.map(drop)?)
    }
}

async fn write_gathered(
    audit: Audit,
    gathered: Arc<Gathered>,
    clock: Arc<dyn Clock>,
    mut ended: mpsc::Receiver<Infallible>,
) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let write = |drafts: Vec<AuditDraft>| drafts.iter().for_each(|draft| note(&audit, draft));
    loop {
        tokio::select! {
            biased;
            // Nothing is ever sent.
            _ = ended.recv() => break,
            _ = ticks.tick() => {
                let now = clock.monotonic();
                write(locked(&gathered.refusals).due(now));
                write(locked(&gathered.writes).due(now));
                gathered.anchors.get().into_iter().for_each(|anchors| write(anchors.due()));
            }
        }
    }
    write(locked(&gathered.refusals).drain());
    write(locked(&gathered.writes).drain());
    gathered
        .anchors
        .get()
        .into_iter()
        .for_each(|anchors| write(anchors.drain()));
    audit.close();
}

fn note(audit: &Audit, draft: &AuditDraft) {
    audit.note(draft.event(), draft.personal().as_ref());
}

fn locked<T>(gathered: &Mutex<T>) -> MutexGuard<'_, T> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
