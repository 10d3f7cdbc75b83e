//! Who did what, for operators to look at.

mod closing;
mod describe;
mod earlier;
mod erasing;
mod proof;
mod report;
mod request;
mod stream;
#[cfg(test)]
mod test_log;
mod verification;

use std::sync::Arc;

use portcullis_audit_log::{
    audit::EraseError,
    event::Leaf,
    search::{Page, SearchCursor},
    store::StoreError as LogError,
};
use serde::Serialize;
use tokio::sync::Mutex;

use self::{report::Reports, stream::Stopping};
use super::{
    Action, ActionResult, Actor, AdminEvent, AdminObserver, JobStatus, job::UnderWay, names, record,
};
use crate::{
    audit::{
        ArchiveState, AuditLog, EndedVerified, Held, OtherLogError, ProofError, ReasonCodes,
        SearchError, Unrecorded,
    },
    clock::Clock,
    store::{Store, StoreError},
    timestamp,
};

pub(crate) use self::{
    closing::{ClosedFinding, ClosingRequest},
    describe::{DescribedEvent, OneEvent},
    earlier::{EarlierPage, EarlierRequest, MAX_EARLIER},
    erasing::{AuditErasureRequest, ErasedParts},
    report::{AuditPeriod, instant},
    request::{AuditRequest, InvalidRequest},
    stream::Rights,
    verification::{NoSuchRange, VerificationRequest, VerificationTally, Verifications, Verified},
};

/// The use cases on the audit log.
#[derive(Debug, Clone)]
pub(crate) struct AuditEvents {
    store: Arc<dyn Store>,
    audit: AuditLog,
    verifications: Verifications,
    reports: Reports,
    stopping: Stopping,
    reason_codes: ReasonCodes,
    /// Held by who closes a finding.
    closing: Arc<Mutex<()>>,
    observer: Arc<dyn AdminObserver>,
}

/// Some events, newest first, and where the next page begins.
#[derive(Debug, Serialize)]
pub(crate) struct AuditPage {
    events: Vec<DescribedEvent>,
    next: Option<String>,
    /// Whether the page is as full as it can be; else as much was read as one may, and there may be more.
    complete: bool,
}

/// How the log does.
#[derive(Debug, Serialize)]
pub(crate) struct AuditStatus {
    /// What the log is called.
    origin: String,
    /// The public keys that it is verified with.
    keys: Vec<String>,
    /// How many entries there are.
    size: u64,
    /// How many of them the published checkpoint has.
    published: u64,
    /// The published checkpoint, a signed note.
    checkpoint: Option<String>,
    /// Whether what must be on record cannot be done or shown now.
    failing: bool,
    /// Of a log in a database, whether this process delivers, verifies and prunes it; null of one in files, which is this
    /// process's own.
    leader: Option<bool>,
    /// The node that does so, as far as is known; null of a log in files.
    leader_node: Option<String>,
    /// How its archive does, if it has one.
    archive: Option<ArchiveStatus>,
    /// Whether a legal hold keeps what is too old, and what is asked to be erased.
    held: bool,
    /// When all of it was last found as it was signed, if that was since the start.
    verified_at: Option<String>,
    /// How many verifications since the start did not find it so, or did not end.
    verify_failures: u64,
    /// The verification that is under way, or the last one.
    verification: JobStatus<Verified>,
    /// What the last one of each other log of this machine came to whose process has ended.
    ended_logs: Vec<EndedVerified>,
}

/// How the archive of the log does.
#[derive(Debug, Serialize)]
struct ArchiveStatus {
    /// Where it is.
    place: String,
    /// How many entries are there, as far as is known since the start.
    entries: u64,
    /// For how long the oldest entry has been waiting that is not there.
    lag_seconds: u64,
    /// When it last had all, if that was since the start.
    filled_at: Option<String>,
    /// Attempts since the start that failed.
    failures: u64,
}

/// Why nothing of the log is shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    #[error(transparent)]
    NoSuchRange(#[from] NoSuchRange),
    #[error("the log has no such entry")]
    NotFound,
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error(transparent)]
    UnderWay(#[from] UnderWay),
    #[error("the finding is closed")]
    Closed,
    #[error("a report is being made: ask again when it is done")]
    Reporting,
    #[error("the period has too many entries for one report: ask for a shorter one")]
    TooMuch,
    #[error("the audit log cannot be read")]
    Log(#[from] LogError),
    #[error("what lies beside the audit log was not erased")]
    Erase(#[source] EraseError),
    #[error(transparent)]
    Held(#[from] Held),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error("an entry of the audit log cannot be read")]
    Damaged,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuditPage {
    /// What was found.
    ///
    /// # Errors
    /// [`AuditError::Damaged`].
    pub(crate) fn new(page: &Page) -> Result<Self, AuditError> {
        let events = page.events.iter().map(|found| {
            let leaf = Leaf::parse(&found.leaf).map_err(|_| AuditError::Damaged)?;
            Ok(DescribedEvent::new(&leaf))
        });
        Ok(Self {
            events: events.collect::<Result<_, AuditError>>()?,
            next: page.next.as_ref().map(SearchCursor::to_string),
            complete: page.is_complete,
        })
    }
}

impl From<ArchiveState> for ArchiveStatus {
    fn from(state: ArchiveState) -> Self {
        Self {
            place: state.place.to_string(),
            entries: state.entries,
            lag_seconds: state.lag.as_secs(),
            filled_at: state.filled_at.map(|at| timestamp::format(at.into())),
            failures: state.failures,
        }
    }
}

impl AuditStatus {
    async fn of(audit: &AuditLog, verifications: &Verifications) -> Result<Self, LogError> {
        let reads = audit.reading();
        let status = audit.status().now();
        let checkpoint = reads.checkpoint().await?;
        let identity = audit.identity();
        let keys = identity.keys.iter();
        let leader = audit.leader();
        Ok(Self {
            origin: identity.origin.to_string(),
            keys: keys.map(ToString::to_string).collect(),
            size: reads.size().await?,
            published: status.published,
            checkpoint: checkpoint.map(|note| note.to_string()),
            failing: status.is_failing,
            leader: leader.as_ref().map(|leader| leader.is_this),
            leader_node: leader.and_then(|leader| leader.node),
            archive: audit.archive().map(ArchiveStatus::from),
            held: audit.require_no_hold().is_err(),
            verified_at: verifications.tally().last_success().map(timestamp::format),
            verify_failures: verifications.tally().failures(),
            verification: verifications.status(),
            ended_logs: audit.ended().last(),
        })
    }
}

impl AuditEvents {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        audit: AuditLog,
        reason_codes: ReasonCodes,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            store,
            verifications: Verifications::new(audit.clone(), Arc::clone(&clock)),
            reports: Reports::new(clock),
            stopping: Stopping::new(),
            reason_codes,
            closing: Arc::default(),
            audit,
            observer,
        }
    }

    /// The verifications of the log, for who starts one each day.
    pub(crate) const fn verifications(&self) -> &Verifications {
        &self.verifications
    }

    /// Cuts off what goes on in the background, and ends the streams.
    pub(crate) fn stop(&self) {
        self.stopping.stop();
        self.verifications.stop();
    }

    /// A page of events. That they were looked at is an event itself, though not of this page.
    pub(crate) async fn find(
        &self,
        actor: &Actor,
        request: &AuditRequest,
    ) -> Result<AuditPage, AuditError> {
        let action = Action::ReadAudit {
            tenant: request.tenant.as_deref(),
        };
        self.recorded(actor, action, self.page(request)).await
    }

    /// One event with what lies beside it.
    pub(crate) async fn read(&self, actor: &Actor, n: u64) -> Result<OneEvent, AuditError> {
        let action = Action::ReadAudit { tenant: None };
        let read = async {
            let reads = self.audit.reading();
            let leaf = reads.leaf(n).await?.ok_or(AuditError::NotFound)?;
            let personal = reads.personal(&leaf).await?;
            OneEvent::new(&leaf, personal)
        };
        self.recorded(actor, action, read).await
    }

    /// How the log does.
    pub(crate) async fn status(&self, actor: &Actor) -> Result<AuditStatus, AuditError> {
        let action = Action::ReadAudit { tenant: None };
        let status = async { Ok(AuditStatus::of(&self.audit, &self.verifications).await?) };
        self.recorded(actor, action, status).await
    }

    /// A file of the log, as a third party verifies it: the checkpoint, a tile of hashes, or a bundle of entries.
    pub(crate) async fn file(&self, actor: &Actor, path: &str) -> Result<Vec<u8>, AuditError> {
        let action = Action::ReadAudit { tenant: None };
        let file = async {
            let file = self.audit.reading().file(path).await?;
            file.ok_or(AuditError::NotFound)
        };
        self.recorded(actor, action, file).await
    }

    /// What a page of the earlier log has.
    pub(crate) async fn earlier(
        &self,
        actor: &Actor,
        request: &EarlierRequest,
    ) -> Result<EarlierPage, AuditError> {
        let action = Action::ReadAudit {
            tenant: request.tenant.as_deref(),
        };
        let page = async { Ok(EarlierPage::read(&*self.store, request).await?) };
        self.recorded(actor, action, page).await
    }

    async fn page(&self, request: &AuditRequest) -> Result<AuditPage, AuditError> {
        let page = self.search(request).await?;
        AuditPage::new(&page)
    }

    async fn search(&self, request: &AuditRequest) -> Result<Page, AuditError> {
        let query = request.query()?;
        let reads = self.audit.reading();
        let invalid = |expected| InvalidRequest {
            parameter: "log",
            expected,
        };
        let page = reads.search(request.log.as_deref(), &query).await;
        page.map_err(|error| match error {
            SearchError::Log(error) => error.into(),
            SearchError::Other(OtherLogError::Unknown) => {
                invalid("must be a log of this machine, such as `command-line`").into()
            }
            SearchError::Other(OtherLogError::InUse) => {
                invalid("is of a process that is running; ask again when it has ended").into()
            }
            SearchError::Other(OtherLogError::Store(error)) => LogError::from(error).into(),
            SearchError::Other(OtherLogError::Database(error)) => {
                LogError::unavailable(error).into()
            }
        })
    }

    /// Shows what was read once it is on record that it is.
    async fn recorded<T>(
        &self,
        actor: &Actor,
        action: Action<'_>,
        reading: impl Future<Output = Result<T, AuditError>>,
    ) -> Result<T, AuditError> {
        let shown = async {
            let shown = reading.await?;
            let draft = record::draft(actor, &action, names::recorded(action.tenant()));
            self.audit.record(draft).await?;
            Ok(shown)
        };
        let shown: Result<T, AuditError> = shown.await;
        let result = ActionResult::of_read(&shown);
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
        shown
    }
}
