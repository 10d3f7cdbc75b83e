//! What answers, dashboards and alerts rely on.

use std::{collections::BTreeSet, sync::Arc};

use portcullis_dq_metrics::{Reason as _, Subject, conformance};
use portcullis_telemetry::{Redaction, Redactor};

use super::*;
use crate::{quality::Outcome, schemas::Schemas};

/// The names in use, in the order of the request path; a sender, a dashboard or an alert may hold any of
/// them, so that none is renamed or given another meaning.
const PROMISED: [&str; 62] = [
    "transport.too_large",
    "transport.encoding",
    "transport.charset",
    "transport.compression",
    "transport.content_type",
    "transport.timeout",
    "transport.incomplete",
    "transport.malformed",
    "transport.target_too_long",
    "transport.head_too_large",
    "transport.not_implemented",
    "transport.http_version",
    "transport.expectation",
    "transport.query",
    "auth.missing",
    "auth.invalid",
    "auth.scope",
    "auth.tenant_erased",
    "auth.unavailable",
    "parse.json",
    "parse.utf8",
    "parse.depth",
    "parse.repeated_name",
    "parse.number",
    "envelope.missing_id",
    "envelope.invalid_id",
    "envelope.invalid_type",
    "envelope.invalid_source",
    "envelope.invalid_time",
    "envelope.invalid_version",
    "envelope.invalid_attribute",
    "envelope.invalid_data",
    "envelope.missing_data",
    "envelope.batch_too_large",
    "schema.unplanned_event",
    "schema.unknown_version",
    "schema.required_missing",
    "schema.type_mismatch",
    "schema.additional_property",
    "schema.constraint",
    "semantic.time_future",
    "semantic.time_past",
    "semantic.reference",
    "semantic.taken",
    "policy.undeclared_pii",
    "capacity.network_in_flight",
    "capacity.tenant_in_flight",
    "capacity.tenant_memory",
    "capacity.tenant_queue",
    "capacity.memory",
    "capacity.queue_full",
    "capacity.overloaded",
    "capacity.limits_reduced",
    "capacity.store_unavailable",
    "capacity.erasures_unavailable",
    "capacity.policy_file",
    "capacity.keys_unavailable",
    "capacity.audit_unavailable",
    "capacity.draining",
    "capacity.clock",
    "integrity.unreadable",
    "internal",
];

/// Names that were promised once. They never come back with another meaning.
const REMOVED: [&str; 3] = [
    // A batch without an event is a batch (CloudEvents JSON format, 4.3).
    "envelope.batch_empty",
    // The service reads no `Idempotency-Key`: events are idempotent by source and id, leads by e-mail.
    "transport.idempotency_key",
    // The service has no rules of consent: nothing it is sent says what a person agreed to.
    "policy.consent",
];

/// The stages, in the order of the request path.
const STAGES: [&str; 10] = [
    "transport",
    "auth",
    "parse",
    "envelope",
    "schema",
    "semantic",
    "policy",
    "capacity",
    "integrity",
    "internal",
];

#[test]
fn the_taxonomy_keeps_the_contract() {
    conformance::reason::<Reason>();
}

#[test]
fn promised_names_stay_and_each_name_is_promised() {
    let names: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(names, PROMISED);
}

#[test]
fn removed_names_do_not_come_back() {
    for name in REMOVED {
        let mut reasons = Reason::ALL.iter();
        assert!(reasons.all(|reason| reason.as_str() != name), "{name}");
    }
}

#[test]
fn text_and_reason_are_one_to_one() {
    let texts: BTreeSet<String> = Reason::ALL.iter().map(Reason::to_string).collect();
    assert_eq!(texts.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        assert_eq!(reason.to_string(), reason.as_str());
        assert_eq!(reason.as_str(), reason.facts().name);
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
        let (stage, what) = name.split_once('.').unwrap_or((name, "fault"));
        assert_eq!(stage, reason.facts().stage(), "{name}");
        assert_eq!(stage == "internal", name == stage, "{name}");
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(!what.is_empty() && what.bytes().all(is_plain), "{name}");
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
    for reason in Reason::ALL {
        let json = serde_json::to_string(reason).unwrap();
        assert_eq!(json, format!("\"{reason}\""));
    }
}

/// What comes in ends in exactly one outcome, whichever of the service's reasons it has.
#[test]
fn every_outcome_is_accounted_for_once() {
    let schemas = Schemas::load(None).unwrap();
    let redactor = Arc::new(Redactor::new(Redaction::standard()));
    let quality = crate::quality::build(&schemas, &redactor, [7; 32]);
    let mut recorded = 0;
    for outcome in Outcome::all() {
        quality.received(Some("acme"), 1);
        quality.record(Subject::tenant("acme"), outcome);
        recorded += 1;
        let conservation = quality.conservation();
        assert_eq!(conservation.outcomes, recorded, "{outcome:?}");
        assert_eq!(conservation.unaccounted(), 0, "{outcome:?}");
    }
    assert_eq!(recorded, 7 + u64::try_from(Reason::ALL.len()).unwrap());
}
