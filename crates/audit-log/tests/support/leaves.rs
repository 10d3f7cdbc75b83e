//! Leaves of every form.

use portcullis_audit_log::event::{
    Action, Activity, Actor, ActorType, Code, Delivery, EventBuilder, EventId, Field, Id,
    LeafNumbers, Personal, PersonalText, Reason, Resource, ResourceType, Salt, SpanId, Stamp,
    Timestamp, TraceId,
};

/// Of each class, and of none.
pub(crate) const ACTIONS: [Action; 22] = [
    Action::new("lead.read"),
    Action::new("lead.erase"),
    Action::new("event.write"),
    Action::new("audit.read"),
    Action::new("audit.heartbeat"),
    Action::new("audit.suspicious"),
    Action::new("session.begin"),
    Action::new("session.end"),
    Action::new("sign_in"),
    Action::new("sign_out"),
    Action::new("assignment.change"),
    Action::new("elevation.request"),
    Action::new("grant.revoke"),
    Action::new("role.change"),
    Action::new("api_key.issue"),
    Action::new("data_key.destroy"),
    Action::new("detection.replace"),
    Action::new("index.rotate"),
    Action::new("limits.replace"),
    Action::new("pepper.list"),
    Action::new("person.invite"),
    Action::new("tenant.erase"),
];

const KINDS: [ResourceType; 4] = [
    ResourceType::new("lead"),
    ResourceType::new("person"),
    ResourceType::new("api_key"),
    ResourceType::new("tenant"),
];

/// Each action with each activity, outcome and set of optional members.
pub(crate) fn every() -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for action in ACTIONS {
        for activity in Activity::ALL {
            for outcome in 0..4 {
                for members in 0..4 {
                    let n = leaves.len() as u64;
                    leaves.push(leaf(n, action, *activity, outcome, members));
                }
            }
        }
    }
    leaves
}

pub(crate) fn leaf(
    n: u64,
    action: Action,
    activity: Activity,
    outcome: u8,
    members: u8,
) -> Vec<u8> {
    let index = usize::try_from(n).expect("there are few");
    let kind = ActorType::ALL[(index / 4) % 4];
    let mut actor = Actor::new(kind, Id::constant("k7Qm2ZpX"));
    if members == 3 {
        actor = actor.elevated_by(Id::constant("e-77"));
    }
    let mut event = EventBuilder::new(Id::constant("tenant-7"), action, activity, actor);
    let resources = (0..[0, 1, 3, 128][usize::from(members)])
        .map(|m: usize| Resource::new(KINDS[(index + m) % 4], Id::constant("l-1")));
    event = event.resources(resources);
    if members >= 1 {
        event = event.fields([Field::new("lead.email"), Field::new("lead.phone")]);
        let reason = Reason::new(Code::new("support"), Some(Id::constant("T-1042")));
        event = event.reason(reason);
    }
    let detail = Code::new("missing_scope");
    event = match outcome {
        0 => event,
        1 => event.denied(detail),
        2 => event.failed(detail),
        _ => event.unknown(detail),
    };
    let time = Timestamp::from_unix_micros(1_767_323_045_678_901 + n).expect("before 9999");
    if members >= 2 {
        let trace = TraceId::parse("4bf92f3577b34da6a3ce929d0e0e4736").expect("an id");
        let span = SpanId::parse("00f067aa0ba902b7").expect("an id");
        let text = PersonalText {
            user_agent: Some("curl/8.5"),
            ..PersonalText::default()
        };
        let personal = Personal::new(Salt::from_bytes([7; 16]), &text).expect("it is short");
        event = event
            .trace(trace)
            .span(span)
            .personal(personal.commitment())
            .refs([EventId::new(time, [1; 10]), EventId::new(time, [2; 10])]);
    }
    let mut random = [0xa5; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    let stamp = Stamp::new(
        EventId::new(time, random),
        time,
        Delivery::Must,
        Id::constant("a"),
    );
    let mut bytes = Vec::new();
    let numbers = LeafNumbers {
        in_tree: n,
        in_tenant: n,
    };
    let event = event.build(stamp).expect("it is within the limits");
    event.write_leaf(numbers, &mut bytes);
    bytes
}
