//! What a sender is told.

use serde_json::{Value, json};

use super::*;

fn detail(event_type: &str, data: &Value) -> String {
    let schemas = Schemas::load(None).unwrap();
    let schema = schemas.event(event_type, DEFAULT_VERSION).unwrap();
    schema.check(data).unwrap_err().detail
}

#[test]
fn a_fault_is_told_in_words_and_with_its_place() {
    let schemas = Schemas::load(None).unwrap();
    let empty = schemas.lead().check(&json!({})).unwrap_err().detail;
    assert_eq!(
        empty,
        "must have at least 1 of `address`, `email`, `name`, `national_id`, `phone` \
         (schema /minProperties)"
    );
    let order = |item: Value| {
        let good = json!({ "sku": "a", "quantity": 1, "price_cents": 1 });
        json!({ "order": "o", "currency": "EUR", "total_cents": 1, "items": [good, item] })
    };
    for (event_type, data, parts) in [
        (
            "purchase.completed",
            order(json!({ "sku": 7, "quantity": 1, "price_cents": 1 })),
            &["`/items/1/sku`: must be of type string"][..],
        ),
        (
            "purchase.completed",
            order(json!({ "quantity": 0, "price_cents": 1 })),
            &[
                "`/items/1`: `sku` is required",
                "`/items/1/quantity`: must be at least 1",
            ],
        ),
        (
            "purchase.completed",
            order(json!({ "skü": "a", "sku": "a", "quantity": 1, "price_cents": 1 })),
            &[
                "`/items/1`: has a property",
                "perhaps `sku` is meant",
                "known: `price_cents`, `quantity`, `sku`",
            ],
        ),
        (
            "page.viewed",
            json!({ "url": "u", "nationalId": "n" }),
            &[
                "it has 10 characters: letters",
                "known: `referrer`, `url`, `visitor`",
            ],
        ),
        (
            "page.viewed",
            json!({ "url": "u", "email": "n" }),
            &["does not name (`email`; known"],
        ),
        (
            "page.viewed",
            json!({ "uri": "u" }),
            &["`url` is required", "perhaps `url` is meant"],
        ),
        (
            "page.viewed",
            json!({ "url": "" }),
            &["`/url`: must have at least 1 characters"],
        ),
        (
            "lead.created",
            json!({ "channel": "fax" }),
            &[
                "one of `email`, `phone`, `national_id`, `name`, `address` is required",
                "`/channel`: must be one of `web`, `store`, `phone`, `partner`",
            ],
        ),
        (
            "lead.updated",
            json!({ "lead": "x", "name": "n" }),
            &["`/lead`: must have the format `uuid`"],
        ),
        (
            "page.viewed",
            json!([]),
            &["must be of type object (schema /type)"],
        ),
    ] {
        let detail = detail(event_type, &data);
        for part in parts {
            assert!(detail.contains(part), "{part} in: {detail}");
        }
    }
}

/// A member's name may be somebody's number, also where the schema allows any name.
#[test]
fn no_place_repeats_a_name_that_the_schema_does_not_know() {
    let schema = compile(&json!({
        "properties": { "known": { "additionalProperties": { "type": "integer" } } }
    }))
    .unwrap();
    for name in ["52998224725", "canary", "a/b", "~", "0", ""] {
        let detail = schema
            .check(&json!({ "known": { name: "x" } }))
            .unwrap_err()
            .detail;
        assert!(
            detail.starts_with("`/known/*`: must be of type integer"),
            "{detail}"
        );
    }
}

#[test]
fn many_faults_are_told_in_a_bounded_sentence() {
    let items: Vec<Value> = (0..200)
        .map(|n| json!({ "sku": n, "quantity": -1, "canary7Q": 1 }))
        .collect();
    let text = detail(
        "purchase.completed",
        &json!({ "items": items, "order": "" }),
    );
    assert!(text.len() < 1_200, "{}", text.len());
    assert!(
        text.contains("; ") && text.ends_with("; and more"),
        "{text}"
    );
    assert!(!text.contains("canary7Q"), "{text}");
    let unknown: serde_json::Map<String, Value> = (0..200)
        .map(|n| (format!("canary7Q{n}"), json!(1)))
        .collect();
    let text = detail("page.viewed", &Value::Object(unknown));
    assert!(text.len() < 1_200 && !text.contains("canary7Q"), "{text}");
    assert!(text.contains("197 more"), "{text}");
}
