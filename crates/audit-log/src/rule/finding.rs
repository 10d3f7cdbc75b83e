//! What a rule found.

use super::Rule;
use crate::event::{
    Action, Activity, Actor, ActorType, EventBuilder, EventId, Id, Reason, Resource, ResourceType,
    Timestamp,
};

/// The action of a finding.
pub const SUSPICIOUS: Action = Action::new("audit.suspicious");

/// The action by which somebody who has looked at findings closes them; it refers to them.
pub const FINDING_CLOSED: Action = Action::new("audit.finding_closed");

/// The most events that a finding refers to.
pub const MAX_REFS: usize = 16;

/// An actor that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// When the last of the events was that it is about.
    pub time: Timestamp,
    /// The tenant of that event.
    pub tenant: Id,
    /// What kind of actor it is.
    pub actor_type: ActorType,
    /// The pseudonym of the actor.
    pub actor_id: Id,
    /// How many it was that the rule counts: resources, fields, failures; 1 for the others.
    pub count: u64,
    /// The events that it is about, the latest last, at most [`MAX_REFS`] of them.
    pub refs: Vec<EventId>,
}

impl Finding {
    /// The event `audit.suspicious`: recorded by the rules, on the actor as a resource, with the rule as its reason.
    #[must_use]
    pub fn event(&self) -> EventBuilder {
        let rules = Actor::new(ActorType::System, Id::constant("audit-rules"));
        let kind = ResourceType::new(self.actor_type.as_str());
        EventBuilder::new(self.tenant.clone(), SUSPICIOUS, Activity::Create, rules)
            .resources([Resource::new(kind, self.actor_id.clone())])
            .count(self.count)
            .reason(Reason::new(self.rule.code(), None))
            .refs(self.refs.iter().copied())
    }
}
