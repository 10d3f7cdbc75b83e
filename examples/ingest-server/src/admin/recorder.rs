//! Use cases that are on record: begun before anything is changed, finished with what came of it.

use std::{future::Future, sync::Arc};

use portcullis_audit_log::{
    audit::EraseError,
    event::{Code, Outcome},
};
use portcullis_keyring::TenantId;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, names, record};
use crate::audit::{AuditDraft, AuditLog, Held, Unrecorded};

/// Puts use cases on record, and reports them.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

/// An error that says what is to be put on record.
pub(super) trait Recorded: From<Unrecorded> {
    /// What came of it, and the reason of a failure as the audit log names it.
    fn recorded(&self) -> (ActionResult, Code);
}

impl Recorder {
    pub(super) const fn new(audit: AuditLog, observer: Arc<dyn AdminObserver>) -> Self {
        Self { audit, observer }
    }

    /// Shows something once it is on record that it is shown.
    pub(super) async fn read<T, E: Recorded>(
        &self,
        actor: &Actor,
        action: Action<'_>,
        reading: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let shown = async {
            let shown = reading.await?;
            self.audit.record(draft(actor, &action)).await?;
            Ok(shown)
        };
        let shown: Result<T, E> = shown.await;
        self.report(actor, action, shown.as_ref().err());
        shown
    }

    /// Changes something once it is on record that it is begun. What is done stays done, whether or not
    /// what came of it can be put on record: it is told in the log then.
    pub(super) async fn change<T, E: Recorded>(
        &self,
        actor: &Actor,
        action: Action<'_>,
        change: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let changed = self.change_recorded(actor, &action, change).await;
        self.report(actor, action, changed.as_ref().err());
        changed
    }

    async fn change_recorded<T, E: Recorded>(
        &self,
        actor: &Actor,
        action: &Action<'_>,
        change: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let begun = self.audit.begin(draft(actor, action)).await?;
        let changed = change.await;
        let finished = match &changed {
            Ok(_) => begun.finish(Outcome::Success, None).await,
            Err(error) => {
                let (_, detail) = error.recorded();
                begun.finish(Outcome::Failure, Some(detail)).await
            }
        };
        if let Err(error) = finished {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                action = action.as_str(),
                "what an operator began has ended"
            );
        }
        changed
    }

    /// Whether a legal hold keeps what is on record, and what lies beside it.
    pub(super) const fn require_no_hold(&self) -> Result<(), Held> {
        self.audit.require_no_hold()
    }

    /// Erases what lies beside what is on record of a tenant.
    pub(super) async fn forget(&self, tenant: &TenantId) -> Result<(), EraseError> {
        self.audit.forget(tenant.as_str()).await
    }

    /// What was asked for in a way that cannot be done.
    pub(super) fn rejected<E: Recorded>(&self, actor: &Actor, action: Action<'_>, error: E) -> E {
        // What could not be looked at was not refused.
        let (result, detail) = error.recorded();
        if result == ActionResult::Rejected {
            let draft = record::rejected(actor, &action);
            self.audit.note(if detail == Held::CODE {
                draft.denied(Held::CODE)
            } else {
                draft
            });
        }
        self.report(actor, action, Some(&error));
        error
    }

    fn report(&self, actor: &Actor, action: Action<'_>, error: Option<&impl Recorded>) {
        let result = error.map_or(ActionResult::Done, |error| error.recorded().0);
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
    }
}

fn draft(actor: &Actor, action: &Action<'_>) -> AuditDraft {
    let draft = record::draft(actor, action, names::recorded(action.tenant()));
    AuditDraft {
        count: draft.count.max(1),
        ..draft
    }
}
