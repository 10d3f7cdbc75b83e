//! Places of findings in JSON texts, and texts that are none.

use proptest::prelude::*;

use super::*;
use crate::kind::Kind;

fn found(json: &str) -> Vec<(String, JsonPart, Kind)> {
    let detector = Detector::standard();
    let findings = detector.find_in_json(json.as_bytes());
    let findings = findings.map(|found| found.expect("it is JSON"));
    findings
        .map(|found| (found.pointer, found.part, found.finding.kind))
        .collect()
}

#[test]
fn keys_texts_and_numbers_are_found_with_their_places() {
    let json = r#" {
        "a": "x@example.com",
        "list": [null, true, {"card": 4111111111111111}, "a\u0040b.io and +49 170 1234567"],
        "x@example.com": {"~/": "y\u200b@example.com"},
        "empty": [[], {}],
        "text\u0040example.com": 1.5e3
    } "#;
    let place = |pointer: &str, part, kind| (pointer.to_owned(), part, kind);
    assert_eq!(
        found(json),
        [
            place("/a", JsonPart::Text, Kind::Email),
            place("/list/2/card", JsonPart::Number, Kind::PaymentCard),
            place("/list/3", JsonPart::Text, Kind::Email),
            place("/list/3", JsonPart::Text, Kind::Phone),
            place("/x@example.com", JsonPart::Key, Kind::Email),
            place("/x@example.com/~0~1", JsonPart::Text, Kind::Email),
            place("/text@example.com", JsonPart::Key, Kind::Email),
        ]
    );
    let root = place("", JsonPart::Text, Kind::Email);
    assert_eq!(found(r#""x@example.com""#), [root]);
}

#[test]
fn the_nearest_member_names_a_value_and_a_key() {
    let json = r#"{"a": {"b": [[1], {"c": 2}]}, "d": 3}"#;
    let mut walk = Walk::new(json.as_bytes());
    let mut shown = Vec::new();
    while let Some(step) = walk.step(|levels, part, text| {
        shown.push(format!("{}:{text}", levels.name(part)));
    }) {
        step.expect("it is JSON");
    }
    assert_eq!(shown, [":a", "a:b", "b:1", "b:c", "c:2", ":d", "d:3"]);
}

#[test]
fn what_is_no_json_is_an_error_with_its_place_after_what_was_found() {
    let detector = Detector::standard();
    for (json, offset) in [
        ("", 0),
        ("  ", 2),
        ("[1,]", 3),
        ("[1 2]", 3),
        (r#"{"a" 1}"#, 5),
        (r#"{"a": 1} x"#, 9),
        ("[\"a", 3),
        ("nul", 3),
    ] {
        let mut findings = detector.find_in_json(json.as_bytes());
        let error = JsonError::Malformed { offset };
        assert_eq!(findings.next(), Some(Err(error)), "{json}");
        assert_eq!(findings.next(), None, "{json}");
    }
    let not_utf8 = b"[\"a@b.io\", \"\xff\"]";
    let mut findings = detector.find_in_json(not_utf8);
    assert!(matches!(findings.next(), Some(Ok(_))));
    assert!(matches!(
        findings.next(),
        Some(Err(JsonError::Malformed { .. }))
    ));
    assert_eq!(findings.next(), None);
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + "\"a@b.io\"" + &"]".repeat(depth);
    assert_eq!(found(&nested(MAX_JSON_DEPTH)).len(), 1);
    let json = nested(MAX_JSON_DEPTH + 1);
    let error = JsonError::TooDeep {
        offset: MAX_JSON_DEPTH,
    };
    let detector = Detector::standard();
    let mut findings = detector.find_in_json(json.as_bytes());
    assert_eq!(findings.next(), Some(Err(error)));
    assert!(error.to_string().contains(&MAX_JSON_DEPTH.to_string()));
}

/// jiter gives up on those.
#[test]
fn behind_a_number_of_many_digits_reading_goes_on() {
    let json = format!("[{}, \"a@b.io\", x]", "1".repeat(5000));
    let detector = Detector::standard();
    let mut findings = detector.find_in_json(json.as_bytes());
    let first = findings.next().and_then(Result::ok);
    assert_eq!(first.map(|found| found.pointer), Some("/1".to_owned()));
    let offset = json.len() - 2;
    assert_eq!(findings.next(), Some(Err(JsonError::Malformed { offset })));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
        Just("a@b.io".into()),
        Just(4_111_111_111_111_111_u64.into()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map("[a-c~/é]{0,3}", inner, 0..4).prop_map(|members| {
                members
                    .into_iter()
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn every_pointer_leads_to_what_was_found(value in json()) {
        let text = value.to_string();
        let detector = Detector::standard();
        let mut count = 0;
        for found in detector.find_in_json(text.as_bytes()) {
            let found = found.expect("it is JSON");
            let at = value.pointer(&found.pointer).expect("a value stands there");
            let part = match at {
                serde_json::Value::String(text) => text.clone(),
                at => at.to_string(),
            };
            prop_assert!(part.get(found.finding.range).is_some());
            count += 1;
        }
        prop_assert!(count >= text.matches("\"a@b.io\"").count());
    }

    #[test]
    fn no_bytes_make_it_panic(json in "[\\[\\]{}\",:a@.0-9e+\\\\u -]{0,60}") {
        let _ = Detector::standard().find_in_json(json.as_bytes()).count();
    }
}
