//! The database of the log cannot be written for a while, and then can.

use std::{
    fs,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};

use super::{connect, file, start};
use crate::harness::{ALL_SCOPES, Data, Key, Server, page_view, readiness, wait_for};

/// A read of personal data is refused in time, and nothing else is.
pub(super) async fn is_refused(server: &Server, key: &Key, lead: &str) {
    let began = Instant::now();
    let refused = server.read_lead(key, lead).await;
    let took = began.elapsed();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.audit_unavailable", "{problem}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    let began = Instant::now();
    let event = server.post("/v1/events", key, &page_view(began.elapsed().as_nanos()));
    assert!(event.send().await.unwrap().status().is_success());
    let health = server.admin(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(began.elapsed() < Duration::from_secs(1), "{began:?}");
    let (status, components) = readiness(server).await;
    assert_eq!(status, StatusCode::OK, "{components}");
    assert_eq!(components["audit_log"]["state"], "degraded", "{components}");
}

pub(super) async fn goes_on(server: &Server, key: &Key, lead: &str) {
    wait_for("reads to be recorded again", async || {
        let read = server.read_lead(key, lead).await;
        read.status().is_success().then_some(())
    })
    .await;
    let (_, components) = readiness(server).await;
    assert_eq!(components["audit_log"]["state"], "up", "{components}");
}

#[tokio::test]
async fn a_log_that_is_locked_or_gone_refuses_reads_alone_and_goes_on_by_itself() {
    let data = Data::new();
    let server = start(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = server.lead(&key, &lead).await;
    goes_on(&server, &key, &lead).await;

    let mut other = connect(&data).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    is_refused(&server, &key, &lead).await;
    other.execute("ROLLBACK").await.unwrap();
    goes_on(&server, &key, &lead).await;
    other.close().await.unwrap();

    let aside = data.path().join("aside.db");
    fs::rename(file(&data), &aside).unwrap();
    let (_, components) = readiness(&server).await;
    assert_eq!(components["audit_log"]["state"], "degraded", "{components}");
    is_refused(&server, &key, &lead).await;
    fs::rename(&aside, file(&data)).unwrap();
    goes_on(&server, &key, &lead).await;
    assert!(server.terminate().success());
}
