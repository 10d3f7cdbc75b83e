//! Spans that no collector takes are not lost in silence.

use std::process::Command;

use reqwest::StatusCode;
use tokio::net::TcpSocket;

use crate::harness::{ALL_SCOPES, Data, Server, page_view};

/// The address of a collector that is bound and not listened on: nobody answers, and nobody else takes the port.
pub(crate) struct Silent(TcpSocket);

impl Silent {
    pub(crate) fn bind() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    /// A service in production that sends it every trace.
    pub(crate) fn traced(&self, data: &Data) -> Command {
        let mut command = data.production();
        let endpoint = format!("http://{}", self.0.local_addr().unwrap());
        command
            .env("INGEST_TRACE_SAMPLE_RATIO", "1")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        command
    }
}

#[tokio::test]
async fn the_last_line_says_how_many_spans_were_lost() {
    let data = Data::new();
    let collector = Silent::bind();
    let server = Server::start_command(&data, collector.traced(&data));
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
