//! Whatever a schema looks like: a value that personal data is declared for is found, or the schema
//! is refused.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{compile, places};

const CANARY: &str = "canary";

/// A schema under a keyword, and an instance to which it then applies.
#[derive(Debug, Clone, Copy)]
enum Around {
    Property,
    Items,
    PrefixItems,
    ItemsAfterPrefix,
    AllOf,
    AnyOf,
    OneOf,
    Then,
    Else,
    PatternProperties,
    AdditionalProperties,
    UnevaluatedProperties,
    UnevaluatedItems,
    Contains,
    DependentSchemas,
    Reference,
    Anchor,
    DynamicAnchor,
    Resource,
    PointerInto,
    Sibling,
    NotNot,
}

const ALL: [Around; 22] = [
    Around::Property,
    Around::Items,
    Around::PrefixItems,
    Around::ItemsAfterPrefix,
    Around::AllOf,
    Around::AnyOf,
    Around::OneOf,
    Around::Then,
    Around::Else,
    Around::PatternProperties,
    Around::AdditionalProperties,
    Around::UnevaluatedProperties,
    Around::UnevaluatedItems,
    Around::Contains,
    Around::DependentSchemas,
    Around::Reference,
    Around::Anchor,
    Around::DynamicAnchor,
    Around::Resource,
    Around::PointerInto,
    Around::Sibling,
    Around::NotNot,
];

impl Around {
    /// `level` makes names that stand once.
    fn wrap(self, level: usize, schema: Value, data: Value) -> (Value, Value) {
        let name = format!("d{level}");
        match self {
            Self::Property => (
                json!({ "properties": { "a/~": schema } }),
                json!({ "a/~": data }),
            ),
            Self::Items => (json!({ "items": schema }), json!([data, data])),
            Self::PrefixItems => (json!({ "prefixItems": [true, schema] }), json!([0, data])),
            Self::ItemsAfterPrefix => (
                json!({ "prefixItems": [true], "items": schema }),
                json!([0, data]),
            ),
            Self::AllOf => (json!({ "allOf": [true, schema] }), data),
            Self::AnyOf => (json!({ "anyOf": [schema, false] }), data),
            Self::OneOf => (json!({ "oneOf": [false, schema] }), data),
            Self::Then => (json!({ "if": true, "then": schema }), data),
            Self::Else => (json!({ "if": false, "else": schema }), data),
            Self::PatternProperties => (
                json!({ "patternProperties": { "^b": schema } }),
                json!({ "b": data }),
            ),
            Self::AdditionalProperties => (
                json!({ "additionalProperties": schema }),
                json!({ "c": data }),
            ),
            Self::UnevaluatedProperties => (
                json!({ "unevaluatedProperties": schema }),
                json!({ "d": data }),
            ),
            Self::UnevaluatedItems => (json!({ "unevaluatedItems": schema }), json!([data])),
            Self::Contains => (json!({ "contains": schema }), json!([data])),
            Self::DependentSchemas => (
                json!({ "dependentSchemas": { "e": { "properties": { "e": schema } } } }),
                json!({ "e": data }),
            ),
            Self::Reference => {
                let reference = json!({ "$id": format!("https://{name}.example/"),
                    "$ref": format!("#/$defs/{name}"), "$defs": { name: schema } });
                (reference, data)
            }
            Self::Anchor => (
                json!({ "$ref": format!("#{name}"), "$defs": { "x": { "$anchor": name, "allOf": [schema] } } }),
                data,
            ),
            Self::DynamicAnchor => (
                json!({ "$dynamicRef": format!("#{name}"),
                    "$defs": { "x": { "$dynamicAnchor": name, "allOf": [schema] } } }),
                data,
            ),
            Self::Resource => {
                let id = format!("https://{name}.example/schema");
                (
                    json!({ "$ref": id, "$defs": { "x": { "$id": id, "allOf": [schema] } } }),
                    data,
                )
            }
            Self::PointerInto => (
                json!({ "$id": format!("https://{name}.example/"), "$ref": "#/x-defs/a/properties/b",
                    "x-defs": { "a": { "properties": { "b": schema } } } }),
                data,
            ),
            Self::Sibling => (
                json!({ "properties": { "f": true, "g": schema }, "additionalProperties": false }),
                json!({ "f": 1, "g": data }),
            ),
            Self::NotNot => (json!({ "not": { "not": schema } }), data),
        }
    }
}

/// The pointers of every canary.
fn canaries(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text == CANARY => found.push(pointer.to_owned()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                canaries(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                canaries(member, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

fn build(around: &[Around], keyword: &str) -> (Value, Value) {
    let mut leaf = Map::new();
    leaf.insert("type".to_owned(), json!("string"));
    leaf.insert(keyword.to_owned(), json!("text"));
    let leaf = (Value::Object(leaf), json!(CANARY));
    let wrapped = around.iter().enumerate();
    wrapped.fold(leaf, |(schema, data), (level, around)| {
        around.wrap(level, schema, data)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_declared_value_is_found_or_its_schema_refused(
        around in prop::collection::vec(prop::sample::select(&ALL[..]), 0..5),
        keyword in prop::sample::select(&["x-pii", "x-PII", "x_pii"][..]),
    ) {
        let (schema, data) = build(&around, keyword);
        if let Ok(compiled) = compile(&schema) {
            prop_assert!(compiled.check(&data).is_ok(), "{} {}", schema, data);
            prop_assert_eq!(keyword, "x-pii");
            let mut declared = Vec::new();
            canaries(&data, "", &mut declared);
            let found = places(&schema, &data);
            let found: Vec<&String> = found.iter().map(|(_, pointer, _)| pointer).collect();
            for pointer in &declared {
                prop_assert!(found.contains(&pointer), "{} is not found: {}", pointer, schema);
            }
        }
    }
}

/// The property says nothing if everything is refused.
#[test]
fn what_always_applies_is_accepted() {
    for around in [
        Around::Property,
        Around::Items,
        Around::PrefixItems,
        Around::ItemsAfterPrefix,
        Around::AllOf,
        Around::Reference,
        Around::Anchor,
        Around::Resource,
        Around::PointerInto,
        Around::Sibling,
    ] {
        let (schema, data) = build(&[around, Around::Property], "x-pii");
        assert!(!places(&schema, &data).is_empty(), "{around:?}");
    }
    for around in [
        Around::AnyOf,
        Around::NotNot,
        Around::DynamicAnchor,
        Around::Contains,
    ] {
        let (schema, _) = build(&[around, Around::Property], "x-pii");
        assert!(compile(&schema).is_err(), "{around:?}");
    }
}
