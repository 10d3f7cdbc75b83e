//! A policy that operators replace while the service runs: in a file of theirs if there is one, and else
//! in the database, which other processes may share.

mod follow;
#[cfg(test)]
mod lost_outcomes;
mod source;

use std::{fmt::Debug, sync::Arc};

use arc_swap::ArcSwap;
use portcullis_audit_log::event::{Code, Outcome};
use serde_json::Value;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, record};
use crate::{
    audit::{AuditLog, Unrecorded},
    files::{FilePolicy, MAX_POLICY, PolicyFile, PolicyText},
    quality::Reason,
    store::{PolicyKind, Store, StoreError},
};

pub(crate) use self::source::{PolicyObserver, PolicySource, PolicyStart, PolicyState};

/// What holds a policy in force, and how it is written.
pub(super) trait InForce: Debug + Clone + Send + Sync {
    type Policy: FilePolicy + Send + Sync;

    const KIND: PolicyKind;
    /// Who writes its file.
    const FILE: Actor;

    /// Reads what an operator sent; gives with it what of that is kept.
    fn read(given: Value) -> Result<(Self::Policy, Value), String>;

    /// Reads what was kept in the database.
    fn read_stored(kept: Option<&str>) -> Result<Self::Policy, String>;

    /// What was sent, as it stands in a file.
    fn file_text(given: &Value) -> Result<String, String>;

    fn is_in_force(&self, policy: &Self::Policy) -> bool;

    fn put_in_force(&self, policy: &Self::Policy);

    fn action(policy: Option<&Self::Policy>) -> Action<'_>;
}

/// The use cases on such a policy. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct KeptPolicy<P> {
    pub(super) in_force: P,
    file: Option<PolicyFile>,
    /// What was last seen where it is kept. Held by the one who changes the policy.
    seen: Arc<Mutex<Seen>>,
    source: Arc<ArcSwap<PolicySource>>,
    store: Arc<dyn Store>,
    audit: AuditLog,
    observers: Observers,
}

/// Who is told of what becomes of a policy.
#[derive(Debug, Clone)]
pub(super) struct Observers {
    pub(super) admin: Arc<dyn AdminObserver>,
    pub(super) policies: Arc<dyn PolicyObserver>,
}

/// What stands where a policy is kept.
#[derive(Debug, PartialEq, Eq)]
enum Kept {
    File(PolicyText),
    Row(Option<String>),
}

/// What has become of what stood there.
#[derive(Debug, Default)]
struct Seen {
    /// In force, or told to be unusable.
    settled: Option<Kept>,
    /// What the last look found in the file that is not settled.
    glimpsed: Option<Kept>,
    /// Whether it was told that this cannot be put on record.
    is_told: bool,
}

/// Why a policy was not replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplaceError {
    #[error("{0}")]
    Invalid(String),
    #[error("the policy is larger than {MAX_POLICY} bytes")]
    TooLarge,
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the file of the policy of {} cannot be written: {error}", kind.as_str())]
    File {
        kind: PolicyKind,
        error: std::io::ErrorKind,
    },
}

impl ReplaceError {
    /// What the audit log says of it.
    const fn detail(&self) -> Code {
        let reason = match self {
            Self::File { .. } => Reason::CapacityPolicyFile,
            _ => Reason::CapacityStoreUnavailable,
        };
        reason.code()
    }
}

impl<P: InForce> KeptPolicy<P> {
    pub(super) fn new(
        in_force: P,
        start: PolicyStart,
        store: Arc<dyn Store>,
        audit: AuditLog,
        observers: Observers,
    ) -> Self {
        Self {
            in_force,
            source: Arc::new(ArcSwap::from_pointee(start.source())),
            file: start.into_file(),
            seen: Arc::default(),
            store,
            audit,
            observers,
        }
    }

    /// Where the policy in force is from, and whether what stands there by now can be used.
    pub(super) fn source(&self) -> PolicySource {
        PolicySource::clone(&self.source.load())
    }

    /// Puts on record that the policy is looked at.
    pub(super) async fn record_read(
        &self,
        actor: &Actor,
        action: Action<'_>,
    ) -> Result<(), Unrecorded> {
        let recorded = self.audit.record(record::draft(actor, &action, None)).await;
        self.report(actor, action, ActionResult::of_read(&recorded));
        recorded.map(drop)
    }

    /// Replaces the policy; what is left out is as by default. It holds at once, and after the next
    /// start.
    ///
    /// # Errors
    /// It cannot be used, or the change cannot be put on record, or the policy not be kept.
    pub(super) async fn replace(&self, actor: &Actor, given: Value) -> Result<(), ReplaceError> {
        let (policy, text) = match self.read(given) {
            Ok(read) => read,
            Err(error) => {
                self.reject(actor);
                return Err(error);
            }
        };
        let mut seen = self.seen.lock().await;
        // What was kept before may stand there again at once, and is a change then.
        *seen = Seen::default();
        let keep = async {
            let Some(file) = self.file.clone() else {
                return Ok(self.store.remember_policy(P::KIND, &text).await?);
            };
            let written = spawn_blocking(move || file.write(&text)).await;
            let written = written.unwrap_or_else(|error| Err(error.into()));
            written.map_err(|error| ReplaceError::File {
                kind: P::KIND,
                error: error.kind(),
            })
        };
        let replaced = self.put_on_record(actor, &policy, keep).await;
        let result = ActionResult::of_read(&replaced);
        self.report(actor, P::action(Some(&policy)), result);
        replaced
    }

    fn read(&self, given: Value) -> Result<(P::Policy, String), ReplaceError> {
        // As long as this at least in any form.
        if given.to_string().len() > MAX_POLICY {
            return Err(ReplaceError::TooLarge);
        }
        let (policy, kept) = P::read(given).map_err(ReplaceError::Invalid)?;
        let text = match self.file {
            Some(_) => P::file_text(&kept).map_err(ReplaceError::Invalid)?,
            None => kept.to_string(),
        };
        if text.len() > MAX_POLICY {
            return Err(ReplaceError::TooLarge);
        }
        Ok((policy, text))
    }

    /// Puts the change on record, keeps the policy, and has it hold. It may hold also where that is told
    /// to have failed: what came of it is on record as well, or the error says that it is not.
    async fn put_on_record(
        &self,
        actor: &Actor,
        policy: &P::Policy,
        keep: impl Future<Output = Result<(), ReplaceError>>,
    ) -> Result<(), ReplaceError> {
        let draft = record::draft(actor, &P::action(Some(policy)), None);
        let change = self.audit.begin(draft).await?;
        if let Err(error) = keep.await {
            let detail = Some(error.detail());
            // The log has said so, and counted it.
            drop(change.finish(Outcome::Failure, detail).await);
            return Err(error);
        }
        self.in_force.put_in_force(policy);
        self.tell(self.source_of(true));
        Ok(change.finish(Outcome::Success, None).await?)
    }

    fn source_of(&self, is_set: bool) -> PolicySource {
        match &self.file {
            Some(file) => PolicyStart::File(file.clone()).source(),
            None => PolicyStart::Database { is_set }.source(),
        }
    }

    fn tell(&self, source: PolicySource) {
        let state = source.state();
        self.observers.policies.observe(P::KIND, state);
        self.source.store(Arc::new(source));
    }

    fn reject(&self, actor: &Actor) {
        let action = P::action(None);
        self.audit.note(record::rejected(actor, &action));
        self.report(actor, action, ActionResult::Rejected);
    }

    fn report(&self, actor: &Actor, action: Action<'_>, result: ActionResult) {
        self.observers.admin.observe(&AdminEvent {
            actor,
            action,
            result,
        });
    }
}
