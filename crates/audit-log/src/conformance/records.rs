//! What a suite puts into a log.

use secrecy::SecretBox;

use crate::{
    checkpoint::Checkpoint,
    event::{
        Action, Activity, Actor, ActorType, Code, Delivery, Event, EventBuilder, EventId, Field,
        Id, Resource, ResourceType, Screen, Stamp, Timestamp,
    },
    note::{KeyName, SignedNote, SigningKey},
    store::{Group, Store, StoreError},
    tree::RightEdge,
};

pub(super) const READ: Action = Action::new("lead.read");
pub(super) const ERASE: Action = Action::new("lead.erase");
const LEAD: ResourceType = ResourceType::new("lead");
const EMAIL: Field = Field::new("lead.email");
const LIMITED: Code = Code::new("limited");
/// 2026-01-02T03:04:05.678901Z.
const START: u64 = 1_767_323_045_678_901;
const SECOND: u64 = 1_000_000;

/// An event that differs from every other in its lead, and from its neighbours in everything else.
pub(super) fn event(number: u64) -> Event {
    let action = if number.is_multiple_of(3) {
        ERASE
    } else {
        READ
    };
    let actor = Actor::new(ActorType::ApiKey, id("key", number % 5));
    let draft = EventBuilder::new(tenant(number % 2), action, Activity::Read, actor)
        .resources([Resource::new(LEAD, id("lead", number))])
        .fields(number.is_multiple_of(4).then_some(EMAIL));
    let draft = if number.is_multiple_of(7) {
        draft.denied(LIMITED)
    } else {
        draft
    };
    let time = time(number);
    let node = Id::constant("node-a");
    let stamp = Stamp::new(
        EventId::new(time, random(number)),
        time,
        Delivery::Must,
        node,
    );
    draft.build(stamp).expect("it is short")
}

/// When the event of that number happened: a second after the one before.
pub(super) fn time(number: u64) -> Timestamp {
    Timestamp::from_unix_micros(START + number * SECOND).expect("it is before 10000")
}

/// One of the two tenants whose events there are.
pub(super) fn tenant(number: u64) -> Id {
    id("tenant", number)
}

pub(super) fn id(what: &str, number: u64) -> Id {
    #[derive(Debug)]
    struct Passing;
    impl Screen for Passing {
        fn is_personal(&self, _: &str) -> bool {
            false
        }
    }
    Id::parse(&format!("{what}-{number}"), &Passing).expect("it has the form of an id")
}

const fn random(number: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    let number = number.to_be_bytes();
    let mut at = 0;
    while at < number.len() {
        bytes[2 + at] = number[at];
        at += 1;
    }
    bytes
}

/// Appends events that have those numbers, each with what `sealed` gives for it, and gives the tree.
pub(super) async fn append(
    store: &dyn Store,
    numbers: std::ops::Range<u64>,
    sealed: impl Fn(u64) -> Option<Vec<u8>>,
) -> Result<RightEdge, StoreError> {
    let taken = store.lock(&[tenant(0), tenant(1)]).await?;
    let mut group = Group::new(taken.state());
    for number in numbers {
        group
            .push(&event(number), sealed(number))
            .expect("a suite has small groups");
    }
    let edge = group.edge_after().clone();
    taken.commit(&group).await?;
    Ok(edge)
}

/// The key of a suite's log.
pub(super) fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed(origin(), &seed).expect("any 32 bytes are a seed")
}

pub(super) fn origin() -> KeyName {
    "portcullis.example/conformance"
        .parse()
        .expect("it is a name")
}

/// The checkpoint of a tree, signed.
pub(super) fn signed(edge: &RightEdge) -> SignedNote {
    Checkpoint::new(origin(), edge.size(), edge.root())
        .sign(&[key()])
        .expect("the key has the name of the log")
}
