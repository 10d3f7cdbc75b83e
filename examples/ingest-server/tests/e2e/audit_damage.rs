//! The journal of the audit log is damaged while the service writes to it.

use std::{fs, os::unix::fs::FileExt as _, path::Path};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    audit_anchors::refusal,
    harness::{ALL_SCOPES, Data, Key, Server, readiness, wait_for},
};

const FAILURES: &str = "ingest_audit_verify_failures_total";

/// What is done to a segment of the journal.
type Damage = fn(&Path);

const DAMAGES: [(&str, Damage); 4] = [
    ("deleted", |segment| fs::remove_file(segment).unwrap()),
    ("cut", |segment| {
        let file = fs::File::options().write(true).open(segment).unwrap();
        file.set_len(1_000).unwrap();
    }),
    ("overwritten", |segment| {
        let file = fs::File::options().write(true).open(segment).unwrap();
        file.write_all_at(b"x", 100).unwrap();
    }),
    ("replaced", |segment| {
        let other = segment.with_extension("other");
        fs::write(&other, b"of somebody").unwrap();
        fs::rename(other, segment).unwrap();
    }),
];

async fn verify(server: &Server) -> Value {
    let request = server.admin(Method::POST, "/admin/audit/verify");
    let answer = request.json(&json!({})).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let status: Value = answer.json().await.unwrap();
    status["report"].clone()
}

/// How many reads of the lead are on record.
fn reads(data: &Data) -> usize {
    let arguments = [
        "audit",
        "search",
        "--action",
        "lead.read",
        "--limit",
        "500",
        "--json",
    ];
    let found = data.run(&arguments);
    assert!(found.status.success(), "{found:?}");
    String::from_utf8(found.stdout).unwrap().lines().count()
}

async fn read(server: &Server, key: &Key, lead: &str) {
    let shown = server.read_lead(key, lead).await;
    assert_eq!(shown.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_journal_that_is_damaged_under_the_service_is_told_everywhere_and_costs_no_entry() {
    for (name, damage) in DAMAGES {
        let data = Data::new();
        let log = data.path().join("audit/server");
        let segment = log.join("journal/0000000000.paj");
        let server = Server::start_on(&data);
        let key = server.issue("acme", &ALL_SCOPES).await;
        let lead = server
            .lead(&key, &json!({ "email": "ada@lead.example" }))
            .await;
        for _ in 0..20 {
            read(&server, &key, &lead).await;
        }
        assert_eq!(verify(&server).await["outcome"], "sound", "{name}");
        let (_, ready) = readiness(&server).await;
        assert_eq!(ready["audit_log"]["state"], "up", "{ready}");

        damage(&segment);
        if name != "overwritten" {
            wait_for("the damage is seen", async || {
                log.join("damaged").exists().then_some(())
            })
            .await;
        }
        read(&server, &key, &lead).await;
        let report = verify(&server).await;
        assert_eq!(report["outcome"], "tampered", "{name}: {report}");
        let finding = report["findings"][0].as_str().unwrap();
        assert!(finding.starts_with("journal: "), "{name}: {finding}");
        assert_eq!(server.metrics().await[FAILURES], 1.0, "{name}");
        let told = wait_for("readiness tells", async || {
            let (status, ready) = readiness(&server).await;
            assert_eq!(status, StatusCode::OK, "{name}");
            let component = ready["audit_log"].clone();
            (component["state"] == "degraded").then_some(component)
        });
        let told = told.await["action"].to_string();
        assert!(told.contains("damaged"), "{name}: {told}");
        assert!(server.logs().contains("find out who did"), "{name}");

        // Killed at once, it has all that it said it has.
        read(&server, &key, &lead).await;
        server.kill();
        let server = Server::start_on(&data);
        read(&server, &key, &lead).await;
        let verified = data.run(&["audit", "verify"]);
        let said = String::from_utf8(verified.stdout).unwrap();
        assert_eq!(verified.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("journal: "), "{name}: {said}");
        // Until somebody has looked at it.
        fs::rename(log.join("damaged"), data.path().join("evidence")).unwrap();
        assert_eq!(verify(&server).await["outcome"], "sound", "{name}");
        assert!(server.terminate().success());
        assert_eq!(reads(&data), 23, "{name}");
        assert!(data.run(&["audit", "verify"]).status.success(), "{name}");
    }
}

#[tokio::test]
async fn a_journal_that_is_damaged_when_the_service_is_killed_is_refused_by_the_next_start() {
    for (name, damage) in DAMAGES {
        let data = Data::new();
        let log = data.path().join("audit/server");
        let server = Server::start_on(&data);
        let key = server.issue("acme", &ALL_SCOPES).await;
        let lead = server
            .lead(&key, &json!({ "email": "ada@lead.example" }))
            .await;
        for _ in 0..3 {
            read(&server, &key, &lead).await;
        }
        server.kill();
        damage(&log.join("journal/0000000000.paj"));
        let said = refusal(data.command().arg("serve"));
        assert!(said.contains("audit/server/journal"), "{name}: {said}");
    }
}
