//! The bounds of personal data in the schemas that the service comes with, and those of its kinds: what
//! a schema takes is not refused for its length, and what is too long is told how long it may be.

use portcullis_pii_crypto::PiiKinds;
use serde_json::{Value, json};

use super::{super::builtin, SchemaError, compile};

/// A kind and the bound beside it.
fn bounds(schema: &Value, found: &mut Vec<(String, usize)>) {
    let Some(members) = schema.as_object() else {
        return;
    };
    if let Some(kind) = schema["x-pii"].as_str().filter(|kind| *kind != "none") {
        let max = schema["maxLength"].as_u64().expect("a bound");
        found.push((kind.to_owned(), usize::try_from(max).unwrap()));
    }
    for member in members.values() {
        bounds(member, found);
    }
}

/// A value of a kind whose values may have any length, of so many characters.
fn value(kind: &str, characters: usize, of: char) -> Option<String> {
    match kind {
        "name" | "address" | "text" => Some(of.to_string().repeat(characters)),
        "email" => {
            let labels = format!("{}.", "d".repeat(62)).repeat(3);
            let rest = characters - labels.len() - "l@.com".len();
            Some(format!("l@{labels}{}.com", "d".repeat(rest)))
        }
        // Their bounds are of ways to write a value, which has a length of its own.
        _ => None,
    }
}

#[test]
fn every_declared_value_within_its_schema_is_short_enough_for_its_kind() {
    let mut found = Vec::new();
    let events = builtin::events().into_iter().map(Result::unwrap);
    for document in events.chain([builtin::lead()]) {
        bounds(&document.schema, &mut found);
    }
    assert!(found.len() > 15, "{found:?}");
    for (name, max) in found {
        let kind = PiiKinds::built_in().find(&name).expect("a built-in kind");
        for of in ['x', 'é', '字', '𠀋'] {
            let Some(longest) = value(&name, max, of) else {
                continue;
            };
            assert_eq!(longest.chars().count(), max);
            assert!(kind.parse(&longest).is_ok(), "{name} of {max}: {of}");
        }
    }
}

#[test]
fn what_is_too_long_for_its_kind_is_told_the_bound() {
    for (name, bound) in [
        ("name", "1,024 characters"),
        ("address", "4,096 characters"),
        ("text", "64 KiB"),
        ("email", "254 bytes"),
        ("phone", "64 bytes"),
        ("national-id", "14 bytes"),
    ] {
        let kind = PiiKinds::built_in().find(name).expect("a built-in kind");
        for of in ['x', 'é', '字', '𠀋'] {
            let Err(error) = kind.parse(&of.to_string().repeat(70_000)) else {
                panic!("{name} takes 70,000 characters");
            };
            let refusal = kind.refusal(error);
            assert!(refusal.contains(bound), "{refusal}");
            assert!(refusal.starts_with(&format!("must be {}", kind.expected())));
        }
    }
}

/// No field has a longer name, so that such a value could never be sealed.
#[test]
fn personal_data_at_a_place_whose_pointer_is_too_long_is_refused_with_the_bound() {
    let email = json!({ "type": "string", "x-pii": "email" });
    let schema = |bytes: usize| {
        let name = format!("~{}", "n".repeat(bytes - "/~0/1234567".len()));
        json!({ "properties": { name: { "items": email } } })
    };
    compile(&schema(763)).unwrap();
    let Err(SchemaError::Personal(_, at, why)) = compile(&schema(764)) else {
        panic!("a pointer of 764 bytes is taken");
    };
    assert!(at.ends_with("/items"), "{at}");
    assert!(why.contains("more than 763 bytes"), "{why}");
    // Nothing is sealed there.
    compile(&json!({ "properties": { "n".repeat(2_000): { "type": "string", "x-pii": "none" } } }))
        .unwrap();
}
