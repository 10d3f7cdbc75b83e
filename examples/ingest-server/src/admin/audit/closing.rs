//! Findings of the rules, closed by who has looked at them.

use std::sync::Arc;

use portcullis_audit_log::event::Code;
use serde::{Deserialize, Serialize};

use super::{AuditError, AuditEvents, InvalidRequest};
use crate::{
    admin::{Action, ActionResult, Actor, AdminEvent, record, recorder::Recorder},
    audit::{AuditDraft, ReasonCodes, StatedReason},
};

/// What came of a finding.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosingRequest {
    /// One of the configured codes.
    code: Option<String>,
}

/// The finding that was closed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClosedFinding {
    /// The number of its entry.
    n: u64,
    /// Its id, which the entry refers to that closes it.
    finding: String,
}

impl ClosingRequest {
    pub(crate) const fn new(code: Option<String>) -> Self {
        Self { code }
    }

    /// The reason, if one is given.
    ///
    /// # Errors
    /// [`InvalidRequest`] if it is none of the configured codes.
    pub(crate) fn read(&self, codes: &ReasonCodes) -> Result<Option<StatedReason>, InvalidRequest> {
        let Some(code) = &self.code else {
            return Ok(None);
        };
        let reason = StatedReason::coded(code, codes);
        reason.map(Some).ok_or(InvalidRequest {
            parameter: "code",
            expected: "must be one of the codes of INGEST_ACCESS_REASONS",
        })
    }
}

impl AuditEvents {
    /// Closes a finding: it is closed once that is on record.
    pub(crate) async fn close_finding(
        &self,
        actor: &Actor,
        n: u64,
        request: &ClosingRequest,
    ) -> Result<ClosedFinding, AuditError> {
        let recorder = Recorder::new(self.audit.clone(), Arc::clone(&self.observer));
        let none = Action::CloseFinding {
            finding: None,
            tenant: None,
        };
        let reason = match request.read(&self.reason_codes) {
            Ok(reason) => reason,
            Err(invalid) => return Err(recorder.rejected(actor, none, invalid.into())),
        };
        // Of two at once, the second finds it closed.
        let _one = self.closing.lock().await;
        let found = self.audit.reading().finding(n).await?;
        let Some(found) = found else {
            return Err(recorder.rejected(actor, none, AuditError::NotFound));
        };
        let action = Action::CloseFinding {
            finding: Some(found.id),
            tenant: Some(&found.tenant),
        };
        if found.is_closed {
            return Err(recorder.rejected(actor, action, AuditError::Closed));
        }
        let draft = AuditDraft {
            count: 1,
            refs: vec![found.id],
            reason,
            ..record::draft(actor, &action, action.tenant())
        };
        let closed = self.audit.record(draft).await;
        let result = ActionResult::of_read(&closed);
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
        closed?;
        Ok(ClosedFinding {
            n,
            finding: found.id.to_string(),
        })
    }
}

impl AuditError {
    /// Why nothing is to be closed, as the log has it.
    pub(super) const CLOSED: Code = Code::new("conflict");
}
