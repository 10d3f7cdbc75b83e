//! What goes wrong with keys is counted under the kind of fault it is.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Key, Server, page_view, wait_for},
    movement::assert_moved,
};

async fn execute(server: &Server, statement: &'static str) {
    sqlx::query(statement)
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
}

/// The faults of a family that there were, by kind.
async fn faults(server: &Server, family: &str) -> Vec<(String, f64)> {
    let prefix = format!("{family}_total{{kind=\"");
    let metrics = server.metrics().await.into_iter();
    let faults = metrics.filter_map(|(name, count)| {
        let kind = name.strip_prefix(&prefix)?.strip_suffix("\"}")?;
        (count > 0.0).then(|| (kind.to_owned(), count))
    });
    faults.collect()
}

fn only(kind: &str) -> Vec<(String, f64)> {
    vec![(kind.to_owned(), 1.0)]
}

#[tokio::test]
async fn a_changed_row_of_an_api_key_is_a_row_rejected() {
    let server = Server::start();
    let key = server.issue_tier("acme", "free", &ALL_SCOPES).await;
    execute(
        &server,
        "UPDATE apikey_cache_api_key SET tier = 'enterprise'",
    )
    .await;
    let before = server.metrics().await;
    let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(faults(&server, "apikey_faults").await, only("row_rejected"));
    assert_moved(&before, &server.metrics().await, ["apikey_faults_total"]);
}

#[tokio::test]
async fn an_api_key_that_cannot_be_loaded_is_a_failure_of_its_store() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    execute(&server, "ALTER TABLE apikey_cache_api_key RENAME TO gone").await;
    let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "auth.unavailable");
    assert_eq!(faults(&server, "apikey_faults").await, only("store_failed"));
    // Every sender is refused, and the operator told once, and why.
    let again = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(again.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let logs = server.logs();
    let told = "the API keys' store failed";
    let lines: Vec<_> = logs.lines().filter(|line| line.contains(told)).collect();
    let [line] = lines[..] else { panic!("{logs}") };
    assert!(
        line.contains("no such table") && line.contains("\"task\":\"load\""),
        "{line}"
    );
}

#[tokio::test]
async fn a_change_of_api_keys_that_was_missed_is_a_gap_of_the_outbox() {
    let server = Server::start();
    wait_for("the first reading of the outbox", async || {
        let answer = server.admin(Method::GET, "/readyz").send().await.unwrap();
        let ready: Value = answer.json().await.unwrap();
        (ready["components"]["api_key_cache"]["state"] == "up").then_some(())
    })
    .await;
    let change = "INSERT INTO apikey_cache_outbox (seq, kid, version, at) \
         SELECT 1000, kid, 1, 0 FROM apikey_cache_api_key";
    server.issue("acme", &ALL_SCOPES).await;
    execute(&server, change).await;
    wait_for("a gap", async || {
        (faults(&server, "apikey_faults").await == only("outbox_gap")).then_some(())
    })
    .await;
}

/// Reads a lead whose data key is the trouble.
async fn assert_not_opened(server: &Server, key: &Key, lead: &str, status: StatusCode) {
    let answer = server.read_lead(key, lead).await;
    assert_eq!(answer.status(), status);
}

#[tokio::test]
async fn a_data_key_that_the_tenant_does_not_have_is_an_unknown_key() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    // Bytes 2 to 5 of a sealed value are its key id.
    let other_key = "UPDATE lead SET email_key_version = 0, email_enc = \
         unhex(substr(hex(email_enc), 1, 4) || '00000000' || substr(hex(email_enc), 13))";
    execute(&server, other_key).await;
    let before = server.metrics().await;
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    assert_not_opened(&server, &key, &lead, status).await;
    assert_eq!(faults(&server, "keyring_faults").await, only("unknown_key"));
    assert_moved(&before, &server.metrics().await, ["keyring_faults_total"]);
}

#[tokio::test]
async fn a_data_key_that_is_disabled_is_a_refused_key() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    // But for that of the audit log, in which others look.
    let disable = "UPDATE keyring_data_key SET state = 'disabled' WHERE purpose <> 'audit'";
    execute(&server, disable).await;
    // States are read again by the next process at the latest.
    let data = server.data().clone();
    assert!(server.terminate().success());
    let server = Server::start_on(&data);
    let status = StatusCode::SERVICE_UNAVAILABLE;
    assert_not_opened(&server, &key, &lead, status).await;
    assert_eq!(faults(&server, "keyring_faults").await, only("refused_key"));
}

#[tokio::test]
async fn data_keys_that_cannot_be_read_are_states_unavailable() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    execute(&server, "ALTER TABLE keyring_data_key RENAME TO gone").await;
    let lead = json!({ "email": "a@b.example" });
    let answer = server.post("/v1/leads", &key, &lead).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.keys_unavailable");
    assert_eq!(
        faults(&server, "keyring_faults").await,
        only("states_unavailable")
    );
}
