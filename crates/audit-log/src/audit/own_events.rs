//! What the log says of itself.

use super::{AcceptedFor, AcceptedRollback, LogTree, Shared, generation::origin_of};
use crate::{
    clock::timestamp,
    entropy::EntropyError,
    event::{
        Action, Activity, Actor, ActorType, Code, Delivery, Event, EventBuilder, EventId, Id,
        PRUNED, Resource, ResourceType, Stamp,
    },
    note::KeyName,
};

const ROLLBACK_ACCEPTED: Action = Action::new("audit.rollback_accepted");
const KEPT_LOG: ResourceType = ResourceType::new("kept_log");
const KEPT_TREE: ResourceType = ResourceType::new("kept_tree");
const DAMAGED_LOG: ResourceType = ResourceType::new("damaged_log");
const DAMAGED_TREE: ResourceType = ResourceType::new("damaged_tree");
const KNOWN_LOG: ResourceType = ResourceType::new("known_log");
const KNOWN_TREE: ResourceType = ResourceType::new("known_tree");
pub(super) const OPENED: Action = Action::new("audit.opened");
pub(super) const CLOSED: Action = Action::new("audit.closed");
pub(super) const HEARTBEAT: Action = Action::new("audit.heartbeat");
pub(super) const ERASED: Action = Action::new("audit.erased");
const DROPPED: Action = Action::new("audit.dropped");
const GAP: Action = Action::new("audit.gap");
const UNFINISHED: Action = Action::new("audit.unfinished");
const SINK: ResourceType = ResourceType::new("sink");
const ACTION: ResourceType = ResourceType::new("action");

/// What an intent has for its detail until an event refers to it.
pub(super) const BEGUN: Code = Code::new("begun");

/// Why it is not known what came of something that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// Who began it stopped.
    Abandoned,
    /// Nobody has said so for 5 minutes.
    Expired,
    /// The process ended.
    Crashed,
}

/// Something that was begun and whose end is not known.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub(super) intent: EventId,
    pub(super) tenant: Id,
    pub(super) why: Unfinished,
}

impl Closing {
    /// `audit.unfinished`, which refers to the intent.
    pub(super) fn event(&self, shared: &Shared) -> Result<Event, EntropyError> {
        let draft = draft(shared, self.tenant.clone(), UNFINISHED)
            .unknown(self.why.code())
            .refs([self.intent]);
        built(shared, draft)
    }
}

impl Unfinished {
    const fn code(self) -> Code {
        match self {
            Self::Abandoned => Code::new("abandoned"),
            Self::Expired => Code::new("expired"),
            Self::Crashed => Code::new("crashed"),
        }
    }
}

/// An event of the log about itself.
pub(super) fn of_itself(shared: &Shared, action: Action) -> Result<Event, EntropyError> {
    built(shared, draft(shared, Id::SYSTEM_TENANT, action))
}

/// `audit.dropped`: how many of an action are missing.
pub(super) fn dropped(shared: &Shared, action: Action, count: u64) -> Result<Event, EntropyError> {
    let draft = draft(shared, Id::SYSTEM_TENANT, DROPPED)
        .resources([Resource::new(ACTION, Id::of_action(action))])
        .count(count);
    built(shared, draft)
}

/// `audit.rollback_accepted`: origin, size and root of the log that was there, and of what an anchor knew. Of a damaged
/// log that is what is known of it, and nothing where nothing is.
pub(super) fn rollback_accepted(
    shared: &Shared,
    base: &KeyName,
    accepted: &AcceptedRollback,
) -> Result<Event, EntropyError> {
    let AcceptedRollback { known, kept, cause } = accepted;
    let log = |tree: &LogTree| {
        // It was opened under that origin.
        let origin = origin_of(base, tree.generation).unwrap_or_else(|_| base.clone());
        Id::of_origin(&origin)
    };
    let (kept_log, kept_tree) = match cause {
        AcceptedFor::Rollback => (KEPT_LOG, KEPT_TREE),
        AcceptedFor::Damage => (DAMAGED_LOG, DAMAGED_TREE),
    };
    // A log that opened may have been empty; of any other, a tree without entries is one that nobody knows.
    let is_there = *cause == AcceptedFor::Rollback;
    let said = |kind, tree: &LogTree, is_there: bool| {
        let is_known = tree.size > 0 || is_there;
        is_known.then(|| Resource::new(kind, Id::of_tree(tree.size, &tree.root)))
    };
    let kept = [
        Some(Resource::new(kept_log, log(kept))),
        said(kept_tree, kept, is_there),
    ];
    let known = [
        Some(Resource::new(KNOWN_LOG, log(known))),
        said(KNOWN_TREE, known, false),
    ];
    let resources = kept.into_iter().chain(known).flatten();
    built(
        shared,
        draft(shared, Id::SYSTEM_TENANT, ROLLBACK_ACCEPTED).resources(resources),
    )
}

/// `audit.gap`: how many leaves go before a sink has them.
pub(super) fn gap(shared: &Shared, sink: Id, count: u64) -> EventBuilder {
    draft(shared, Id::SYSTEM_TENANT, GAP)
        .resources([Resource::new(SINK, sink)])
        .count(count)
}

/// `audit.pruned`: how many leaves go.
pub(super) fn pruned(shared: &Shared, count: u64) -> EventBuilder {
    draft(shared, Id::SYSTEM_TENANT, PRUNED).count(count)
}

pub(super) fn draft(shared: &Shared, tenant: Id, action: Action) -> EventBuilder {
    let actor = Actor::new(ActorType::System, shared.node.clone());
    EventBuilder::new(tenant, action, Activity::Other, actor)
}

fn built(shared: &Shared, draft: EventBuilder) -> Result<Event, EntropyError> {
    let time = timestamp(&*shared.clock);
    let id = shared.ids.event_id(time)?;
    let stamp = Stamp::new(id, time, Delivery::Must, shared.node.clone());
    Ok(draft
        .build(stamp)
        .expect("what the log says of itself has four resources at most"))
}
