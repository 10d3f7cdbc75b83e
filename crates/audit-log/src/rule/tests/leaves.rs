//! Leaves of accesses.

use std::ops::Range;

use crate::event::{
    Action, Activity, Actor, ActorType, Code, Delivery, EventBuilder, EventId, Field, Id,
    LeafNumbers, Personal, PersonalText, Reason, Resource, ResourceType, Salt, Screen, Stamp,
    Timestamp,
};

/// 2026-01-05, a Monday, at 0 h.
pub(super) const START: u64 = 1_767_571_200_000_000;
pub(super) const MINUTES: u64 = 60 * 1_000_000;

#[derive(Debug)]
struct Nothing;

impl Screen for Nothing {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

/// By the person `p-1`, of one lead.
#[derive(Debug, Clone)]
pub(super) struct Access {
    micros: u64,
    kind: ActorType,
    actor: String,
    action: &'static str,
    activity: Activity,
    resources: Range<usize>,
    count: u64,
    fields: usize,
    reason: Option<&'static str>,
    denied: bool,
    has_part: bool,
}

impl Access {
    pub(super) fn at(minute: u64) -> Self {
        Self::at_micros(START + minute * MINUTES)
    }

    pub(super) fn at_micros(micros: u64) -> Self {
        Self {
            micros,
            kind: ActorType::Person,
            actor: "p-1".to_owned(),
            action: "lead.read",
            activity: Activity::Read,
            resources: 0..1,
            count: 0,
            fields: 2,
            reason: None,
            denied: false,
            has_part: false,
        }
    }

    pub(super) fn later(self, seconds: u64) -> Self {
        let micros = self.micros + seconds * 1_000_000;
        Self { micros, ..self }
    }

    pub(super) fn actor(self, kind: ActorType, actor: &str) -> Self {
        let actor = actor.to_owned();
        Self {
            kind,
            actor,
            ..self
        }
    }

    pub(super) fn action(self, action: &'static str) -> Self {
        Self { action, ..self }
    }

    pub(super) fn activity(self, activity: Activity) -> Self {
        Self { activity, ..self }
    }

    pub(super) fn resources(self, resources: Range<usize>) -> Self {
        Self { resources, ..self }
    }

    pub(super) fn count(self, count: u64) -> Self {
        Self { count, ..self }
    }

    pub(super) fn fields(self, fields: usize) -> Self {
        Self { fields, ..self }
    }

    pub(super) fn reason(self, reason: &'static str) -> Self {
        let reason = Some(reason);
        Self { reason, ..self }
    }

    pub(super) fn denied(self) -> Self {
        Self {
            denied: true,
            ..self
        }
    }

    /// With something beside it.
    pub(super) fn with_part(self) -> Self {
        Self {
            has_part: true,
            ..self
        }
    }

    pub(super) fn micros(&self) -> u64 {
        self.micros
    }

    pub(super) fn leaf(&self) -> Vec<u8> {
        let id = |text: &str| Id::parse(text, &Nothing).unwrap();
        let actor = Actor::new(self.kind, id(&self.actor));
        let action = Action::new(self.action);
        let lead = |n: usize| Resource::new(ResourceType::new("lead"), id(&format!("l-{n}")));
        let mut event = EventBuilder::new(id("tenant-7"), action, self.activity, actor)
            .resources(self.resources.clone().map(lead))
            .count(self.count)
            .fields((0..self.fields).map(|_| Field::new("lead.email")));
        if let Some(code) = self.reason {
            event = event.reason(Reason::new(Code::new(code), None));
        }
        if self.denied {
            event = event.denied(Code::new("missing_scope"));
        }
        let mut leaf = written(event, self.micros);
        if self.has_part {
            let part = Personal::new(Salt::from_bytes([7; 16]), &PersonalText::default()).unwrap();
            let end = format!(r#","personal":"{}"}}"#, part.commitment());
            leaf.truncate(leaf.len() - 1);
            leaf.extend_from_slice(end.as_bytes());
        }
        leaf
    }
}

pub(super) fn written(event: EventBuilder, micros: u64) -> Vec<u8> {
    let time = Timestamp::from_unix_micros(micros).unwrap();
    let mut random = [0; 10];
    random[2..].copy_from_slice(&micros.to_be_bytes());
    let stamp = Stamp::new(
        EventId::new(time, random),
        time,
        Delivery::Must,
        Id::constant("a"),
    );
    let numbers = LeafNumbers {
        in_tree: 0,
        in_tenant: 0,
    };
    let mut leaf = Vec::new();
    event.build(stamp).unwrap().write_leaf(numbers, &mut leaf);
    leaf
}
