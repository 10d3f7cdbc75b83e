//! Suspicious access is found in the audit log, and put on record itself.

use std::{collections::BTreeSet, fs};

use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, on_record, wait_for};

/// Up to which entry the rules have looked, which they do after the answer; there also who asked, and from where, is
/// opened, with a data key.
pub(crate) fn looked_at(data: &Data) -> Option<u64> {
    let cursors = fs::read_to_string(data.path().join("audit/server/cursors")).ok()?;
    let line = cursors.lines().find(|line| line.starts_with("rules "))?;
    line.split(' ').nth(1)?.parse().ok()
}

/// Waits until the rules have looked at so many entries.
pub(crate) async fn wait_until_looked_at(data: &Data, entries: u64) {
    wait_for("the rules to have looked", async || {
        (looked_at(data) >= Some(entries)).then_some(())
    })
    .await;
}

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
    let read = on_record(&server, "&action=lead.read").await;
    let read = read.last().unwrap()["n"].as_u64().unwrap();
    wait_until_looked_at(&data, read + 1).await;
    assert_eq!(found(&server).await.len(), 1);
}

#[tokio::test]
async fn who_tries_keys_is_found_by_the_network_and_nobody_else_is() {
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_TRUSTED_PROXIES", "127.0.0.0/8");
    let server = Server::start_command(&data, command);
    let http = Client::new();
    let attempt = async |address: &str| {
        let url = format!("http://{}/v1/audit", server.public_address());
        let request = http.get(url).bearer_auth("no key");
        let answer = request.header("x-forwarded-for", address).send().await;
        assert!(answer.unwrap().status().is_client_error());
    };
    for nth in 0..9 {
        for _ in 0..2 {
            attempt(&format!("198.51.{nth}.7")).await;
        }
    }
    for _ in 0..10 {
        attempt("203.0.113.99").await;
    }
    let findings = wait_for("a finding", async || {
        let findings = found(&server).await;
        (!findings.is_empty()).then_some(findings)
    })
    .await;
    let [finding] = &*findings else {
        panic!("{findings:?}");
    };
    assert_eq!(finding["reason"]["code"], "failures", "{finding}");
    assert_eq!(
        (finding["count"].as_u64(), &finding["tenant"]),
        (Some(10), &json!("system"))
    );
    // The first was told at once, and the others together: of all that there is, these are of one address.
    let refs = finding["refs"].as_array().unwrap();
    assert_eq!(refs.len(), 2, "{finding}");
    let attempts = on_record(&server, "&action=auth.attempt").await;
    for reference in refs {
        let one = attempts.iter().find(|event| event["id"] == *reference);
        let path = format!("/admin/audit/events/{}", one.unwrap()["n"]);
        let one = server.admin(Method::GET, &path).send().await.unwrap();
        let one: Value = one.json().await.unwrap();
        assert_eq!(one["personal"]["ip"], "203.0.113.99", "{one}");
    }
    // Where they came from is in no entry.
    assert!(!finding.to_string().contains("203.0.113"), "{finding}");
}

#[tokio::test]
async fn the_reasons_of_programs_and_of_emergencies_are_found_as_the_service_comes() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server
        .lead(&key, &json!({ "email": "ada@lead.example" }))
        .await;
    for reason in [
        "support T-1",
        "automated nightly export",
        "break_glass INC-7",
    ] {
        let read = server.request(Method::GET, &format!("/v1/leads/{lead}"), &key);
        let read = read.header("x-access-reason", reason).send().await.unwrap();
        assert_eq!(read.status(), StatusCode::OK, "{reason}");
    }
    let findings = wait_for("two findings", async || {
        let findings = found(&server).await;
        (findings.len() >= 2).then_some(findings)
    })
    .await;
    let rules: BTreeSet<_> = findings
        .iter()
        .map(|it| it["reason"]["code"].as_str())
        .collect();
    assert_eq!(
        rules,
        BTreeSet::from([Some("automated"), Some("break_glass")])
    );
    let reads = on_record(&server, "&action=lead.read").await;
    let reason = |code: &str| {
        reads
            .iter()
            .find(|it| it["reason"]["code"] == code)
            .unwrap()
    };
    assert_eq!(reason("break_glass")["reason"]["ref"], "INC-7");
    assert_eq!(reason("automated")["reason"].get("ref"), None);
}
