//! What happens for nobody's request has the id of a trace all the same.

use std::{fs, io::Write as _, net::TcpStream};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, page_view, readiness, wait_for};

/// Each line names its trace and span.
fn assert_ids(logs: &str) -> Vec<Value> {
    let lines: Vec<Value> = logs
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    for line in &lines {
        for (id, length) in [("trace_id", 32), ("span_id", 16)] {
            assert_eq!(line[id].as_str().map(str::len), Some(length), "{line}");
        }
    }
    lines
}

async fn execute(data: &Data, statement: &'static str) {
    sqlx::raw_sql(statement)
        .execute(&mut data.connect().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn every_line_of_the_background_has_the_id_of_a_trace() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let said = async |text: &'static str| {
        wait_for(text, async || server.logs().contains(text).then_some(())).await;
    };
    // The writer, and its trials until it can write again.
    execute(&data, "ALTER TABLE event RENAME TO gone").await;
    let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    execute(&data, "ALTER TABLE gone RENAME TO event").await;
    said("the database can be written again").await;
    // The follower of revocations.
    execute(&data, "ALTER TABLE apikey_cache_outbox RENAME TO gone").await;
    said("the API keys' store failed").await;
    execute(&data, "ALTER TABLE gone RENAME TO apikey_cache_outbox").await;
    execute(
        &data,
        "INSERT INTO apikey_cache_outbox (seq, kid, version, at) \
         SELECT 1000, kid, 1, 0 FROM apikey_cache_api_key LIMIT 1",
    )
    .await;
    said("changes of API keys may have been missed").await;
    // The data keys, and readiness.
    execute(&data, "ALTER TABLE keyring_data_key RENAME TO gone").await;
    readiness(&server).await;
    execute(&data, "ALTER TABLE gone RENAME TO keyring_data_key").await;
    // The watch on the database.
    fs::remove_file(data.database()).unwrap();
    said("nothing is written any more").await;

    let logs = server.logs();
    assert!(server.terminate().success());
    let lines = assert_ids(&data.logs());
    assert!(lines.len() > 5, "{logs}");
}

/// What the service writes at each level, from the first line to the last. Lines of libraries, which have those of
/// connections and threads among them, are not the service's.
#[tokio::test]
async fn each_line_of_each_level_has_the_id_of_a_trace() {
    for (level, lowest) in [
        ("error", "ERROR"),
        ("warn", "WARN"),
        ("info", "INFO"),
        ("debug", "DEBUG"),
        ("trace", "DEBUG"),
    ] {
        let data = Data::new();
        let mut command = data.command();
        command
            .env(
                "INGEST_LOG",
                format!("ingest_server={level},portcullis={level}"),
            )
            .env("INGEST_TRACE_SAMPLE_RATIO", "0.5");
        let server = Server::start_command(&data, command);
        let key = server.issue("acme", &ALL_SCOPES).await;
        let id = server.lead(&key, &json!({ "email": "a@b.example" })).await;
        server.read_lead(&key, &id).await;
        let broken = json!([{ "id": "broken" }, page_view(1)]);
        let answer = server.post("/v1/events", &key, &broken).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
        let wrong = reqwest::Client::new().post(server.public_url("/v1/events"));
        let answer = wrong.bearer_auth("no key").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let look = server.admin(Method::GET, "/admin/limits").send().await;
        assert_eq!(look.unwrap().status(), StatusCode::OK);
        // In the middle of a body.
        let mut cut = TcpStream::connect(server.public_address()).unwrap();
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
            key.text
        );
        cut.write_all(head.as_bytes()).unwrap();
        drop(cut);
        execute(&data, "ALTER TABLE event RENAME TO gone").await;
        let answer = server.post("/v1/events", &key, &page_view(2)).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(server.terminate().success());
        let lines = assert_ids(&data.logs());
        let has = |level: &str| lines.iter().any(|line| line["level"] == level);
        assert!(has("ERROR") && has(lowest), "{level}: {}", data.logs());
        let says = |text: &str| {
            let mut messages = lines.iter().filter_map(|line| line["message"].as_str());
            messages.any(|message| message.contains(text))
        };
        if lowest == "INFO" || lowest == "DEBUG" {
            for text in ["started", "stopping", "stopped"] {
                assert!(says(text), "{text}: {}", data.logs());
            }
        }
    }
}
