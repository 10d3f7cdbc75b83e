//! An event as its origin knows it; which it is and when it happened, the log adds.

use portcullis_audit_log::event::{
    Actor, ActorType, Code, EventBuilder, EventId, Field, Id, MAX_RESOURCES, Outcome, PersonalText,
    Reason, Resource, TraceId,
};
use portcullis_telemetry::current_trace_id;

use super::{AuditAction, Peer, StatedReason, UserAgent, screen};

/// What is put on record. No value of a lead, nothing that was looked for and nothing that was typed goes into an
/// entry: the stated reason, the address and the user agent lie beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditDraft {
    /// Whose it is; none for what concerns the service.
    pub(crate) tenant: Option<String>,
    pub(crate) action: &'static AuditAction,
    pub(crate) actor: AuditActor,
    /// Ids that this service gave out.
    pub(crate) resources: Vec<String>,
    /// How many there were; of refusals, how many stand together in one event.
    pub(crate) count: u64,
    /// The fields that were shown.
    pub(crate) fields: Vec<Field>,
    /// What the actor said it is for.
    pub(crate) reason: Option<StatedReason>,
    pub(crate) outcome: Outcome,
    /// The reason of an outcome that is no success.
    pub(crate) detail: Option<Code>,
    /// Earlier events that it is about.
    pub(crate) refs: Vec<EventId>,
    /// Where it was asked from, and by what.
    pub(crate) peer: Option<Peer>,
    pub(crate) trace: Option<TraceId>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum AuditActor {
    /// The holder of the key of that id.
    ApiKey(String),
    /// A machine, the service itself, or the user who runs a command.
    System(String),
    /// Somebody who did not say who, or said it wrong.
    Anonymous,
}

impl AuditDraft {
    /// The code of an outcome that has to have one and came without.
    pub(super) const UNSPECIFIED: Code = Code::new("unspecified");

    /// Something that is done here and now, and concerns nothing yet.
    pub(crate) fn new(
        tenant: Option<&str>,
        action: &'static AuditAction,
        actor: AuditActor,
    ) -> Self {
        Self {
            tenant: tenant.map(str::to_owned),
            action,
            actor,
            resources: Vec::new(),
            count: 0,
            fields: Vec::new(),
            reason: None,
            outcome: Outcome::Success,
            detail: None,
            refs: Vec::new(),
            peer: None,
            trace: current_trace_id().and_then(|trace| TraceId::from_bytes(trace.to_bytes())),
        }
    }

    /// It was not allowed.
    pub(crate) fn denied(self, detail: Code) -> Self {
        Self {
            count: self.count.max(1),
            outcome: Outcome::Denied,
            detail: Some(detail),
            ..self
        }
    }

    /// What lies beside the entry, if there is anything.
    pub(super) fn personal(&self) -> Option<PersonalText<'_>> {
        let text = self.reason.as_ref().and_then(StatedReason::text);
        let agent = self.peer.as_ref().and_then(|peer| peer.user_agent.as_ref());
        (text.is_some() || self.peer.is_some()).then_some(PersonalText {
            address: self.peer.as_ref().map(|peer| peer.address),
            user_agent: agent.map(UserAgent::as_str),
            text,
        })
    }

    /// The entry.
    pub(crate) fn event(&self) -> EventBuilder {
        let AuditAction {
            action,
            activity,
            resource,
            ..
        } = *self.action;
        let tenant = self.tenant.as_deref();
        let tenant = tenant.map_or(Id::SYSTEM_TENANT, screen::tenant);
        let named = self.resources.iter().take(MAX_RESOURCES);
        let named = named.map(|id| Resource::new(resource, screen::issued(id)));
        let event = EventBuilder::new(tenant, action, activity, self.actor.to_actor())
            .resources(named)
            .count(self.count)
            .fields(self.fields.iter().copied())
            .refs(self.refs.iter().copied());
        let detail = self.detail.unwrap_or(Self::UNSPECIFIED);
        let event = match self.outcome {
            Outcome::Success => event,
            Outcome::Denied => event.denied(detail),
            Outcome::Failure => event.failed(detail),
            Outcome::Unknown => event.unknown(detail),
        };
        let event = match &self.reason {
            Some(reason) => event.reason(reason.to_reason()),
            None => event,
        };
        match self.trace {
            Some(trace) => event.trace(trace),
            None => event,
        }
    }
}

impl AuditActor {
    const ANONYMOUS: Id = Id::constant("anonymous");

    fn to_actor(&self) -> Actor {
        match self {
            Self::ApiKey(kid) => Actor::new(ActorType::ApiKey, screen::issued(kid)),
            Self::System(name) => Actor::new(ActorType::System, screen::issued(name)),
            Self::Anonymous => Actor::new(ActorType::Anonymous, Self::ANONYMOUS),
        }
    }
}

impl StatedReason {
    fn to_reason(&self) -> Reason {
        Reason::new(self.code(), self.reference().cloned())
    }
}
