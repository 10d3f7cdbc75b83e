use std::collections::BTreeSet;

use super::*;

/// The names that were promised first; a service, a dashboard or an alert may hold any of them.
const PROMISED: [&str; 22] = [
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
    "policy.consent",
];

#[test]
fn promised_names_stay() {
    for name in PROMISED
        .into_iter()
        .chain(["capacity.queue_full", "internal"])
    {
        assert_eq!(name.parse::<Reason>().map(Reason::as_str), Ok(name));
    }
}

#[test]
fn text_and_reason_are_one_to_one() {
    let texts: BTreeSet<_> = Reason::ALL.into_iter().map(Reason::as_str).collect();
    assert_eq!(texts.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        assert_eq!(reason.to_string().parse(), Ok(reason));
    }
    assert_eq!("schema".parse::<Reason>(), Err(UnknownReason));
    assert_eq!("Parse.Json".parse::<Reason>(), Err(UnknownReason));
}

#[test]
fn all_is_in_the_order_of_the_discriminants() {
    for (index, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, index);
    }
}

#[test]
fn the_text_begins_with_the_stage() {
    for reason in Reason::ALL {
        let (stage, what) = reason
            .as_str()
            .split_once('.')
            .unwrap_or((reason.as_str(), "fault"));
        assert_eq!(stage, reason.stage().as_str());
        assert!(
            what.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        );
    }
}

#[test]
fn no_stage_is_without_a_reason() {
    let used: Vec<Stage> = Reason::ALL.into_iter().map(Reason::stage).collect();
    assert!(
        used.is_sorted(),
        "reasons stand in the order of the request path"
    );
    assert_eq!(
        used.into_iter().collect::<BTreeSet<_>>(),
        Stage::ALL.into_iter().collect()
    );
}

#[test]
fn faults_of_the_service_never_count_against_the_data() {
    for reason in Reason::ALL
        .into_iter()
        .filter(|reason| reason.is_unexpected())
    {
        assert_eq!(reason.dimension(), None, "{reason}");
        assert!(reason.severity() >= Severity::Error, "{reason}");
    }
}

#[test]
fn every_reason_says_what_happened_and_what_to_do() {
    for reason in Reason::ALL {
        for sentence in [reason.meaning(), reason.remediation()] {
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
    assert_eq!(
        serde_json::from_str::<Reason>(&json).unwrap(),
        Reason::SchemaRequiredMissing
    );
    assert!(serde_json::from_str::<Reason>(r#""nonsense""#).is_err());
}
