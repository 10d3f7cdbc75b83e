//! What is too old goes, also of a log that another has followed. The wall clock is one that the test sets.

use std::{fs, process::Command};

use serde_json::json;

use crate::{
    audit_anchors::copy,
    harness::{ALL_SCOPES, Data, Server, on_record, run_to_end, wait_for},
    programs::libfaketime,
};

fn command(data: &Data, time: &str) -> Command {
    let mut command = data.command();
    command.envs([
        ("INGEST_AUDIT_PERSONAL_RETENTION", "2"),
        ("FAKETIME", time),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]);
    command.env("LD_PRELOAD", libfaketime());
    command
}

fn run(data: &Data, time: &str, arguments: &[&str]) -> String {
    let output = run_to_end(command(data, time).args(arguments));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn what_lies_beside_a_log_that_another_has_followed_goes_for_its_age_and_that_is_on_record() {
    let data = Data::new();
    let (log, old) = (data.path().join("audit/server"), data.path().join("old"));
    let start = |time| Server::start_command(&data, command(&data, time));
    let server = start("@2026-05-01 12:00:00");
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = server.lead(&key, &lead).await;
    assert!(server.read_lead(&key, &lead).await.status().is_success());
    assert!(server.terminate().success());
    copy(&log, &old);
    let server = start("@2026-05-01 12:10:00");
    assert!(server.read_lead(&key, &lead).await.status().is_success());
    assert!(server.terminate().success());
    fs::remove_dir_all(&log).unwrap();
    copy(&old, &log);
    let accept = ["audit", "accept-rollback", "--confirm"];
    run(&data, "@2026-05-01 12:20:00", &accept);

    let server = start("@2026-05-01 12:30:00");
    assert!(server.terminate().success());
    // A clock that is ahead is not believed by more than a day before a log has entries of that time.
    let server = start("@2026-05-04 12:00:00");
    assert!(on_record(&server, "&action=audit.erased").await.is_empty());
    assert!(server.terminate().success());
    let server = start("@2026-05-04 12:00:10");
    let erased = wait_for("what is too old to go", async || {
        on_record(&server, "&action=audit.erased").await.pop()
    })
    .await;
    assert!(erased["count"].as_u64().unwrap() > 0, "{erased}");
    assert!(server.terminate().success());
    let erase = ["audit", "erase", "--generation", "1", "--actor", &key.kid];
    let left = run(&data, "@2026-05-04 12:10:00", &erase);
    assert!(left.starts_with("0 parts"), "{left}");
    let verify = ["audit", "verify", "--generation", "1", "--json"];
    let verified = run(&data, "@2026-05-04 12:10:00", &verify);
    assert!(verified.contains("\"sound\""), "{verified}");
}
