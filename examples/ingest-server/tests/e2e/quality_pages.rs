//! What operators read about the quality of data, and how answers are found again.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Server, page_view};

async fn text(server: &Server, path: &str) -> String {
    let answer = server.admin(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// Every number of JSON that could be a time since 1970.
fn assert_no_epoch(value: &Value) {
    match value {
        Value::Number(number) => assert!(number.as_f64().unwrap() < 1e9, "{number}"),
        Value::Array(items) => items.iter().for_each(assert_no_epoch),
        Value::Object(members) => members.values().for_each(assert_no_epoch),
        _ => {}
    }
}

#[tokio::test]
async fn times_have_one_form_and_samples_keep_the_type_of_what_they_mask() {
    // So long that no id of a trace, which samples have too, has it by chance.
    const AMOUNT: u32 = 1_299_129;
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (n, amount) in [json!(AMOUNT.to_string()), json!("8371983"), json!(true)]
        .into_iter()
        .enumerate()
    {
        let event = json!({
            "specversion": "1.0", "type": "purchase.completed", "source": "test", "id": format!("id-{n}"),
            "data": { "order": "o-1", "total_cents": amount, "currency": "EUR", "items": [{ "sku": "s", "quantity": 1, "price_cents": 1 }] }
        });
        let answer = server
            .post("/v1/events", &key, &event)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    let numeric = json!({ "specversion": "1.0", "type": AMOUNT, "source": "test", "id": "n" });
    server
        .post("/v1/events", &key, &numeric)
        .send()
        .await
        .unwrap();
    for path in [
        "/admin/quality",
        "/admin/quality?tenant=acme",
        "/admin/quality/samples",
    ] {
        let body: Value = serde_json::from_str(&text(&server, path).await).unwrap();
        assert_no_epoch(&body);
    }
    let report: Value = serde_json::from_str(&text(&server, "/admin/quality").await).unwrap();
    let made_at = report["made_at"].as_str().unwrap();
    assert!(
        made_at.starts_with("20") && made_at.ends_with('Z'),
        "{made_at}"
    );
    let samples = text(&server, "/admin/quality/samples").await;
    assert!(samples.contains(r#"\"9999999\""#), "{samples}");
    assert!(samples.contains(r#"\"type\":9999999"#), "{samples}");
    assert!(!samples.contains(&AMOUNT.to_string()), "{samples}");

    let page = text(&server, "/admin/quality/report?tenant=acme").await;
    let report: Value = serde_json::from_str(&text(&server, "/admin/quality").await).unwrap();
    // The page is of the hour before it or the hour after it, which may be two.
    let hours = [made_at, report["made_at"].as_str().unwrap()].map(|time| &time[..13]);
    assert!(hours.iter().any(|hour| page.contains(hour)), "{page}");
    assert!(page.contains("that look like it"), "{page}");
    let page = text(&server, "/admin/quality/report?tenant=nope").await;
    assert!(page.contains("check the name"), "{page}");
}

/// An answer is found in the log by the trace it names, a success as well as a problem.
#[tokio::test]
async fn every_answer_names_its_trace() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for request in [
        server.post("/v1/events", &key, &page_view("1")),
        server.request(Method::GET, "/v1/leads?email=a@b.example", &key),
        server.request(Method::GET, "/nowhere", &key),
        server.admin(Method::GET, "/healthz"),
        server.admin(Method::GET, "/admin/limits"),
        server.admin(Method::GET, "/nowhere"),
    ] {
        let answer = request.send().await.unwrap();
        let trace = answer.headers()["x-trace-id"].to_str().unwrap().to_owned();
        assert_eq!(trace.len(), 32);
        let body: Value = answer.json().await.unwrap();
        if let Some(told) = body["trace_id"].as_str() {
            assert_eq!(told, trace);
        }
    }
}
