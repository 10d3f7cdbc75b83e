//! A sender chooses the type of its event, and may put anything there: of a type that nobody planned,
//! nothing is kept.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server};

/// Names and numbers of people as types: some fit the grammar of types, some do not.
const TYPES: [&str; 10] = [
    "ada.lovelace",
    "Canary-Q7x",
    "52998224725",
    "529.982.247-25",
    "canary.q7x.example.com",
    "442079460958",
    "078-05-1120",
    "canary.q7x@mail.example",
    "+44 20 7946 0958",
    "Ada Lovelace",
];

#[tokio::test]
async fn a_type_that_nobody_planned_is_neither_label_nor_sample_nor_log() {
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_LOG", "trace");
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    for event_type in TYPES {
        // Also under names of schemas and attributes, and with a version that nobody planned.
        for event in [
            json!({ "type": event_type, "source": "s", "id": "1", "data": {} }),
            json!({ "type": event_type, "source": "s", "id": "1", "dataschema": "7", "data": {} }),
            json!({ "type": "page.viewed", "source": "s", "id": "1", "dataschema": "987654321",
                "data": { "url": "u" } }),
            json!({ "type": event_type, "data": {} }),
        ] {
            let answer = server.post("/v1/events", &key, &event).send().await;
            let answer: Value = answer.unwrap().json().await.unwrap();
            let text = answer.to_string();
            assert!(
                !text.contains(event_type) && !text.contains("987654321"),
                "{text}"
            );
        }
    }
    let mut shown = Vec::new();
    for path in [
        "/metrics",
        "/admin/quality",
        "/admin/quality?tenant=acme",
        "/admin/quality/report",
        "/admin/quality/samples",
        "/admin/audit/events",
        "/readyz",
    ] {
        let answer = server.admin(Method::GET, path).send().await.unwrap();
        shown.push((path, answer.text().await.unwrap()));
    }
    let unplanned = r#"dq_event_type_outcomes_total{event_type="__other__",outcome="rejected"}"#;
    assert!(server.metrics().await[unplanned] > 0.0);
    let quality: Value = serde_json::from_str(&shown[1].1).unwrap();
    let types = quality["event_types"].as_array().unwrap().iter();
    let mut types: Vec<&str> = types.map(|of| of["event_type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["__other__", "__unknown__", "page.viewed"]);
    assert!(server.terminate().success());
    shown.push(("logs", data.logs()));
    for (place, text) in shown {
        for event_type in TYPES.into_iter().chain(["987654321"]) {
            assert!(!text.contains(event_type), "{event_type} in {place}");
        }
    }
}
