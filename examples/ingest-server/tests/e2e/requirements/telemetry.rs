//! Requirements 4: logs, metrics and traces.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    forms::find,
    harness::{ALL_SCOPES, Data, Server, page_view, wait_for},
};

const EMAIL: &str = "canary.q7x@sealed-mail.example";

/// Each line of the log has the id of a trace and of a span, and those of a request have the id that its answer has.
///
/// Also: `e2e::background::every_line_of_the_background_has_the_id_of_a_trace`,
/// `e2e::background::each_line_of_each_level_has_the_id_of_a_trace`.
#[tokio::test]
async fn r4_2_each_line_of_the_log_has_the_ids_of_its_trace() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let refused =
        json!({ "type": "page.viewed", "source": "s", "id": "1", "data": { "url": EMAIL } });
    let answer = server
        .post("/v1/events", &key, &refused)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let trace = answer.headers()["x-trace-id"].to_str().unwrap().to_owned();
    wait_for("the lines of the request", async || {
        server.logs().contains(&trace).then_some(())
    })
    .await;
    for line in server.logs().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for (id, length) in [("trace_id", 32), ("span_id", 16)] {
            assert_eq!(line[id].as_str().map(str::len), Some(length), "{line}");
        }
    }
}

/// Metrics are there in the formats of Prometheus and OpenMetrics, and each of them is documented.
///
/// Also: `e2e::server_metrics::the_reference_parsers_and_the_checker_accept_the_metrics`,
/// `e2e::server_metrics::a_real_prometheus_scrapes_and_answers_queries`.
#[tokio::test]
async fn r4_4_metrics_are_for_prometheus_and_documented() {
    let server = Server::start();
    for (accept, format, end) in [
        ("text/plain;version=0.0.4", "text/plain", false),
        (
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text",
            true,
        ),
    ] {
        let request = server
            .admin(Method::GET, "/metrics")
            .header("accept", accept);
        let answer = request.send().await.unwrap();
        let sent = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(sent.starts_with(format), "{sent}");
        let text = answer.text().await.unwrap();
        assert_eq!(text.ends_with("# EOF\n"), end, "{accept}");
    }
    // Fails where one is not in docs/metrics.md.
    assert!(server.metrics().await.len() > 100);
}

/// No personal data and no secret is in the log, wherever it was sent.
///
/// Also: `e2e::server_canaries::nothing_that_comes_in_comes_out_in_production`,
/// `e2e::moved::what_the_log_hides_is_counted`.
#[tokio::test]
async fn r4_5_the_log_has_no_personal_data_and_no_secret() {
    let data = Data::new();
    let mut command = data.production();
    command.env("INGEST_LOG", "debug");
    let mut server = Server::start_command(&data, command);
    let secrets = data.random_secrets();
    server.use_token(&secrets[0].1);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server
        .lead(&key, &json!({ "email": EMAIL, "name": "Canary" }))
        .await;
    server.read_lead(&key, &lead).await;
    let mut event = page_view(1);
    event["data"]["url"] = json!(format!("https://x.example/?m={EMAIL}"));
    server
        .post("/v1/events", &key, &event)
        .send()
        .await
        .unwrap();
    for path in [format!("/v1/leads?email={EMAIL}"), format!("/v1/{EMAIL}")] {
        let request = server.request(Method::GET, &path, &key);
        request
            .header("x-access-reason", EMAIL)
            .send()
            .await
            .unwrap();
    }
    assert!(server.terminate().success());
    let logs = data.logs();
    assert!(logs.lines().count() > 10, "{logs}");
    assert_eq!(find(logs.as_bytes(), EMAIL), None);
    assert!(!logs.contains(&key.text));
    for (name, secret) in secrets {
        let secret = secret.trim_start_matches("1:");
        assert!(!logs.contains(secret), "{name} is in the log");
    }
}
