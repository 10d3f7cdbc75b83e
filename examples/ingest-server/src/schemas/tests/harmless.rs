//! `"x-pii": "none"`: where values are not looked at.

use serde_json::{Value, json};

use super::{SchemaError, compile};

/// The pointers of what a schema declares harmless in the data.
fn harmless(schema: &Value, data: &Value) -> Vec<String> {
    let schema = compile(schema).unwrap();
    let mut found = Vec::new();
    for place in schema.harmless() {
        place.visit(data, &mut |pointer, _| found.push(pointer.to_owned()));
    }
    found.sort();
    found
}

#[test]
fn values_are_found_by_path_whatever_their_type() {
    let none = |of: Value| json!({ "type": of, "x-pii": "none" });
    let schema = json!({
        "properties": {
            "text": none(json!("string")), "whole": none(json!("integer")),
            "number": none(json!("number")), "some": none(json!(["null", "string"])),
            "any": none(json!(["string", "integer", "number", "null"])),
            "list": { "items": none(json!("string")) },
            "pair": { "prefixItems": [{}], "items": none(json!("integer")) },
            "deep": { "$ref": "#/$defs/deep" }, "open": { "type": "string" }
        },
        "$defs": { "deep": { "allOf": [{ "properties": { "a/b": none(json!("string")) } }] } }
    });
    let data = json!({
        "text": "x", "whole": 1, "number": 1.5, "some": null, "any": 7, "list": ["a", "b"],
        "pair": [1, 2, 3], "deep": { "a/b": "x", "c": "x" }, "open": "x"
    });
    let expected = [
        "/any",
        "/deep/a~1b",
        "/list/0",
        "/list/1",
        "/number",
        "/pair/1",
        "/pair/2",
        "/some",
        "/text",
        "/whole",
    ];
    assert_eq!(harmless(&schema, &data), expected);
    assert!(compile(&schema).unwrap().personal().is_empty());
}

#[test]
fn it_is_refused_where_a_kind_would_be_and_where_something_else_could_stand() {
    let none = json!({ "type": "string", "x-pii": "none" });
    for schema in [
        json!({ "anyOf": [{ "properties": { "a": none } }] }),
        json!({ "oneOf": [{ "properties": { "a": none } }] }),
        json!({ "not": { "properties": { "a": none } } }),
        json!({ "if": {}, "then": { "properties": { "a": none } } }),
        json!({ "dependentSchemas": { "b": { "properties": { "a": none } } } }),
        json!({ "patternProperties": { ".": none } }),
        json!({ "additionalProperties": none }),
        json!({ "propertyNames": none }),
        json!({ "contains": none }),
        json!({ "unknown": none }),
        json!({ "$ref": "#/$defs/node",
            "$defs": { "node": { "properties": { "next": { "$ref": "#/$defs/node" }, "a": none } } } }),
        json!({ "properties": { "a": { "type": "string", "x-PII": "none" } } }),
        json!({ "properties": { "a": { "type": "string", "x_pii": "none" } } }),
        json!({ "properties": { "a": { "type": "string", "x-pii": "None" } } }),
        json!({ "properties": { "a": { "type": "string", "x-pii": null } } }),
        json!({ "properties": { "a": { "type": "string", "x-pii": false } } }),
        json!({ "properties": { "a": { "x-pii": "none" } } }),
        json!({ "properties": { "a": { "type": "object", "x-pii": "none" } } }),
        json!({ "properties": { "a": { "type": "array", "x-pii": "none" } } }),
        json!({ "properties": { "a": { "type": "boolean", "x-pii": "none" } } }),
        json!({ "properties": { "a": { "type": "null", "x-pii": "none" } } }),
        json!({ "properties": { "a": { "type": ["null"], "x-pii": "none" } } }),
        json!({ "properties": { "a": { "type": ["string", "object"], "x-pii": "none" } } }),
        json!({ "properties": { "a": { "type": ["integer", "array"], "x-pii": "none" } } }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "properties": { "a": none } }),
    ] {
        assert!(
            matches!(compile(&schema), Err(SchemaError::Personal(..))),
            "accepted {schema}"
        );
    }
}

#[test]
fn a_place_has_one_declaration() {
    let of = |kind: &str| json!({ "type": "string", "x-pii": kind });
    let at = |schema: Value| json!({ "properties": { "a": schema } });
    for (one, other) in [("none", "email"), ("text", "none"), ("email", "text")] {
        for schema in [
            json!({ "allOf": [at(of(one)), at(of(other))] }),
            json!({ "properties": { "a": of(one) }, "$ref": "#/$defs/b", "$defs": { "b": at(of(other)) } }),
            at(json!({ "allOf": [{ "items": of(one) }, { "items": of(other) }] })),
            at(json!({ "allOf": [{ "items": of(one) }, { "prefixItems": [{}, of(other)] }] })),
            at(json!({ "allOf": [{ "prefixItems": [of(one)] }, { "items": of(other) }] })),
        ] {
            let Err(SchemaError::Personal(_, _, why)) = compile(&schema) else {
                panic!("accepted {schema}");
            };
            assert!(why.contains("contradicts"), "{schema}: {why}");
        }
        // Beside each other they are two places.
        compile(&json!({ "properties": { "a": of(one), "b": of(other) } })).unwrap();
        compile(&at(json!({ "prefixItems": [of(one)], "items": of(other) }))).unwrap();
    }
    compile(&json!({ "allOf": [at(of("none")), at(of("none"))] })).unwrap();
}
