//! What happens for nobody's request has the id of a trace all the same.

use std::fs;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, page_view, readiness, wait_for};

/// Lines of the start and of the end, which belong to no work. The README names them.
const OUTSIDE: [&str; 4] = [
    "stopping: requests in flight are answered first",
    "stopped",
    "connections were cut off at the end of the drain time",
    "spans did not reach the collector",
];

/// Each line outside the list names its trace and span.
fn assert_ids(logs: &str) -> Vec<Value> {
    let lines: Vec<Value> = logs
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    for line in &lines {
        let message = line["message"].as_str().unwrap();
        if OUTSIDE.iter().any(|outside| message.contains(outside)) {
            continue;
        }
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
