//! What is put on record of what operators do.

use portcullis_telemetry::current_trace_id;

use super::{Action, Actor, DataKeyAction, IndexAction};
use crate::store::{Activity, AuditActor, AuditDraft, AuditOutcome, SYSTEM};

/// The event of an action; `tenant` is whose it is, once that is known to be a tenant's name.
pub(super) fn draft(actor: &Actor, action: &Action<'_>, tenant: Option<&str>) -> AuditDraft {
    let (activity, resource_type) = match action {
        Action::IssueApiKey { .. } => (Activity::Create, "api_key"),
        Action::RevokeApiKey { .. } => (Activity::Delete, "api_key"),
        Action::RotateApiKey { .. } => (Activity::Update, "api_key"),
        Action::ListApiKeys { .. } | Action::ReadApiKey { .. } => (Activity::Read, "api_key"),
        Action::ReadPeppers | Action::ReadTagKey { .. } => (Activity::Read, "pepper"),
        Action::ReadKeyCache => (Activity::Read, "key_cache"),
        Action::InvalidateKeyCache { .. } => (Activity::Update, "key_cache"),
        Action::Request => (Activity::Read, "admin"),
        Action::ReplaceLimits { .. } => (Activity::Update, "limits"),
        Action::ReadLimits => (Activity::Read, "limits"),
        Action::ReplaceDetection { .. } => (Activity::Update, "detection"),
        Action::ReadDetection => (Activity::Read, "detection"),
        Action::ReadQuality { .. } | Action::ReadSamples { .. } => (Activity::Read, "quality"),
        Action::ReadAudit { .. } => (Activity::Read, "audit"),
        Action::DataKeys {
            what: DataKeyAction::Destroy,
            ..
        } => (Activity::Delete, "data_key"),
        Action::DataKeys { what, .. } if what.is_change() => (Activity::Update, "data_key"),
        Action::DataKeys { .. } => (Activity::Read, "data_key"),
        Action::Index {
            what: IndexAction::Read,
            ..
        } => (Activity::Read, "index"),
        Action::Index { .. } => (Activity::Update, "index"),
        Action::Erase { lead: None, .. } => (Activity::Delete, "tenant"),
        Action::Erase { lead: Some(_), .. } => (Activity::Delete, "lead"),
    };
    let resources: Vec<String> = action.resource().into_iter().collect();
    AuditDraft {
        tenant: tenant.unwrap_or(SYSTEM).to_owned(),
        action: action.as_str(),
        activity,
        actor: AuditActor::System(actor.id()),
        resource_type,
        count: u64::try_from(resources.len()).unwrap_or(u64::MAX),
        resources,
        fields: Vec::new(),
        reason: None,
        outcome: AuditOutcome::Success,
        detail: None,
        refs: None,
        peer: actor.address(),
        trace: current_trace_id().map(|trace| trace.to_string()),
    }
}

/// The event of a request that was one too many.
pub(super) fn limited(actor: &Actor) -> AuditDraft {
    AuditDraft {
        count: 1,
        outcome: AuditOutcome::Denied,
        detail: Some("limited"),
        ..draft(actor, &Action::Request, None)
    }
}

/// The event of an action that was asked for in a way that cannot be done.
pub(super) fn rejected(actor: &Actor, action: &Action<'_>) -> AuditDraft {
    AuditDraft {
        count: 1,
        outcome: AuditOutcome::Denied,
        detail: Some("bad_request"),
        ..draft(actor, action, None)
    }
}
