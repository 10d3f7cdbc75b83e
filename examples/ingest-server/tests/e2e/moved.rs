//! Metrics that no other test has reason to look at move by what they are about.

use std::{io::Write as _, net::TcpStream};

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    harness::{ALL_SCOPES, Data, Key, Samples, Server, page_view, slow_down, wait_for},
    movement::assert_moved,
};

async fn send(server: &Server, key: &Key, body: &serde_json::Value) -> StatusCode {
    let answer = server.post("/v1/events", key, body).send().await;
    answer.unwrap().status()
}

#[tokio::test]
async fn what_comes_in_moves_what_tells_of_its_quality() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(
        send(&server, &key, &page_view(0)).await,
        StatusCode::ACCEPTED
    );
    let before = server.metrics().await;
    // The first was of the version that counts where none is stated, a deprecated one.
    let mut latest = page_view(1);
    latest["dataschema"] = json!("2");
    latest["data"]["duration_ms"] = json!(7);
    let batch = json!([latest, page_view(2), page_view(2), { "id": "broken" }]);
    send(&server, &key, &batch).await;
    let after = server.metrics().await;
    assert_moved(
        &before,
        &after,
        [
            "dq_received_total",
            "dq_outcomes_total",
            "dq_rejected_total",
            "dq_score",
            "dq_score_lower_bound",
            "dq_samples_total",
            "dq_schema_version_events_total",
            "dq_schema_version_last_seen_timestamp_seconds",
            "dq_schema_deprecated_ratio",
            "http_server_request_duration_seconds",
            "db_client_operation_duration_seconds",
        ],
    );
}

/// A sender who stops in the middle of an event.
fn begin(server: &Server, key: &Key) -> TcpStream {
    let mut stream = TcpStream::connect(server.public_address()).unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        key.text
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[tokio::test]
async fn a_request_that_goes_on_is_shown_while_it_does() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    let stream = begin(&server, &key);
    let during = wait_for("a request that goes on", async || {
        let metrics = server.metrics().await;
        (metrics["http_server_active_requests"] == 2.0).then_some(metrics)
    })
    .await;
    assert_moved(&before, &during, ["http_server_active_requests"]);
    drop(stream);
    wait_for("its end", async || {
        (server.metrics().await["http_server_active_requests"] == 1.0).then_some(())
    })
    .await;
}

/// What was received and has no outcome yet.
#[tokio::test]
async fn an_event_that_waits_for_its_commit_is_unaccounted() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    slow_down(server.data(), 4).await;
    let look = async {
        let waiting = wait_for("an event that waits", async || {
            let metrics = server.metrics().await;
            (metrics["dq_unaccounted"] == 1.0).then_some(metrics)
        });
        assert_moved(&before, &waiting.await, ["dq_unaccounted"]);
    };
    let event = page_view("slow");
    let (status, ()) = tokio::join!(send(&server, &key, &event), look);
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(server.metrics().await["dq_unaccounted"], 0.0);
}

/// The history is written every ten seconds.
#[tokio::test]
async fn what_becomes_history_is_counted() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    send(&server, &key, &json!([page_view(1), { "id": "broken" }])).await;
    let written = wait_for("a history that is written", async || {
        let metrics = server.metrics().await;
        let written = metrics[r#"dq_history_written_total{what="events"}"#];
        (written >= 2.0).then_some(metrics)
    })
    .await;
    assert_moved(&before, &written, ["dq_history_written_total"]);
}

#[tokio::test]
async fn a_process_shows_its_work_its_memory_and_its_start() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    let batch: serde_json::Value = (0..1_000).map(page_view).collect();
    assert_eq!(send(&server, &key, &batch).await, StatusCode::ACCEPTED);
    let after = server.metrics().await;
    assert_moved(
        &before,
        &after,
        ["process_cpu_seconds_total", "process_resident_memory_bytes"],
    );
    assert!(server.terminate().success());
    let next = Server::start_on(&data).metrics().await;
    assert_moved(&before, &next, ["process_start_time_seconds"]);
}

/// A server all of whose spans go to where nobody takes them, and not before they are many or waited long.
fn exporting(data: &Data, ratio: &str, delay: &str) -> (Server, tokio::net::TcpSocket) {
    // Bound and not listened on: nobody answers, and nobody else takes the port.
    let collector = tokio::net::TcpSocket::new_v4().unwrap();
    collector.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut command = data.command();
    command
        .env("INGEST_TRACE_SAMPLE_RATIO", ratio)
        .env("OTEL_BSP_SCHEDULE_DELAY", delay)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    (Server::start_command(data, command), collector)
}

#[tokio::test]
async fn spans_are_counted_when_they_are_chosen_while_they_wait_and_when_they_are_lost() {
    let data = Data::new();
    let (server, _collector) = exporting(&data, "1", "3600000");
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    assert_eq!(
        send(&server, &key, &page_view(1)).await,
        StatusCode::ACCEPTED
    );
    let waiting = wait_for("spans that wait", async || {
        let metrics = server.metrics().await;
        let more = |name: &str| metrics[name] > before[name];
        let are_more = more("telemetry_export_queue_spans") && more("telemetry_export_queue_bytes");
        are_more.then_some(metrics)
    })
    .await;
    assert_moved(
        &before,
        &waiting,
        [
            "telemetry_spans_selected_total",
            "telemetry_export_queue_spans",
            "telemetry_export_queue_bytes",
        ],
    );
    assert!(server.terminate().success());

    let (server, _collector) = exporting(&data, "1", "100");
    let none = |outcome: &Samples| {
        outcome
            .iter()
            .filter(|(sample, _)| sample.starts_with("telemetry_spans_exported_total"))
            .all(|(_, spans)| *spans == 0.0)
    };
    let lost = wait_for("spans that are lost", async || {
        let metrics = server.metrics().await;
        (!none(&metrics)).then_some(metrics)
    })
    .await;
    assert_eq!(
        lost[r#"telemetry_spans_exported_total{outcome="delivered"}"#],
        0.0
    );
    assert_moved(
        &before,
        &lost,
        [
            "telemetry_spans_exported_total",
            "telemetry_spans_dropped_total",
        ],
    );
}

/// One that failed, of which nothing was chosen at its start.
#[tokio::test]
async fn a_trace_that_is_kept_at_its_end_is_counted() {
    let data = Data::new();
    let (server, _collector) = exporting(&data, "0", "3600000");
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    let gone = sqlx::query("ALTER TABLE apikey_cache_api_key RENAME TO gone");
    gone.execute(&mut data.connect().await).await.unwrap();
    let status = send(&server, &key, &page_view(1)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let kept = wait_for("a trace that is kept", async || {
        let metrics = server.metrics().await;
        let kept = metrics[r#"telemetry_tail_kept_total{reason="error"}"#];
        (kept > before[r#"telemetry_tail_kept_total{reason="error"}"#]).then_some(metrics)
    })
    .await;
    assert_moved(&before, &kept, ["telemetry_tail_kept_total"]);
}

/// In production a field that is on no list is hidden, such as what a dependency says of a statement.
#[tokio::test]
async fn what_the_log_hides_is_counted() {
    let data = Data::new();
    let mut command = data.production();
    command.env("INGEST_LOG", "debug");
    let server = Server::start_command(&data, command);
    let before = server.metrics().await;
    server.issue("acme", &ALL_SCOPES).await;
    let after = server.metrics().await;
    assert_moved(&before, &after, ["telemetry_redactions_total"]);
}
