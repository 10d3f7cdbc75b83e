//! What a leaf says.

use super::{
    Activity, ActorType, Commitment, Delivery, EventId, Items, Leaf, LeafNumbers, Outcome, SpanId,
    Timestamp, TraceId, event_id, field, resource,
};

impl<'a> Leaf<'a> {
    /// `n` and `tn`: its place in the log and in that of its tenant.
    #[must_use]
    pub const fn numbers(&self) -> LeafNumbers {
        self.numbers
    }

    /// `id`: what the event is known by.
    #[must_use]
    pub const fn id(&self) -> EventId {
        self.id
    }

    /// `time`: when it happened.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// `tenant`: whose event it is.
    #[must_use]
    pub const fn tenant(&self) -> &'a str {
        self.tenant
    }

    /// `action`: what was done.
    #[must_use]
    pub const fn action(&self) -> &'a str {
        self.action
    }

    /// `activity`: what kind of action that is.
    #[must_use]
    pub const fn activity(&self) -> Activity {
        self.activity
    }

    /// `actor.type`: what kind of actor it was.
    #[must_use]
    pub const fn actor_type(&self) -> ActorType {
        self.actor_type
    }

    /// `actor.id`: the pseudonym of the actor.
    #[must_use]
    pub const fn actor_id(&self) -> &'a str {
        self.actor_id
    }

    /// `actor.grant`: the elevation of rights that the actor acted by.
    #[must_use]
    pub const fn grant(&self) -> Option<&'a str> {
        self.grant
    }

    /// `resources`: type and id of each.
    #[must_use]
    pub const fn resources(&self) -> Items<'a, (&'a str, &'a str)> {
        Items::of_checked(self.resources, resource)
    }

    /// `count`: how many resources it concerned in truth.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// `fields`: the names of those that were shown or changed.
    #[must_use]
    pub const fn fields(&self) -> Items<'a, &'a str> {
        Items::of_checked(self.fields, field)
    }

    /// `reason.code`: why.
    #[must_use]
    pub fn reason_code(&self) -> Option<&'a str> {
        self.reason.map(|(code, _)| code)
    }

    /// `reason.ref`: the reference that belongs to the reason.
    #[must_use]
    pub fn reason_reference(&self) -> Option<&'a str> {
        self.reason.and_then(|(_, reference)| reference)
    }

    /// `outcome`: what came of it.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// `detail`: why it was no success.
    #[must_use]
    pub const fn detail(&self) -> Option<&'a str> {
        self.detail
    }

    /// `delivery`: what the log promised.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// `refs`: earlier events that it is about.
    #[must_use]
    pub const fn refs(&self) -> Items<'a, EventId> {
        Items::of_checked(self.refs, event_id)
    }

    /// `trace`: the trace that it happened in.
    #[must_use]
    pub const fn trace(&self) -> Option<TraceId> {
        self.trace
    }

    /// `span`: the span that it happened in.
    #[must_use]
    pub const fn span(&self) -> Option<SpanId> {
        self.span
    }

    /// `node`: where it happened.
    #[must_use]
    pub const fn node(&self) -> &'a str {
        self.node
    }

    /// `personal`: the commitment to what lies beside the log.
    #[must_use]
    pub const fn personal(&self) -> Option<Commitment> {
        self.personal
    }
}
