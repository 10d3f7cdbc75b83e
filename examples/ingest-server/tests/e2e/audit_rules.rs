//! Suspicious access is found in the audit log, and put on record itself.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, on_record, wait_for};

async fn found(server: &Server) -> Vec<Value> {
    on_record(server, "&action=audit.suspicious").await
}

#[tokio::test]
async fn who_reads_a_hundred_leads_is_found_once() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let writing = (0..100).map(|n| {
        let lead = json!({ "email": format!("n{n}@lead.example") });
        let (server, key) = (&server, &key);
        async move { server.lead(key, &lead).await }
    });
    let leads: BTreeSet<String> = join_all(writing).await.into_iter().collect();
    assert_eq!(leads.len(), 100);
    for lead in &leads {
        assert_eq!(server.read_lead(&key, lead).await.status(), StatusCode::OK);
    }
    let findings = wait_for("a finding", async || {
        let findings = found(&server).await;
        (!findings.is_empty()).then_some(findings)
    })
    .await;
    let [finding] = &*findings else {
        panic!("{findings:?}");
    };
    assert_eq!(finding["reason"]["code"], "bulk", "{finding}");
    assert_eq!(
        finding["resources"],
        json!([{ "type": "api_key", "id": key.kid }])
    );
    assert_eq!(finding["count"], 100);
    // The last of them, which is the read that was one too many.
    let refs = finding["refs"].as_array().unwrap();
    let reads = on_record(&server, "&action=lead.read").await;
    assert_eq!(refs.last(), Some(&reads.last().unwrap()["id"]));
    let metrics = server.metrics().await;
    assert_eq!(metrics["ingest_audit_suspicious_total{rule=\"bulk\"}"], 1.0);
    let logs = server.logs();
    let line = logs.lines().find(|line| line.contains("suspicious access"));
    let line = line.unwrap();
    assert!(line.contains("WARN") && line.contains("bulk"), "{line}");
    assert!(!line.contains(&key.kid), "{line}");
    assert!(server.terminate().success());

    // What was looked at is not looked at again.
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = leads.first().unwrap();
    assert_eq!(server.read_lead(&key, lead).await.status(), StatusCode::OK);
    wait_for("the rules to have looked", async || {
        let cursors = std::fs::read_to_string(data.path().join("audit/server/cursors")).ok()?;
        let line = cursors.lines().find(|line| line.starts_with("rules "))?;
        let next: u64 = line.split(' ').nth(1)?.parse().ok()?;
        let events = on_record(&server, "&action=lead.read").await;
        (next > events.last()?["n"].as_u64()?).then_some(())
    })
    .await;
    assert_eq!(found(&server).await.len(), 1);
}
