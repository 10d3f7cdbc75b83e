//! What stands together, and when.

use std::time::Duration;

use super::refusals::Refusals;
use crate::store::{Activity, AuditActor, AuditDraft, AuditOutcome};

fn refusal(kid: &str) -> AuditDraft {
    AuditDraft {
        tenant: "acme".to_owned(),
        action: "lead.read",
        activity: Activity::Read,
        actor: AuditActor::ApiKey(kid.to_owned()),
        resource_type: "lead",
        resources: Vec::new(),
        count: 1,
        fields: Vec::new(),
        reason: None,
        outcome: AuditOutcome::Denied,
        detail: Some("auth.scope"),
        refs: None,
        peer: None,
        trace: None,
    }
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_first_refusal_is_told_at_once_and_those_of_ten_seconds_together() {
    let mut refusals = Refusals::default();
    assert_eq!(refusals.add(refusal("a"), at(0)), Some(refusal("a")));
    for _ in 0..5 {
        assert_eq!(refusals.add(refusal("a"), at(1)), None);
    }
    assert_eq!(refusals.add(refusal("b"), at(1)), Some(refusal("b")));
    assert_eq!(refusals.due(at(9)), []);
    let five = AuditDraft {
        count: 5,
        ..refusal("a")
    };
    assert_eq!(refusals.due(at(10)), [five]);
    assert_eq!(refusals.due(at(20)), []);
    assert_eq!(refusals.add(refusal("a"), at(21)), Some(refusal("a")));
}

#[test]
fn none_is_lost_at_the_end_and_no_flood_of_kinds_is_remembered() {
    let mut refusals = Refusals::default();
    for n in 0..5_000 {
        assert!(refusals.add(refusal(&n.to_string()), at(0)).is_some());
    }
    assert_eq!(refusals.add(refusal("4999"), at(0)), Some(refusal("4999")));
    assert_eq!(refusals.add(refusal("7"), at(0)), None);
    assert_eq!(refusals.drain(), [refusal("7")]);
}
