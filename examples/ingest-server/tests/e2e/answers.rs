//! What a sender is told: what would do, and no more of what was sent than the service knows.

use serde_json::{Map, Value, json};

use crate::{
    cloud_events::{ONE, answer, post, with},
    harness::{ALL_SCOPES, Server},
};

#[tokio::test]
async fn answers_say_what_would_do() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let detail = async |path: &str, body: &Value| {
        let (status, answer) = answer(server.post(path, &key, body)).await;
        assert_eq!(status, 422, "{answer}");
        answer["detail"].as_str().unwrap().to_owned()
    };
    let purchase = json!({
        "order": "o", "currency": "eur", "total_cents": -1,
        "items": [{ "sku": "a", "quantity": 1, "price_cents": 1 }, { "sku": 7, "quantity": 1 }]
    });
    for (path, body, parts) in [
        (
            "/v1/leads",
            json!({}),
            &["at least 1 of `address`, `email`, `name`, `national_id`, `phone`"][..],
        ),
        (
            "/v1/leads",
            json!({ "Email": "a@b.example" }),
            &["perhaps `email` is meant", "known: `address`"],
        ),
        (
            "/v1/leads",
            json!({ "url": "u" }),
            &["does not name (`url`; known"],
        ),
        (
            "/v1/leads",
            json!({ "email": "x", "phone": "y" }),
            &["`/email` must be", "`/phone` must be"],
        ),
        (
            "/v1/events",
            with("1", &json!({ "type": "page.view" })),
            &[
                "perhaps `page.viewed` is meant",
                "known: `form.submitted`, `lead.created`",
            ],
        ),
        (
            "/v1/events",
            with("1", &json!({ "dataschema": "9" })),
            &["known: `1`, `2`"],
        ),
        (
            "/v1/events",
            with(
                "1",
                &json!({ "type": "purchase.completed", "data": purchase }),
            ),
            &[
                "`/items/1`: `price_cents` is required",
                "`/items/1/sku`: must be of type string",
                "`/total_cents`: must be at least 0",
                "`/currency`: does not satisfy `pattern`",
            ],
        ),
    ] {
        let detail = detail(path, &body).await;
        for part in parts {
            assert!(detail.contains(part), "{part} in: {detail}");
        }
    }
}

/// A member as long as a body is looked at once, and compared with nothing.
#[tokio::test]
async fn long_names_cost_no_more_than_other_text() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut members = Map::new();
    members.insert("url".to_owned(), json!("u"));
    members.insert("n".repeat(900_000), json!(1));
    let event = with("1", &json!({ "data": members }));
    let (status, answer) = post(&server, &key, ONE, event.to_string()).await;
    assert_eq!(
        (status, &answer["reason"]),
        (422, &json!("schema.additional_property"))
    );
    assert!(answer.to_string().len() < 4_000);
}
