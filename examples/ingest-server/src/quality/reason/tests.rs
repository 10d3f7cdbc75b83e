//! What answers, dashboards and alerts rely on.

use portcullis_dq_metrics::{Reason as _, conformance};

use super::*;

/// The names that were promised first; a service, a dashboard or an alert may hold any of them.
const PROMISED: [&str; 21] = [
    "transport.too_large",
    "transport.encoding",
    "transport.compression",
    "auth.missing",
    "auth.invalid",
    "auth.scope",
    "parse.json",
    "parse.utf8",
    "parse.depth",
    "envelope.missing_id",
    "envelope.invalid_id",
    "schema.unplanned_event",
    "schema.unknown_version",
    "schema.required_missing",
    "schema.type_mismatch",
    "schema.additional_property",
    "schema.constraint",
    "semantic.time_future",
    "semantic.time_past",
    "semantic.reference",
    "policy.undeclared_pii",
];

/// The stages, in the order of the request path.
const STAGES: [&str; 9] = [
    "transport",
    "auth",
    "parse",
    "envelope",
    "schema",
    "semantic",
    "policy",
    "capacity",
    "internal",
];

#[test]
fn the_taxonomy_keeps_the_contract() {
    conformance::reason::<Reason>();
}

#[test]
fn promised_names_stay() {
    for name in PROMISED
        .into_iter()
        .chain(["capacity.queue_full", "internal"])
    {
        assert!(
            Reason::ALL.iter().any(|reason| reason.as_str() == name),
            "{name}"
        );
    }
}

#[test]
fn stages_stand_in_the_order_of_the_request_path_and_none_is_without_a_reason() {
    let mut stages: Vec<_> = Reason::ALL
        .iter()
        .map(|reason| reason.facts().stage())
        .collect();
    stages.dedup();
    assert_eq!(stages, STAGES);
}

#[test]
fn a_name_is_a_stage_and_what_was_wrong() {
    for reason in Reason::ALL {
        let name = reason.as_str();
        let parts = name.split('.').count();
        assert!(parts == 2 || name == "internal", "{name}");
    }
}

#[test]
fn faults_of_the_service_never_count_against_the_data() {
    for reason in Reason::ALL {
        let facts = reason.facts();
        if facts.is_unexpected {
            assert_eq!(facts.dimension, None, "{reason}");
            assert!(facts.severity >= Severity::Error, "{reason}");
            assert!(reason.status().is_server_error(), "{reason}");
        }
    }
}

#[test]
fn every_reason_says_what_happened_and_what_to_do() {
    for reason in Reason::ALL {
        for sentence in [reason.meaning(), reason.facts().remediation] {
            assert!(
                sentence.ends_with('.') && sentence.len() > 10,
                "{reason}: {sentence}"
            );
        }
    }
}

#[test]
fn serde_uses_the_dotted_name() {
    let json = serde_json::to_string(&Reason::SchemaRequiredMissing).unwrap();
    assert_eq!(json, r#""schema.required_missing""#);
}
