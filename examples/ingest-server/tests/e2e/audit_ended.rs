//! The logs of other processes that have ended: delivered, looked at and verified by the server that runs.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    audit_verification::fill,
    harness::{ALL_SCOPES, Data, Server, on_record, wait_for},
};

/// Nobody has written it for two hours.
fn age(log: &Path) {
    for file in fs::read_dir(log.join("journal")).unwrap() {
        let file = File::options().write(true).open(file.unwrap().path());
        let ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
        file.unwrap().set_modified(ago).unwrap();
    }
}

#[tokio::test]
async fn what_another_server_has_left_is_delivered_and_each_log_is_verified_under_its_name() {
    let data = Data::new();
    let (first, second) = (Server::start_on(&data), Server::start_on(&data));
    let scopes: Vec<&str> = ALL_SCOPES.into_iter().chain(["audit:read"]).collect();
    let key = first.issue("acme", &scopes).await;
    let answer = second.request(Method::GET, "/v1/audit", &key).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    assert!(second.terminate().success());
    assert!(first.terminate().success());
    assert!(data.run(&["keys", "list"]).status.success());
    let audit = data.path().join("audit");
    age(&audit.join("server-2"));
    // The partial bundle of the last checkpoint: those of earlier ones may lie beside it.
    let folder = audit.join("command-line/log/tile/entries/000.p");
    let files = fs::read_dir(&folder).unwrap();
    let widths = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let widest = widths.max_by_key(|width| width.parse::<u32>().unwrap());
    let bundle = folder.join(widest.unwrap());
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[100] ^= 1;
    fs::write(&bundle, bytes).unwrap();

    let elsewhere = tempfile::tempdir().unwrap();
    let delivered = elsewhere.path().join("delivered");
    let sinks = data.path().join("sinks.toml");
    let text = format!(
        "[sink.file]\nkind = \"ocsf-file\"\npath = \"{}\"\n",
        delivered.display()
    );
    fs::write(&sinks, text).unwrap();
    let mut command = data.command();
    command.env("INGEST_AUDIT_SINKS", &sinks);
    let server = Server::start_command(&data, command);
    let verified = wait_for("both to be verified", async || {
        let verified = on_record(&server, "&action=audit.verified").await;
        let of = |name: &str| {
            let mut of = verified.iter();
            of.find(|it| it["resources"][0]["id"] == name).cloned()
        };
        Some((of("server-2")?, of("command-line")?))
    })
    .await;
    assert_eq!(verified.0["outcome"], "success");
    assert_eq!(
        (&verified.1["outcome"], &verified.1["detail"]),
        (&"failure".into(), &"tampered".into())
    );
    let status = server
        .admin(Method::GET, "/admin/audit/status")
        .send()
        .await;
    let status: Value = status.unwrap().json().await.unwrap();
    let told = |log: usize| {
        let log = &status["ended_logs"][log];
        (log["log"].clone(), log["outcome"].clone())
    };
    assert_eq!(
        told(0),
        ("command-line".into(), "tampered".into()),
        "{status}"
    );
    assert_eq!(told(1), ("server-2".into(), "sound".into()), "{status}");
    assert!(
        !status["ended_logs"][0]["findings"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let metrics = server.metrics().await;
    assert_eq!(metrics["ingest_audit_ended_verify_failures_total"], 1.0);
    let logs = server.logs();
    let line = logs
        .lines()
        .find(|line| line.contains("is not what it has signed"));
    assert!(line.unwrap().contains("command-line"), "{line:?}");
    // Who asked the second server is told by the first.
    let lines = fs::read_to_string(&delivered).unwrap();
    let of_second = lines.lines().filter(|line| line.contains("audit.read"));
    assert!(
        of_second.clone().any(|line| line.contains(&key.kid)),
        "{lines}"
    );
}

#[tokio::test]
async fn a_server_that_is_started_again_has_its_log_to_itself() {
    let data = Data::new();
    let (first, second) = (Server::start_on(&data), Server::start_on(&data));
    let key = first.issue("acme", &["audit:read"]).await;
    fill(&second, &key).await;
    assert!(second.terminate().success());
    assert!(first.terminate().success());
    let first = Server::start_on(&data);
    let second = Server::start_on(&data);
    assert!(!data.path().join("audit/server-3").exists());
    drop((first, second));
}
