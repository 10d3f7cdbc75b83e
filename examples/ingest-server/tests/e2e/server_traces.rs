//! The spans of a request reach a collector under the id that the log and the answer name, and none
//! of all that holds personal data.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    collected::{Span, spans},
    forms::find,
    harness::{ALL_SCOPES, Data, Server, page_view, wait_for},
    programs::collector,
};

const EMAIL: &str = "canary.q7x@sealed-mail.example";
const PHONE: &str = "+442079460958";
const CPF: &str = "52998224725";
const NAME: &str = "Canary Q7x";
const ADDRESS: &str = "7 Sealed Street, Q7x-Town";

/// The stages, as spans, in order.
const STAGES: [&str; 11] = [
    "limit_address",
    "authenticate",
    "charge_request",
    "frame",
    "charge_content",
    "parse",
    "validate",
    "fingerprint",
    "resolve",
    "seal",
    "store",
];

/// Checks that a trace has one root, and each of the stages once and below it.
fn assert_tree(spans: &[Span], root: &Span, stages: &[&str]) {
    let trace: Vec<_> = spans
        .iter()
        .filter(|span| span.trace == root.trace)
        .collect();
    assert_eq!(root.parent, "", "{root:?}");
    for stage in stages {
        let of_stage: Vec<_> = trace.iter().filter(|span| span.name == *stage).collect();
        assert_eq!(of_stage.len(), 1, "{stage} in {trace:?}");
    }
    for span in &trace {
        let parent = |span: &Span| trace.iter().copied().find(|other| other.id == span.parent);
        let ancestors = std::iter::successors(Some(*span), |span| parent(span));
        let mut ids = ancestors.map(|span| &span.id).take(trace.len());
        assert!(
            ids.any(|id| *id == root.id),
            "{} hangs loose in {trace:?}",
            span.name
        );
    }
}

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

    let lead = json!({
        "email": EMAIL, "phone": PHONE, "name": NAME, "address": ADDRESS, "national_id": CPF
    });
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
            "data": { "email": EMAIL, "phone": "12", "name": NAME, "address": ADDRESS }
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

    // The span of a request ends after all others of its trace, and is sent after them.
    wait_for("the spans of both requests", async || {
        let spans = spans(&collector.output());
        let stored = spans.iter().find(|span| span.name == "POST /v1/leads")?;
        let refused = spans
            .iter()
            .find(|span| span.trace == trace && span.name == "POST /v1/events")?;
        assert_tree(&spans, stored, &STAGES);
        assert_tree(&spans, refused, &STAGES[..7]);
        Some(())
    })
    .await;

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

    for (place, text) in [
        ("spans", &collector.output()),
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
            CPF,
            NAME,
            ADDRESS,
        ] {
            assert_eq!(find(text.as_bytes(), value), None, "{value} in the {place}");
        }
    }
}

/// Every line names its trace and span. Gives their number.
fn assert_ids(logs: &str) -> usize {
    let inside = logs
        .lines()
        .filter(|line| !line.contains("a slow statement"));
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

/// The line with the cause of a failed commit has a trace of its own, which links to the requests that
/// failed for it; the line names them too, for those without a collector.
#[tokio::test]
async fn a_group_that_fails_is_joined_to_its_requests() {
    let (collector, endpoint) = collector().await;
    let data = Data::new();
    let mut command = data.command();
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("INGEST_TRACE_SAMPLE_RATIO", "0");
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    sqlx::query("ALTER TABLE event RENAME TO gone")
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    let request = problem["trace_id"].as_str().unwrap().to_owned();

    let logs = server.logs();
    let lines: Vec<Value> = logs
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let cause = lines
        .iter()
        .find(|line| line["message"] == "a group was not written")
        .unwrap();
    assert!(cause["error"].as_str().unwrap().contains("no such table"));
    assert_eq!(cause["requests"], request.as_str());
    let group = cause["trace_id"].as_str().unwrap();
    assert_ne!(group, request);
    // Neither was chosen at its start; both failed, and are kept.
    wait_for("the group's span with a link to the request", async || {
        let output = collector.output();
        let printed = output.split("\nSpan #").skip(1);
        let mut groups = printed.filter(|text| text.contains("write_group"));
        let linked = groups.any(|text| {
            let mut links = text.split("Link").skip(1);
            text.contains(group) && links.any(|link| link.contains(&request))
        });
        let spans = spans(&output);
        let mut roots = spans.iter().filter(|span| span.trace == request);
        (linked && roots.any(|span| span.name == "POST /v1/events")).then_some(())
    })
    .await;
}
