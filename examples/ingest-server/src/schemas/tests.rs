//! Where personal data stands, and what violations say.

mod bounds;
mod dialects;
mod harmless;
mod messages;
mod reachable;

use portcullis_pii_crypto::PiiKind;
use serde_json::json;

use super::*;

fn compile(schema: &Value) -> Result<Schema, SchemaError> {
    let document = Document {
        path: PathBuf::from("test.json"),
        event_type: "test".to_owned(),
        version: 1,
        schema: schema.clone(),
    };
    Schema::compile(document, &Arc::default())
}

fn places(schema: &Value, data: &Value) -> Vec<(PiiKind, String, String)> {
    let schema = compile(schema).unwrap();
    let mut found = Vec::new();
    for path in schema.personal() {
        path.visit(data, &mut |pointer, _, text| {
            found.push((path.kind, pointer.to_owned(), text.to_owned()))
        });
    }
    found
}

#[test]
fn built_in_schemas_compile_and_one_has_two_versions() {
    let schemas = Schemas::load(None).unwrap();
    assert!(schemas.event("page.viewed", 1).is_ok());
    assert!(schemas.event("page.viewed", 2).is_ok());
    assert_eq!(
        schemas.event("page.viewed", 3).unwrap_err(),
        Unplanned::Version
    );
    assert_eq!(
        schemas.event("page.closed", 1).unwrap_err(),
        Unplanned::Type
    );
}

#[test]
fn personal_places_are_found_through_items_refs_and_escaped_names() {
    let schema = json!({
        "properties": {
            "a/b": { "type": "string", "x-pii": "email" },
            "people": { "items": { "$ref": "#/$defs/person" } },
            "pair": {
                "prefixItems": [{ "type": "string" }, { "type": "string", "x-pii": "phone" }],
                "items": { "type": "string", "x-pii": "text" }
            }
        },
        "allOf": [{ "properties": { "name": { "type": "string", "x-pii": "name" } } }],
        "$defs": { "person": { "properties": { "name": { "type": "string", "x-pii": "name" } } } }
    });
    let data = json!({
        "a/b": "1", "people": [{ "name": "2" }, {}, { "name": "3" }], "pair": ["x", "4", "5"],
        "name": "6"
    });
    let mut found = places(&schema, &data);
    found.sort_by(|a, b| a.2.cmp(&b.2));
    let pointers: Vec<_> = found
        .iter()
        .map(|(_, pointer, _)| pointer.as_str())
        .collect();
    assert_eq!(
        pointers,
        [
            "/a~1b",
            "/people/0/name",
            "/people/2/name",
            "/pair/1",
            "/pair/2",
            "/name"
        ]
    );
    for (_, pointer, text) in &found {
        assert_eq!(data.pointer(pointer), Some(&json!(text)));
    }
}

#[test]
fn an_annotation_that_depends_on_the_data_is_refused() {
    let email = json!({ "type": "string", "x-pii": "email" });
    for schema in [
        json!({ "anyOf": [{ "properties": { "a": email } }] }),
        json!({ "oneOf": [{ "properties": { "a": email } }] }),
        json!({ "not": { "properties": { "a": email } } }),
        json!({ "if": {}, "then": { "properties": { "a": email } } }),
        json!({ "patternProperties": { ".": email } }),
        json!({ "additionalProperties": email }),
        json!({ "anyOf": [{ "$ref": "#/$defs/a" }], "$defs": { "a": email } }),
        json!({ "properties": { "a": { "type": ["string", "null"], "x-pii": "email" } } }),
        json!({ "properties": { "a": { "x-pii": "email" } } }),
        json!({ "properties": { "a": { "type": "string", "x-pii": "shoe-size" } } }),
        json!({
            "$ref": "#/$defs/node",
            "$defs": { "node": { "properties": { "next": { "$ref": "#/$defs/node" }, "a": email } } }
        }),
    ] {
        assert!(
            matches!(compile(&schema), Err(SchemaError::Personal(..))),
            "accepted {schema}"
        );
    }
}

#[test]
fn a_reference_that_could_mean_another_place_is_refused_beside_personal_data() {
    let email = json!({ "type": "string", "x-pii": "email" });
    let refused = |schema: Value| {
        assert!(
            matches!(compile(&schema), Err(SchemaError::Personal(..))),
            "accepted {schema}"
        );
    };
    refused(json!({
        "properties": { "a": { "$dynamicRef": "#person" } },
        "$defs": { "p": { "$dynamicAnchor": "person", "properties": { "mail": email } } }
    }));
    refused(json!({
        "properties": { "a": { "$ref": "#/$defs/harmless" }, "b": email },
        "$defs": { "harmless": { "items": { "$dynamicRef": "#" } } }
    }));
    let old = "https://json-schema.org/draft/2019-09/schema";
    refused(json!({ "properties": { "a": { "$schema": old }, "b": email } }));
    refused(json!({ "properties": { "a": { "$recursiveRef": "#" }, "b": email } }));
}

#[test]
fn a_base_at_the_root_and_references_without_personal_data_are_accepted() {
    let email = json!({ "type": "string", "x-pii": "email" });
    for schema in [
        json!({ "$id": "https://shop.example/lead", "properties": { "$id": email } }),
        json!({ "properties": { "a": { "$dynamicRef": "#n" } }, "$defs": { "n": { "$dynamicAnchor": "n" } } }),
    ] {
        assert!(compile(&schema).is_ok(), "refused {schema}");
    }
}

#[test]
fn a_violation_names_the_schema_and_never_the_data() {
    let schemas = Schemas::load(None).unwrap();
    let schema = schemas.event("lead.created", 1).unwrap();
    for (data, reason) in [
        (
            json!({ "canary": 1, "email": "a@b.example" }),
            ViolationKind::AdditionalProperty,
        ),
        (
            json!({ "email": { "canary": 1 } }),
            ViolationKind::TypeMismatch,
        ),
        (
            json!({ "channel": "canary", "name": "n" }),
            ViolationKind::Constraint,
        ),
        (
            json!({ "campaign": "canary" }),
            ViolationKind::RequiredMissing,
        ),
        (json!("canary"), ViolationKind::TypeMismatch),
    ] {
        let violation = schema.check(&data).unwrap_err();
        assert_eq!(violation.kind, reason, "{violation:?}");
        assert!(!violation.detail.contains("canary"), "{violation:?}");
    }
}

/// A lead that comes as an event has the columns of one that comes alone.
#[test]
fn every_column_of_a_lead_can_come_in_its_events() {
    let schemas = Schemas::load(None).unwrap();
    for event_type in ["lead.created", "lead.updated"] {
        let schema = schemas.event(event_type, DEFAULT_VERSION).unwrap();
        for column in crate::lead::COLUMNS {
            let name = column.name();
            assert!(
                schema.members.contains(name),
                "add `{name}` to schemas/{event_type}/{DEFAULT_VERSION}.json"
            );
        }
    }
}
