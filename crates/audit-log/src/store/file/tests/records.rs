//! What is put into a log.

use super::*;
use crate::{
    checkpoint::{Checkpoint, Policy},
    event::{
        Action, Activity, Actor, ActorType, Delivery, Event, EventBuilder, EventId, Resource,
        ResourceType, Screen, Stamp, Timestamp,
    },
    note::SigningKey,
};

const READ: Action = Action::new("lead.read");
const LEAD: ResourceType = ResourceType::new("lead");

#[derive(Debug)]
struct Passing;

impl Screen for Passing {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

fn id(text: &str) -> Id {
    Id::parse(text, &Passing).unwrap()
}

pub(super) fn tenant(number: u64) -> Id {
    id(&format!("tenant-{number}"))
}

/// Event `n` is of one of three tenants, and about a lead of its own.
pub(super) fn draft(n: u64) -> EventBuilder {
    let actor = Actor::new(ActorType::ApiKey, id("k7Qm2ZpX"));
    let lead = id(&format!("lead-{n}"));
    EventBuilder::new(tenant(n % 3), READ, Activity::Read, actor)
        .resources([Resource::new(LEAD, lead)])
}

pub(super) fn lead(id_of_lead: &str) -> Resource {
    Resource::new(LEAD, id(id_of_lead))
}

pub(super) fn event(n: u64) -> Event {
    built(n, draft(n))
}

/// Event `n`, about these instead.
pub(super) fn event_with(n: u64, resources: Vec<Resource>) -> Event {
    let actor = Actor::new(ActorType::ApiKey, id("k7Qm2ZpX"));
    let draft = EventBuilder::new(tenant(n % 3), READ, Activity::Read, actor);
    built(n, draft.resources(resources))
}

fn built(n: u64, draft: EventBuilder) -> Event {
    let time = Timestamp::from_unix_micros(1_767_323_045_000_000 + n * 1_000_000).unwrap();
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    draft
        .build(Stamp::new(
            EventId::new(time, random),
            time,
            Delivery::Must,
            id("a"),
        ))
        .unwrap()
}

/// The personal part of event `n`, as if it were sealed.
pub(super) fn sealed(n: u64) -> Vec<u8> {
    format!("sealed part {n:08}").into_bytes()
}

pub(super) fn has_part(n: u64) -> bool {
    n % 4 != 3
}

/// The next events of a log; three of four have personal parts.
pub(super) fn group(state: LogState, count: u64) -> Group {
    let first = state.edge().size();
    let mut group = Group::new(state);
    for n in first..first + count {
        let part = has_part(n).then(|| sealed(n));
        group.push(&event(n), part).unwrap();
    }
    group
}

pub(super) fn key() -> SigningKey {
    let seed = secrecy::SecretBox::new(Box::new([1; 32]));
    SigningKey::from_seed("log.example".parse().unwrap(), &seed).unwrap()
}

/// What [`signed`] makes is believed.
pub(super) fn policy() -> Policy {
    Policy::new(vec![key().verifying_key().clone()]).unwrap()
}

pub(super) fn signed(edge: &RightEdge) -> SignedNote {
    let key = key();
    let origin = key.verifying_key().name().clone();
    let checkpoint = Checkpoint::new(origin, edge.size(), edge.root());
    checkpoint.sign(&[key]).unwrap()
}
