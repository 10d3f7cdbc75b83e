//! Events of every form.

use proptest::prelude::*;

use super::{NoJane, least, stamp};
use crate::event::{
    Actor, ActorType, Code, EventBuilder, EventId, Field, Id, Personal, PersonalText, Reason,
    Resource, ResourceType, Salt, SpanId, Timestamp, TraceId,
};

pub(super) fn builder() -> impl Strategy<Value = EventBuilder> {
    let ids = ("[A-Za-z_.:/-]{1,20}", "[A-Za-z0-9_.:/-]{1,127}x");
    let lists = (0_usize..9, 0_usize..9, 0_usize..3);
    let optional = (
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        any::<Option<u128>>(),
        any::<Option<u64>>(),
        prop::option::of(".{0,30}"),
    );
    (ids, lists, optional, 0_usize..4, 0_usize..4, any::<u64>()).prop_map(
        |((tenant, id), lists, optional, outcome, kind, count)| {
            let (grant, reason, trace, span, text) = optional;
            let [tenant, id] = [tenant, id].map(|id| id.replace("jane", "june"));
            let parse = |id: &str| Id::parse(id, &NoJane).unwrap_or(Id::constant("j"));
            let mut actor = Actor::new(ActorType::ALL[kind], parse(&id));
            if grant.is_some() {
                actor = actor.elevated_by(parse(&tenant));
            }
            let mut builder = EventBuilder {
                tenant: parse(&tenant),
                actor,
                ..least()
            };
            let resource = Resource::new(ResourceType::new("lead"), parse(&id));
            builder = builder.resources(vec![resource; lists.0]);
            builder = builder.fields(vec![Field::new("lead.email"); lists.1]);
            let refs = (0..lists.2).map(|n| {
                let time = Timestamp::from_unix_micros(n as u64).expect("soon after 1970");
                EventId::new(time, [n.to_be_bytes()[7]; 10])
            });
            builder = builder.refs(refs).count(count >> 20);
            let detail = Code::new("missing_scope");
            builder = match outcome {
                0 => builder,
                1 => builder.denied(detail),
                2 => builder.failed(detail),
                _ => builder.unknown(detail),
            };
            if let Some(with_reference) = reason {
                let reference = with_reference.then(|| parse("T-1042"));
                builder = builder.reason(Reason::new(Code::new("support"), reference));
            }
            if let Some(id) = trace.and_then(|id| TraceId::from_bytes(id.to_be_bytes())) {
                builder = builder.trace(id);
            }
            if let Some(id) = span.and_then(|id| SpanId::from_bytes(id.to_be_bytes())) {
                builder = builder.span(id);
            }
            if let Some(text) = &text {
                let text = PersonalText {
                    text: Some(text),
                    ..PersonalText::default()
                };
                let personal = Personal::new(Salt::from_bytes([7; 16]), &text);
                builder = builder.personal(personal.expect("it is short").commitment());
            }
            assert!(builder.clone().build(stamp()).is_ok());
            builder
        },
    )
}
