//! What becomes of values in which personal data is found, by policy and by place.

use std::{cell::RefCell, fs};

use serde_json::{Map, json};
use time::OffsetDateTime;

use super::*;
use crate::{
    detection::{DetectionPolicies, read},
    pipeline::{
        parse::{DroppedText, Envelope},
        validate::{Valid, check as validate},
    },
    schemas::Schemas,
};

const EMAIL: &str = "ada@person.example";
const CARD: &str = "4111111111111111";

/// An event of a schema that is open, and declares a few of its members.
fn event(data: Value) -> Parsed {
    Parsed {
        envelope: Some(Envelope {
            id: "1".to_owned(),
            source: "test".to_owned(),
            event_type: "note".to_owned(),
            version: 1,
            time: None,
        }),
        data,
        lead: None,
        cleared: Vec::new(),
        unstored: Vec::new(),
    }
}

fn schemas() -> Schemas {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("note")).unwrap();
    let none = json!({ "type": ["string", "number", "null"], "x-pii": "none" });
    let schema = json!({ "properties": {
        "text": {}, "list": {}, "deep": {},
        "mail": { "type": "string", "x-pii": "email" },
        "harmless": none, "harmless_list": { "items": none },
    } });
    fs::write(folder.path().join("note/1.json"), schema.to_string()).unwrap();
    Schemas::load(Some(folder.path())).unwrap()
}

/// What becomes of an event, and what is noted of it.
fn checked(default: Value, parsed: Parsed) -> (Result<Valid, Rejection>, Vec<(Kind, Handling)>) {
    let policies = DetectionPolicies::new(read(json!({ "default": default })).unwrap());
    let detection = policies.of_tenant("acme");
    let noted = RefCell::new(Vec::new());
    let note = |kind, handling| noted.borrow_mut().push((kind, handling));
    let now = OffsetDateTime::UNIX_EPOCH;
    let clean = &mut CleanTexts::of(1);
    let valid = validate(&schemas(), &detection, now, parsed, clean, note);
    (valid, noted.into_inner())
}

/// What is sealed besides what is declared, by pointer.
fn sealed(default: Value, parsed: Parsed) -> Map<String, Value> {
    let (valid, noted) = checked(default, parsed);
    let valid = valid.unwrap();
    let detected = valid
        .personal
        .iter()
        .filter(|found| found.source == PersonalSource::Detected);
    let texts: Map<_, _> = detected
        .map(|found| {
            assert_eq!(found.value.kind(), SEALED_AS);
            // EXPOSE: a test compares what it wrote.
            (found.pointer.clone(), json!(found.value.expose()))
        })
        .collect();
    assert_eq!(texts.len(), noted.len());
    texts
}

fn detail(default: Value, parsed: Parsed) -> String {
    let (valid, noted) = checked(default, parsed);
    let rejection = valid.unwrap_err();
    assert_eq!(rejection.reason, Reason::PolicyUndeclaredPii);
    let [(_, Handling::Reject)] = noted[..] else {
        panic!("{noted:?}");
    };
    for text in [EMAIL, "canary", CARD] {
        assert!(!rejection.detail.contains(text), "{}", rejection.detail);
    }
    rejection.detail.into_owned()
}

#[test]
fn texts_and_numbers_are_sealed_where_they_stand() {
    let policy = json!({ "email": "seal", "payment_card": "seal" });
    let data = json!({
        "text": format!("write to {EMAIL}"), "mail": EMAIL, "list": ["x", EMAIL, [CARD]],
        "deep": { "a/b~c": { "card": 4_111_111_111_111_111_u64 } }, "unknown": EMAIL,
        "float": 4_111_111_111_111_111.0, "small": 7, "null": null, "true": true,
        "harmless": EMAIL, "harmless_list": [CARD, 4_111_111_111_111_111_u64],
    });
    let mut expected = json!({
        "/text": format!("write to {EMAIL}"), "/list/1": EMAIL, "/list/2/0": CARD,
        "/deep/a~1b~0c/card": CARD, "/unknown": EMAIL, "/float": "4111111111111111.0",
    });
    let found = sealed(policy.clone(), event(data.clone()));
    assert_eq!(json!(found), expected.take());
    for pointer in found.keys() {
        assert!(data.pointer(pointer).is_some(), "{pointer}");
    }
    assert_eq!(
        json!(sealed(policy, event(json!(EMAIL)))),
        json!({ "": EMAIL })
    );
}

#[test]
fn what_is_rejected_is_told_by_kind_and_by_names_that_the_schema_has() {
    for (data, place, kind) in [
        (json!({ "text": EMAIL }), "`data/text` holds", "(email)"),
        (
            json!({ "list": [1, EMAIL] }),
            "`data/list/1` holds",
            "(email)",
        ),
        (
            json!({ "canary": { "text": CARD } }),
            "`data/*/text` holds",
            "(payment_card)",
        ),
        (
            json!({ "text": 4_111_111_111_111_111_u64 }),
            "`data/text` holds",
            "(payment_card)",
        ),
        (
            json!({ "text": 4_111_111_111_111_111.0 }),
            "`data/text` holds",
            "(payment_card)",
        ),
        (
            json!({ "text": -4_111_111_111_111_111_i64 }),
            "`data/text` holds",
            "(payment_card)",
        ),
        (json!(EMAIL), "`data` holds", "(email)"),
        (json!([EMAIL]), "`data/0` holds", "(email)"),
        (
            json!({ "text": { EMAIL: 1 } }),
            "in `data/text`, the name of a member holds",
            "(email)",
        ),
        (
            json!({ "canary": [{ CARD: 1 }] }),
            "in `data/*/0`, the name",
            "(payment_card)",
        ),
    ] {
        let detail = detail(json!({}), event(data.clone()));
        assert!(detail.starts_with(place), "{data}: {detail}");
        assert!(detail.contains(kind), "{data}: {detail}");
    }
}

#[test]
fn an_event_with_something_to_reject_is_rejected_whatever_else_is_sealed() {
    let policy = json!({ "email": "seal" });
    for data in [
        json!({ "a": EMAIL, "b": CARD }),
        json!({ "a": CARD, "b": EMAIL }),
        json!({ "a": format!("{EMAIL} {CARD}") }),
        json!({ "a": EMAIL, CARD: 1 }),
    ] {
        assert!(detail(policy.clone(), event(data)).contains("(payment_card)"));
    }
}

#[test]
fn what_is_off_is_not_looked_for() {
    let policy = json!({ "email": "off" });
    let mut parsed = event(json!({ "text": EMAIL, EMAIL: 1 }));
    parsed.envelope.as_mut().unwrap().id = EMAIL.to_owned();
    assert!(sealed(policy.clone(), parsed).is_empty());
    let both = json!({ "text": format!("{EMAIL} {CARD}") });
    assert!(detail(policy, event(both)).contains("(payment_card)"));
}

#[test]
fn what_cannot_be_sealed_is_rejected() {
    let policy = json!({ "email": "seal", "payment_card": "seal" });
    let dropped = |place, name: &str, text: &str| DroppedText {
        place,
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let mut of_id = event(json!({}));
    of_id.envelope.as_mut().unwrap().id = EMAIL.to_owned();
    let mut of_source = event(json!({}));
    of_source.envelope.as_mut().unwrap().source = format!("mailto:{EMAIL}");
    let mut of_subject = event(json!({}));
    of_subject.unstored = vec![dropped("`subject`", "", EMAIL)];
    let mut of_extension = event(json!({}));
    of_extension.unstored = vec![dropped("an extension attribute", "card", CARD)];
    for (parsed, place) in [
        (of_id, "`id` holds"),
        (of_source, "`source` holds"),
        (of_subject, "`subject` holds"),
        (of_extension, "an extension attribute holds"),
        (
            event(json!({ EMAIL: 1 })),
            "in `data`, the name of a member holds",
        ),
    ] {
        let detail = detail(policy.clone(), parsed);
        assert!(detail.starts_with(place), "{detail}");
        assert!(detail.contains("cannot be sealed"), "{detail}");
    }

    // Of a lead that came by itself, nothing is stored but columns.
    let policies = DetectionPolicies::new(read(json!({ "default": policy })).unwrap());
    let (detection, schemas) = (policies.of_tenant("acme"), schemas());
    let lead = Parsed {
        envelope: None,
        ..event(json!({ "note": EMAIL }))
    };
    let (exempt, clean) = (Exempt::new(Vec::new()), &mut CleanTexts::of(1));
    let found = check(&detection, schemas.lead(), &lead, &exempt, clean).unwrap_err();
    let detail = &found.rejection.detail;
    assert!(detail.starts_with("`*` holds"), "{detail}");
    assert!(detail.contains("cannot be sealed"), "{detail}");
}

#[test]
fn a_text_that_is_too_long_to_be_sealed_is_rejected_with_the_bound() {
    let policy = json!({ "email": "seal" });
    let of_length = |length: usize| {
        let text = format!("{EMAIL} {}", "x ".repeat(length / 2));
        event(json!({ "text": &text[..length] }))
    };
    assert_eq!(sealed(policy.clone(), of_length(65_536)).len(), 1);
    let detail = detail(policy, of_length(65_538));
    assert!(detail.contains("at most 64 KiB"), "{detail}");
}

/// A longer one would be found out by the cipher, and cost the whole request.
#[test]
fn nothing_is_sealed_where_a_pointer_is_too_long() {
    let policy = json!({ "email": "seal" });
    // `~` takes two bytes in a pointer.
    let of = |bytes: usize| event(json!({ format!("~{}", "n".repeat(bytes - 5)): [EMAIL] }));
    let found = sealed(policy.clone(), of(763));
    assert_eq!(found.keys().map(String::len).collect::<Vec<_>>(), [763]);
    let detail = detail(policy, of(764));
    assert!(detail.starts_with("`data/*/0` holds"), "{detail}");
    assert!(detail.contains("more than 763 bytes"), "{detail}");
}

#[test]
fn no_more_than_a_thousand_values_of_one_event_are_sealed() {
    let policy = json!({ "email": "seal" });
    let of = |values: usize| event(json!({ "list": vec![EMAIL; values] }));
    assert_eq!(sealed(policy.clone(), of(1_000)).len(), 1_000);
    let detail = detail(policy, of(1_001));
    assert!(detail.contains("no more than 1000 values"), "{detail}");
}
