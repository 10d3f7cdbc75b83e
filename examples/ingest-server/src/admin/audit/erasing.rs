//! What lies beside the log is erased before its time: of an event, an actor, a resource or a tenant.

use std::sync::Arc;

use portcullis_audit_log::{
    audit::{EraseError, Erasure},
    event::{Code, Id},
};
use serde::{Deserialize, Serialize};

use super::{AuditError, AuditEvents, AuditPage, AuditRequest, InvalidRequest};
use crate::{
    admin::{
        Action, ActionResult, Actor,
        recorder::{Recorded, Recorder},
    },
    audit::{Held, NotReached, issued_id},
};

/// Whose parts are erased: exactly one of these.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditErasureRequest {
    event: Option<u64>,
    actor: Option<String>,
    resource: Option<String>,
    tenant: Option<String>,
}

/// What was erased.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ErasedParts {
    /// How many parts there were.
    pub(crate) erased: u64,
    /// Logs of this machine that may have more of them.
    not_reached: Vec<NotReached>,
}

const ONE: &str =
    "must be the only one of `event`, `actor`, `resource` and `tenant`, and one must be there";

impl AuditErasureRequest {
    /// Of one of the four, by its name.
    pub(crate) fn new(
        event: Option<u64>,
        actor: Option<String>,
        resource: Option<String>,
        tenant: Option<String>,
    ) -> Self {
        Self {
            event,
            actor,
            resource,
            tenant,
        }
    }

    /// Whose they are, and how that is put on record.
    pub(crate) fn read(&self) -> Result<(Erasure, String), InvalidRequest> {
        let id = |parameter, text: &str| {
            issued_id(text).ok_or(InvalidRequest {
                parameter,
                expected: "must be an id, as the entries have it",
            })
        };
        let named = |of: fn(Id) -> Erasure, parameter, text: &str| {
            let id = id(parameter, text)?;
            let name = format!("{parameter}:{id}");
            Ok((of(id), name))
        };
        match (self.event, &self.actor, &self.resource, &self.tenant) {
            (Some(n), None, None, None) => Ok((Erasure::Event(n), format!("event:{n}"))),
            (None, Some(actor), None, None) => named(Erasure::Actor, "actor", actor),
            (None, None, Some(resource), None) => named(Erasure::Resource, "resource", resource),
            (None, None, None, Some(tenant)) => named(Erasure::Tenant, "tenant", tenant),
            _ => Err(InvalidRequest {
                parameter: "event",
                expected: ONE,
            }),
        }
    }
}

impl AuditEvents {
    /// Erases parts. Entries, tree and proofs stay as they were.
    pub(crate) async fn erase(
        &self,
        actor: &Actor,
        request: &AuditErasureRequest,
    ) -> Result<ErasedParts, AuditError> {
        let recorder = Recorder::new(self.audit.clone(), Arc::clone(&self.observer));
        let (erasure, whose) = request.read()?;
        // What somebody types must not get into the log by being asked for.
        if !self.audit.reading().concerns_any(&erasure).await? {
            let action = Action::EraseAudit { whose: None };
            return Err(recorder.rejected(actor, action, AuditError::NotFound));
        }
        if let Err(held) = self.audit.require_no_hold() {
            let action = Action::EraseAudit {
                whose: Some(&whose),
            };
            return Err(recorder.rejected(actor, action, held.into()));
        }
        let whose = Some(whose.as_str());
        let action = Action::EraseAudit { whose };
        let erasing = async {
            let erased = self.audit.erase(&erasure).await?;
            Ok(ErasedParts {
                erased: erased.parts,
                not_reached: erased.not_reached,
            })
        };
        recorder.change(actor, action, erasing).await
    }

    /// A page of what was erased, newest first: before its time, and for its age.
    pub(crate) async fn erasures(
        &self,
        actor: &Actor,
        limit: Option<String>,
        cursor: Option<String>,
    ) -> Result<AuditPage, AuditError> {
        let request = AuditRequest {
            action: Some("audit.erased".to_owned()),
            outcome: Some("success".to_owned()),
            limit,
            cursor,
            ..AuditRequest::default()
        };
        self.find(actor, &request).await
    }
}

impl From<EraseError> for AuditError {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Unrecorded(error) => Self::Unrecorded(error.into()),
            EraseError::Store(error) => Self::Log(error),
            other => Self::Erase(other),
        }
    }
}

impl Recorded for AuditError {
    fn recorded(&self) -> (ActionResult, Code) {
        match self {
            Self::Closed => (ActionResult::Rejected, Self::CLOSED),
            Self::Held(_) => (ActionResult::Rejected, Held::CODE),
            Self::Invalid(_) | Self::NotFound | Self::UnderWay(_) => {
                (ActionResult::Rejected, Code::new("bad_request"))
            }
            _ => (ActionResult::Failed, Code::new("failed")),
        }
    }
}
