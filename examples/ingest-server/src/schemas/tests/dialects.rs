//! Drafts, identifiers and references: what they mean, or why they are refused.

use serde_json::{Value, json};

use super::{compile, places};
use crate::schemas::SchemaError;

fn email() -> Value {
    json!({ "type": "string", "x-pii": "email" })
}

/// The sentence that says why a schema is refused.
fn refusal(schema: &Value) -> String {
    match compile(schema) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("accepted {schema}"),
    }
}

#[test]
fn references_by_any_name_are_accepted_where_no_personal_data_stands() {
    for schema in [
        json!({
            "$defs": { "a": { "$anchor": "foo", "type": "string" } },
            "properties": { "x": { "$ref": "#foo" } }
        }),
        json!({
            "$id": "https://shop.example/a/b",
            "$defs": { "a": { "$id": "c", "type": "string" } },
            "properties": { "x": { "$ref": "c" }, "y": { "$ref": "/a/c" } }
        }),
        json!({
            "$id": "https://shop.example/tree", "$dynamicAnchor": "node",
            "properties": { "children": { "items": { "$dynamicRef": "#node" } } }
        }),
        json!({ "properties": { "next": { "$ref": "#" } } }),
        json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" }),
        json!({
            "components": { "a": { "type": "string" } },
            "properties": { "x": { "$ref": "#/components/a" }, "pii": { "type": "string" } }
        }),
        // Beside personal data that stands elsewhere, too.
        json!({
            "$defs": { "a": { "$anchor": "foo", "type": "integer" } },
            "properties": { "x": { "$ref": "#foo" }, "y": email() }
        }),
        json!({
            "$defs": { "n": { "$dynamicAnchor": "n", "type": "object" } },
            "properties": { "x": { "$dynamicRef": "#n" }, "y": email() }
        }),
        json!({
            "$defs": { "n": { "properties": { "next": { "$ref": "#/$defs/n" } } } },
            "properties": { "x": { "$ref": "#/$defs/n" }, "y": email() }
        }),
        json!({ "$defs": { "unused": email() } }),
        json!({ "const": { "x-pii": "email" }, "examples": [{ "x-pii": 1 }] }),
        json!({ "properties": { "x-pii": { "type": "string" } } }),
    ] {
        assert!(compile(&schema).is_ok(), "{}", refusal(&schema));
    }
}

#[test]
fn references_to_personal_data_mean_what_the_validator_takes_them_to_mean() {
    for schema in [
        json!({ "$defs": { "a": { "$anchor": "foo", "type": "string", "x-pii": "email" } },
            "properties": { "x": { "$ref": "#foo" } } }),
        json!({ "$id": "https://shop.example/a/b", "properties": { "x": { "$ref": "c" } },
            "$defs": { "a": { "$id": "/a/c", "type": "string", "x-pii": "email" } } }),
        // Two steps, with a base of its own between them: `#/$defs/p` is the inner one.
        json!({
            "properties": { "x": { "$ref": "https://inner.example/" } },
            "$defs": {
                "p": { "type": "string" },
                "inner": { "$id": "https://inner.example/", "$ref": "#/$defs/p",
                    "$defs": { "p": email() } }
            }
        }),
        json!({
            "properties": { "x": {
                "$id": "https://inner.example/", "$ref": "#/$defs/p", "$defs": { "p": email() }
            } },
            "$defs": { "p": { "type": "string" } }
        }),
        json!({ "components": { "a": email() }, "properties": { "x": { "$ref": "#/components/a" } } }),
        json!({ "$defs": { "a%b": email() }, "properties": { "x": { "$ref": "#/$defs/a%25b" } } }),
        json!({ "$defs": { "a": { "$dynamicAnchor": "d", "type": "string", "x-pii": "email" } },
            "properties": { "x": { "$ref": "#d" } } }),
    ] {
        assert!(compile(&schema).is_ok(), "{}", refusal(&schema));
        let data = json!({ "x": "a@b.example" });
        let found = places(&schema, &data);
        assert_eq!(found.len(), 1, "{schema}");
        assert_eq!(found[0].1, "/x", "{schema}");
    }
}

#[test]
fn what_is_declared_is_never_ignored() {
    for (schema, place) in [
        (
            json!({ "anyOf": [{ "properties": { "a": email() } }] }),
            "#/anyOf",
        ),
        (
            json!({ "unevaluatedProperties": email() }),
            "#/unevaluatedProperties",
        ),
        (json!({ "unevaluatedItems": email() }), "#/unevaluatedItems"),
        (json!({ "contains": email() }), "#/contains"),
        (json!({ "propertyNames": email() }), "#/propertyNames"),
        (json!({ "contentSchema": email() }), "#/contentSchema"),
        (
            json!({ "dependentSchemas": { "a": { "properties": { "b": email() } } } }),
            "#/dependentSchemas",
        ),
        (
            json!({ "else": { "properties": { "a": email() } } }),
            "#/else",
        ),
        (
            json!({ "items": { "properties": { "a": { "type": "number", "x-pii": "text" } } } }),
            "#/items/properties/a",
        ),
        (
            json!({ "properties": { "a": { "type": "string", "x-PII": "email" } } }),
            "#/properties/a/x-PII",
        ),
        (
            json!({ "properties": { "a": { "type": "string", "x_pii": "email" } } }),
            "#/properties/a/x_pii",
        ),
        (
            json!({ "properties": { "a": { "type": "string", "pii": "email" } } }),
            "#/properties/a/pii",
        ),
        (
            json!({ "propertis": { "a": email() } }),
            "#/propertis/a/x-pii",
        ),
        (
            json!({ "additionalItems": email() }),
            "#/additionalItems/x-pii",
        ),
        (
            json!({ "dependencies": { "a": email() } }),
            "#/dependencies/a/x-pii",
        ),
        (
            json!({ "components": { "unused": email() } }),
            "#/components/unused/x-pii",
        ),
        // The way back in is by another schema than the one that declares.
        (
            json!({
                "$ref": "#/$defs/node",
                "$defs": {
                    "mail": email(),
                    "node": { "properties": {
                        "next": { "$ref": "#/$defs/node" }, "mail": { "$ref": "#/$defs/mail" }
                    } }
                }
            }),
            "#/$ref/properties/next/$ref",
        ),
        (
            json!({ "properties": { "child": { "$ref": "#" }, "mail": email() } }),
            "#/properties/child/$ref",
        ),
        (
            json!({ "not": { "$ref": "#/$defs/a" }, "$defs": { "a": { "$ref": "#b" }, "b": { "$anchor": "b", "items": email() } } }),
            "#/not",
        ),
    ] {
        let Err(SchemaError::Personal(_, at, _)) = compile(&schema) else {
            panic!("accepted, or refused for another reason: {schema}")
        };
        assert_eq!(at, place, "{schema}");
    }
}

#[test]
fn an_older_draft_is_honoured_or_refused_and_an_unknown_one_is_refused() {
    for draft in [
        "draft-04/schema#",
        "draft-06/schema#",
        "draft-07/schema#",
        "draft/2019-09/schema",
    ] {
        for scheme in ["http", "https"] {
            let name = format!("{scheme}://json-schema.org/{draft}");
            // Until 2020-12, an array of items was a tuple.
            let tuple =
                json!({ "$schema": name, "items": [{ "type": "string" }, { "type": "integer" }] });
            let schema = compile(&tuple).unwrap();
            assert!(schema.check(&json!(["a", 1])).is_ok(), "{name}");
            assert!(schema.check(&json!(["a", "b"])).is_err(), "{name}");
            let personal = json!({ "$schema": name, "properties": { "a": email() } });
            assert!(refusal(&personal).contains("older drafts"), "{name}");
        }
    }
    for name in [
        json!("https://shop.example/dialect"),
        json!("http://json-schema.org/draft-03/schema#"),
        json!(7),
        json!(""),
    ] {
        let root = json!({ "$schema": name });
        assert!(
            refusal(&root).contains("no published JSON Schema"),
            "{name}"
        );
        let inner =
            json!({ "properties": { "a": { "$id": "https://a.example/", "$schema": name } } });
        assert!(
            refusal(&inner).contains("no published JSON Schema"),
            "{name}"
        );
    }
    let tuple = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "items": [{}] });
    assert!(compile(&tuple).is_err());
}

#[test]
fn no_other_document_is_fetched_and_no_name_means_two_schemas() {
    for (schema, why) in [
        (
            json!({ "$ref": "https://elsewhere.example/schema" }),
            "`https://elsewhere.example/schema` is another document",
        ),
        (
            json!({ "properties": { "a": { "$ref": "other.json#/a" } } }),
            "is another document",
        ),
        (
            json!({ "$id": "https://a.example/x", "$ref": "y" }),
            "`https://a.example/y` is another document",
        ),
        (
            json!({ "$ref": "file:///etc/hostname" }),
            "is another document",
        ),
        (json!({ "$ref": "#/$defs/nothing" }), "/$defs/nothing"),
        (json!({ "$ref": "#nothing" }), "nothing"),
        (
            json!({ "$defs": { "a": { "$id": "https://a.example/x" }, "b": { "$id": "https://a.example/x" } } }),
            "two schemas have the `$id` `https://a.example/x`",
        ),
        (
            json!({ "$id": "https://a.example/x", "$defs": { "b": { "$id": "x" } } }),
            "two schemas have the `$id`",
        ),
        (
            json!({ "$defs": { "a": { "$anchor": "x" }, "b": { "$anchor": "x" } } }),
            "two schemas have the anchor `x`",
        ),
        (
            json!({ "$defs": { "a": { "$anchor": "x" }, "b": { "$dynamicAnchor": "x" } } }),
            "two schemas have the anchor `x`",
        ),
    ] {
        let refusal = refusal(&schema);
        assert!(refusal.contains(why), "{refusal}");
    }
    // A document that takes the name of one that everybody has is still read as it stands.
    let name = "https://json-schema.org/draft/2020-12/schema";
    let schema = json!({ "$id": name, "properties": { "x": { "$ref": "#a" } }, "$defs": { "a": {
        "$anchor": "a", "type": "string", "x-pii": "email" } } });
    assert_eq!(places(&schema, &json!({ "x": "a@b.example" })).len(), 1);
    // One name in two resources is two names.
    let schema = json!({ "$anchor": "x", "$defs": { "b": { "$id": "https://a.example/", "$anchor": "x" } } });
    assert!(compile(&schema).is_ok());
}

#[test]
fn a_keyword_twice_is_refused() {
    let text =
        r#"{ "properties": { "a": { "type": "string", "x-pii": "email" } }, "properties": {} }"#;
    let document = super::Document::new("a/1.json".into(), "a", 1, text);
    assert!(matches!(document, Err(SchemaError::Repeated(..))));
}
