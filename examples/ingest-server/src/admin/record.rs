//! What is put on record of what operators do.

use portcullis_audit_log::event::Code;

use super::{Action, Actor};
use crate::audit::{AuditActor, AuditDraft};

/// The event of an action; `tenant` is whose it is, once that is known to be a tenant's name.
pub(super) fn draft(actor: &Actor, action: &Action<'_>, tenant: Option<&str>) -> AuditDraft {
    let operator = AuditActor::System(actor.id());
    AuditDraft {
        resources: action.resource().into_iter().collect(),
        peer: actor.peer().cloned(),
        ..AuditDraft::new(tenant, action.on_record(), operator)
    }
}

/// The event of a request that was one too many.
pub(super) fn limited(actor: &Actor) -> AuditDraft {
    draft(actor, &Action::Request, None).denied(Code::new("limited"))
}

/// The event of an action that was asked for in a way that cannot be done.
pub(super) fn rejected(actor: &Actor, action: &Action<'_>) -> AuditDraft {
    draft(actor, action, None).denied(Code::new("bad_request"))
}
