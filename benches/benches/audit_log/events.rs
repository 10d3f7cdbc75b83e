//! An event as a service records it when somebody reads a lead, and the log line that it would write otherwise.

use portcullis_audit_log::{
    checkpoint::Checkpoint,
    event::{
        Action, Activity, Actor, ActorType, Code, Delivery, Event, EventBuilder, EventId, Field,
        Id, Personal, PersonalText, Reason, Resource, ResourceType, Salt, Screen, SpanId, Stamp,
        Timestamp, TraceId,
    },
    note::{KeyName, SignedNote, SigningKey},
    tree::RightEdge,
};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use secrecy::SecretBox;
use serde_json::json;

const READ: Action = Action::new("lead.read");
const FIELDS: [Field; 2] = [Field::new("lead.email"), Field::new("lead.phone")];
const LEAD: ResourceType = ResourceType::new("lead");
const SUPPORT: Code = Code::new("support");
/// 2026-01-02T03:04:05.678901Z.
const START: u64 = 1_767_323_045_678_901;

#[derive(Debug)]
struct Passing;

impl Screen for Passing {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, &Passing).expect("it has the form of an id")
}

/// The lead that an event of this number is about, as a UUID.
pub(crate) fn lead(number: u64) -> String {
    format!("0198c0de-0000-7000-8000-{number:012x}")
}

pub(crate) fn draft(number: u64) -> EventBuilder {
    let actor = Actor::new(ActorType::ApiKey, id("k7Qm2ZpX"));
    let tenant = id(&format!("tenant-{}", number % 100));
    EventBuilder::new(tenant, READ, Activity::Read, actor)
        .resources([Resource::new(LEAD, id(&lead(number)))])
        .fields(FIELDS)
        .reason(Reason::new(SUPPORT, Some(Id::constant("T-1042"))))
        .trace(TraceId::from_bytes([0x4b; 16]).expect("it is not zero"))
        .span(SpanId::from_bytes([0xf0; 8]).expect("it is not zero"))
}

pub(crate) fn event(number: u64) -> Event {
    event_of(number, draft(number))
}

pub(crate) fn event_of(number: u64, draft: EventBuilder) -> Event {
    let time = Timestamp::from_unix_micros(START + number * 1_000).expect("before 10000");
    let mut random = [7; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let stamp = Stamp::new(
        EventId::new(time, random),
        time,
        Delivery::Must,
        Id::constant("node-a"),
    );
    draft.build(stamp).expect("it is short")
}

/// What somebody typed, with where they are: 110 bytes.
pub(crate) fn typed() -> Personal {
    let text = PersonalText {
        address: Some("203.0.113.7".parse().expect("it is an address")),
        user_agent: Some("curl/8.5"),
        text: Some("the customer has called about the offer of last week"),
    };
    Personal::new(Salt::from_bytes([7; 16]), &text).expect("it is short")
}

pub(crate) fn sealing() -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("any 32 bytes are a key");
    LessSafeKey::new(key)
}

pub(crate) fn sealed(key: &LessSafeKey, part: &Personal) -> Vec<u8> {
    let mut bytes = part.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key([7; 12]);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes)
        .expect("it is short");
    bytes
}

/// The same as a structured log line.
pub(crate) fn json_line(number: u64) -> Vec<u8> {
    let line = json!({
        "timestamp": "2026-01-02T03:04:05.678901Z", "level": "INFO", "target": "audit",
        "tenant": format!("tenant-{}", number % 100), "action": "lead.read", "activity": "read",
        "actor": "k7Qm2ZpX", "resource": lead(number), "fields": ["lead.email", "lead.phone"],
        "reason": "support", "ref": "T-1042", "outcome": "success",
        "trace": "4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b", "span": "f0f0f0f0f0f0f0f0", "node": "node-a",
    });
    serde_json::to_vec(&line).expect("it has nothing that JSON has not")
}

pub(crate) fn origin() -> KeyName {
    "portcullis.example/bench".parse().expect("it is a name")
}

pub(crate) fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed(origin(), &seed).expect("any 32 bytes are a seed")
}

pub(crate) fn signed(edge: &RightEdge) -> SignedNote {
    Checkpoint::new(origin(), edge.size(), edge.root())
        .sign(&[key()])
        .expect("the key has the name of the log")
}
