//! An event, put together by a service and stamped by the log.

use super::{
    Action, Activity, Actor, Code, Commitment, Delivery, EventError, EventId, Field, Id,
    MAX_LEAF_BYTES, MAX_RESOURCES, Outcome, Reason, Resource, SpanId, Timestamp, TraceId,
};

/// What happened, as far as a service knows it. The log adds the [`Stamp`].
#[derive(Debug, Clone)]
pub struct EventBuilder {
    pub(super) tenant: Id,
    pub(super) action: Action,
    pub(super) activity: Activity,
    pub(super) actor: Actor,
    pub(super) resources: Vec<Resource>,
    pub(super) count: u64,
    /// The resources are not what is counted.
    pub(super) has_own_count: bool,
    pub(super) fields: Vec<Field>,
    pub(super) reason: Option<Reason>,
    pub(super) outcome: Outcome,
    pub(super) detail: Option<Code>,
    pub(super) refs: Vec<EventId>,
    pub(super) trace: Option<TraceId>,
    pub(super) span: Option<SpanId>,
    pub(super) personal: Option<Commitment>,
}

/// What the log says of an event.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub(super) id: EventId,
    pub(super) time: Timestamp,
    pub(super) delivery: Delivery,
    pub(super) node: Id,
}

/// All of a leaf but its place in the log. It is within the limits of a leaf wherever it comes to stand.
#[derive(Debug, Clone)]
pub struct Event {
    pub(super) draft: EventBuilder,
    pub(super) stamp: Stamp,
    pub(super) longest: usize,
}

impl Stamp {
    /// The id and time of an event, what was promised of it, and the node that it happened on.
    #[must_use]
    pub const fn new(id: EventId, time: Timestamp, delivery: Delivery, node: Id) -> Self {
        Self {
            id,
            time,
            delivery,
            node,
        }
    }
}

impl EventBuilder {
    /// An event of this tenant that was a success and concerned no resource.
    #[must_use]
    pub const fn new(tenant: Id, action: Action, activity: Activity, actor: Actor) -> Self {
        Self {
            tenant,
            action,
            activity,
            actor,
            resources: Vec::new(),
            count: 0,
            has_own_count: false,
            fields: Vec::new(),
            reason: None,
            outcome: Outcome::Success,
            detail: None,
            refs: Vec::new(),
            trace: None,
            span: None,
            personal: None,
        }
    }

    /// What was done.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// What it was done to, at most [`MAX_RESOURCES`].
    #[must_use]
    pub fn resources(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        self.resources.extend(resources);
        self
    }

    /// How many resources it concerns in truth, where that is more than are named here. Never less.
    #[must_use]
    pub const fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// How many there are in truth of what is not named here: it may be none, though a resource says whose they were.
    #[must_use]
    pub(crate) const fn own_count(mut self, count: u64) -> Self {
        self.count = count;
        self.has_own_count = true;
        self
    }

    /// The fields that were shown or changed.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Why it was done.
    #[must_use]
    pub fn reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// It was not allowed, for this reason.
    #[must_use]
    pub const fn denied(self, detail: Code) -> Self {
        self.ended(Outcome::Denied, detail)
    }

    /// It was allowed and did not succeed, for this reason.
    #[must_use]
    pub const fn failed(self, detail: Code) -> Self {
        self.ended(Outcome::Failure, detail)
    }

    /// Nobody can tell what came of it, for this reason.
    #[must_use]
    pub const fn unknown(self, detail: Code) -> Self {
        self.ended(Outcome::Unknown, detail)
    }

    const fn ended(mut self, outcome: Outcome, detail: Code) -> Self {
        self.outcome = outcome;
        self.detail = Some(detail);
        self
    }

    /// Earlier events that it is about, as the one that told of the intent.
    #[must_use]
    pub fn refs(mut self, refs: impl IntoIterator<Item = EventId>) -> Self {
        self.refs.extend(refs);
        self
    }

    /// The trace that it happened in.
    #[must_use]
    pub const fn trace(mut self, trace: TraceId) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The span that it happened in.
    #[must_use]
    pub const fn span(mut self, span: SpanId) -> Self {
        self.span = Some(span);
        self
    }

    /// The commitment to what lies beside the log.
    #[must_use]
    pub const fn personal(mut self, commitment: Commitment) -> Self {
        self.personal = Some(commitment);
        self
    }

    /// The event as it is recorded.
    ///
    /// # Errors
    /// [`EventError`] if it is over a limit, so that writing it can fail no more.
    pub fn build(mut self, stamp: Stamp) -> Result<Event, EventError> {
        let found = self.resources.len();
        if found > MAX_RESOURCES {
            return Err(EventError::TooManyResources { found });
        }
        if !self.has_own_count {
            self.count = self.count.max(found as u64);
        }
        let mut event = Event {
            draft: self,
            stamp,
            longest: 0,
        };
        event.longest = event.longest_leaf();
        if event.longest > MAX_LEAF_BYTES {
            let found = event.longest;
            return Err(EventError::TooLong { found });
        }
        Ok(event)
    }
}

impl Event {
    /// What it is known by.
    #[must_use]
    pub const fn id(&self) -> EventId {
        self.stamp.id
    }

    /// The tenant whose log it is in too.
    #[must_use]
    pub const fn tenant(&self) -> &Id {
        &self.draft.tenant
    }

    /// What was done.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.draft.action
    }

    /// What was promised of it.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.stamp.delivery
    }

    /// Commits to a personal part, in place of what was put in when it was built: to hash it is for who writes.
    pub(crate) const fn commit_to(&mut self, commitment: Commitment) {
        self.draft.personal = Some(commitment);
    }

    /// What came of it.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.draft.outcome
    }

    /// How long its leaf is at most, in bytes, wherever it comes to stand.
    #[must_use]
    pub const fn max_leaf_bytes(&self) -> usize {
        self.longest
    }
}
