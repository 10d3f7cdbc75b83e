//! What is on record of ordinary writes: nothing, one entry for each key and minute, or one for each request.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, on_record, page_view, wait_for};

const WRITES: [&str; 2] = ["event.write", "lead.write"];

/// Of each write on record, the action, the tenant and the number of records.
fn told(events: &[Value]) -> Vec<(String, String, u64)> {
    let writes = events
        .iter()
        .filter(|event| WRITES.iter().any(|action| event["action"] == *action));
    let mut told: Vec<_> = writes
        .map(|event| {
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            (
                text("action"),
                text("tenant"),
                event["count"].as_u64().unwrap(),
            )
        })
        .collect();
    told.sort();
    told
}

/// What is on record while the service runs, once there are so many, and what is after it has ended in order.
async fn on_record_with(mode: Option<&str>, running: usize) -> [Vec<(String, String, u64)>; 2] {
    let data = Data::new();
    let mut command = data.command();
    if let Some(mode) = mode {
        command.env("INGEST_AUDIT_WRITES", mode);
    }
    let server = Server::start_command(&data, command);
    for tenant in ["acme", "other"] {
        let key = server.issue(tenant, &ALL_SCOPES).await;
        for n in 0..3 {
            let batch = json!([page_view(2 * n), page_view(2 * n + 1)]);
            let answer = server.post("/v1/events", &key, &batch).send().await;
            assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
        }
        server.lead(&key, &json!({ "email": "a@b.example" })).await;
    }
    // Nobody waits for a note.
    let running = wait_for("the writes on record", async || {
        let told = told(&on_record(&server, "").await);
        (told.len() >= running).then_some(told)
    })
    .await;
    assert!(server.terminate().success());
    let found = data.run(&["audit", "search", "--limit", "500", "--json"]);
    assert!(found.status.success());
    let found = String::from_utf8(found.stdout).unwrap();
    let found: Vec<Value> = found
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    [running, told(&found)]
}

fn row(action: &str, tenant: &str, count: u64) -> (String, String, u64) {
    (action.to_owned(), tenant.to_owned(), count)
}

#[tokio::test]
async fn nothing_is_on_record_of_writes_when_they_are_off() {
    let nothing = [const { Vec::new() }; 2];
    assert_eq!(on_record_with(Some("off"), 0).await, nothing);
}

#[tokio::test]
async fn each_request_is_on_record_at_once_when_each_is_asked_for() {
    let expected: Vec<_> = WRITES
        .into_iter()
        .flat_map(|action| {
            let of_requests = if action == "event.write" { 3 } else { 1 };
            let records = if action == "event.write" { 2 } else { 1 };
            ["acme", "other"]
                .into_iter()
                .flat_map(move |tenant| (0..of_requests).map(move |_| row(action, tenant, records)))
        })
        .collect();
    let both = [expected.clone(), expected];
    assert_eq!(on_record_with(Some("each"), 8).await, both);
}

#[tokio::test]
async fn a_sum_for_each_key_and_action_is_on_record_otherwise() {
    let sums = vec![
        row("event.write", "acme", 6),
        row("event.write", "other", 6),
        row("lead.write", "acme", 1),
        row("lead.write", "other", 1),
    ];
    // At the end, those that wait for their minute: a test of the service passes it.
    for mode in [None, Some("summary")] {
        assert_eq!(
            on_record_with(mode, 0).await,
            [Vec::new(), sums.clone()],
            "{mode:?}"
        );
    }
}
