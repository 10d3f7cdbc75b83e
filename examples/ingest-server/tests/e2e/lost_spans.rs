//! Spans that no collector takes are not lost in silence.

use reqwest::StatusCode;

use crate::harness::{ALL_SCOPES, Data, Server, page_view};

#[tokio::test]
async fn the_last_line_says_how_many_spans_were_lost() {
    let data = Data::new();
    // Bound and not listened on: nobody answers, and nobody else takes the port.
    let collector = tokio::net::TcpSocket::new_v4().unwrap();
    collector.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut command = data.production();
    command
        .env("INGEST_TRACE_SAMPLE_RATIO", "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    assert!(server.terminate().success());

    let logs = data.logs();
    let last: serde_json::Value = serde_json::from_str(logs.lines().last().unwrap()).unwrap();
    let text = last.to_string();
    assert!(text.contains("spans did not reach the collector"), "{text}");
    assert!(text.contains("\"level\":\"WARN\""), "{text}");
    assert!(text.contains("\"flushed\":0"), "{text}");
    assert!(!text.contains("\"dropped\":0"), "{text}");
}

#[tokio::test]
async fn without_a_collector_nothing_is_said_of_spans() {
    let server = Server::start();
    let data = server.data().clone();
    server.issue("acme", &ALL_SCOPES).await;
    assert!(server.terminate().success());
    assert!(!data.logs().contains("collector"), "{}", data.logs());
}
