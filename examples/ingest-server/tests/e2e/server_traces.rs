//! The spans of a request reach a collector under the id that the log and the answer name, and none
//! of all that holds personal data.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    forms::find,
    harness::{ALL_SCOPES, Data, Server, page_view, wait_for},
    programs::collector,
};

const EMAIL: &str = "canary.q7x@sealed-mail.example";
const PHONE: &str = "+442079460958";

/// The stages, as spans.
const STAGES: [&str; 9] = [
    "limit_address",
    "authenticate",
    "frame",
    "admit",
    "parse",
    "validate",
    "resolve",
    "seal",
    "store",
];

#[tokio::test]
async fn spans_logs_and_answers_name_the_same_trace_and_hold_no_personal_data() {
    let (collector, endpoint) = collector().await;
    let data = Data::new();
    let mut command = data.command();
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("INGEST_TRACE_SAMPLE_RATIO", "1");
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;

    let lead = json!({ "email": EMAIL, "phone": PHONE, "name": "Canary Q7x" });
    let id = server.lead(&key, &lead).await;
    server.read_lead(&key, &id).await;
    let undeclared = |field: &str| {
        let mut event = page_view(format!("bad-{field}"));
        event["data"][field] = json!(format!("{EMAIL} {PHONE}"));
        event
    };
    let batch = json!([
        {
            "type": "form.submitted", "source": "test/web", "id": "1",
            "data": { "form": "f", "email": EMAIL, "phone": PHONE }
        },
        {
            "type": "lead.created", "source": "test/web", "id": "2",
            "data": { "email": EMAIL, "phone": "12", "name": "Canary Q7x" }
        },
        undeclared("url"),
        undeclared(EMAIL),
    ]);
    server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    // A refused event: the answer, the log and the spans have one id.
    let answer = server
        .post("/v1/events", &key, &undeclared("referrer"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = answer.json().await.unwrap();
    let trace = problem["trace_id"].as_str().unwrap().to_owned();
    assert_eq!(trace.len(), 32, "{problem}");

    let spans = wait_for("the spans of the request", async || {
        let output = collector.output();
        let complete = output.contains(&trace) && STAGES.iter().all(|stage| output.contains(stage));
        complete.then_some(output)
    })
    .await;
    assert!(spans.contains("POST /v1/events"), "{spans}");

    let metrics = server
        .admin(Method::GET, "/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let samples = server
        .admin(Method::GET, "/admin/quality/samples")
        .send()
        .await
        .unwrap();
    let samples = samples.text().await.unwrap();
    assert!(samples.contains("policy.undeclared_pii"), "{samples}");
    assert!(server.terminate().success());
    let logs = data.logs();
    let request_lines = assert_ids(&logs);
    assert!(request_lines >= 5, "{logs}");
    assert!(logs.contains(&trace), "{logs}");

    let spans = collector.output();
    for (place, text) in [
        ("spans", &spans),
        ("metrics", &metrics),
        ("samples", &samples),
        ("logs", &logs),
    ] {
        for value in [
            EMAIL,
            "canary.q7x",
            "sealed-mail",
            PHONE,
            &PHONE[1..],
            "Canary Q7x",
        ] {
            assert_eq!(find(text.as_bytes(), value), None, "{value} in the {place}");
        }
    }
}

/// Every line that does not belong to start or stop names its trace and span. Gives their number.
fn assert_ids(logs: &str) -> usize {
    let outside = [
        "stopping",
        "stopped",
        "the share of traces lies outside",
        "a slow statement",
    ];
    let inside = logs
        .lines()
        .filter(|line| !outside.iter().any(|text| line.contains(text)));
    let mut lines = 0;
    for line in inside {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        for (id, length) in [("trace_id", 32), ("span_id", 16)] {
            assert_eq!(line[id].as_str().map(str::len), Some(length), "{line}");
        }
        lines += 1;
    }
    lines
}
