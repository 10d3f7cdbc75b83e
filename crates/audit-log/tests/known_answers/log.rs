//! The log that all answers are about.

use portcullis_audit_log::event::{
    Action, Activity, Actor, ActorType, Code, Delivery, EventBuilder, EventId, Field, Id,
    LeafNumbers, Personal, PersonalText, Reason, Resource, ResourceType, Salt, Screen, SpanId,
    Stamp, Timestamp, TraceId,
};

#[derive(Debug)]
struct Nothing;

impl Screen for Nothing {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

/// Leaf `n`, by the types that an event is made from.
pub(crate) fn leaf(n: u64) -> Vec<u8> {
    let id = |text: &str| Id::parse(text, &Nothing).unwrap();
    let actor = Actor::new(ActorType::ApiKey, id("k7Qm2ZpX"));
    let lead = id("0198c0de-0000-7000-8000-0000000000aa");
    let event = EventBuilder::new(
        id("tenant-7"),
        Action::new("lead.read"),
        Activity::Read,
        actor,
    )
    .resources([Resource::new(ResourceType::new("lead"), lead)])
    .fields([Field::new("lead.email"), Field::new("lead.phone")])
    .reason(Reason::new(Code::new("support"), Some(id("T-1042"))))
    .trace(TraceId::parse("4bf92f3577b34da6a3ce929d0e0e4736").unwrap())
    .span(SpanId::parse("00f067aa0ba902b7").unwrap())
    .personal(personal().commitment());
    let stamp = Stamp::new(
        EventId::parse(&format!("0198c0de-0000-7000-8000-{n:012x}")).unwrap(),
        Timestamp::parse("2026-01-02T03:04:05.678901Z").unwrap(),
        Delivery::Must,
        id("a"),
    );
    let numbers = LeafNumbers {
        in_tree: n,
        in_tenant: n,
    };
    let mut bytes = Vec::new();
    event.build(stamp).unwrap().write_leaf(numbers, &mut bytes);
    bytes
}

/// The personal part of each.
pub(crate) fn personal() -> Personal {
    let salt: [u8; 16] = std::array::from_fn(|n| n.try_into().unwrap());
    let text = PersonalText {
        address: "203.0.113.7".parse().ok(),
        user_agent: Some("curl/8.5"),
        text: Some("customer called"),
    };
    Personal::new(Salt::from_bytes(salt), &text).unwrap()
}
