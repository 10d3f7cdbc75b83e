//! The disk of the audit log hangs: who writes to it waits, and no error ever comes.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::{
    audit_anchors::read_a_lead,
    disks::{Disk, goes_on, refuses_in_time_what_must_be_on_record},
    harness::{ALL_SCOPES, Data, Server, wait_for},
};

#[tokio::test]
async fn what_must_be_on_record_is_refused_in_two_seconds_and_all_else_goes_on() {
    // The server ends before the disk is taken from it.
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new(place.path());
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_AUDIT_DIR", disk.path().join("audit"));
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    assert_eq!(server.read_lead(&key, &lead).await.status(), StatusCode::OK);

    let frozen = disk.freeze();
    refuses_in_time_what_must_be_on_record(&server, &key, &lead).await;
    drop(frozen);
    goes_on(&server, &key, &lead).await;
    assert!(server.terminate().success());
}

/// Its process is there until the disk lets go of it.
#[tokio::test]
async fn at_its_end_a_service_tells_in_time_what_it_could_neither_write_nor_put_in_place() {
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new(place.path());
    let data = Data::new();
    let mut command = data.production();
    command.env("INGEST_AUDIT_DIR", disk.path().join("audit"));
    let server = Server::start_command(&data, command);
    read_a_lead(&server).await;
    let frozen = disk.freeze();
    let pid = Pid::from_raw(server.pid().cast_signed()).unwrap();
    let asked = Instant::now();
    kill_process(pid, Signal::TERM).unwrap();
    let logs = wait_for("an end that is told", async || {
        let logs = server.logs();
        logs.contains("\"message\":\"stopped\"").then_some(logs)
    })
    .await;
    assert!(asked.elapsed() < Duration::from_secs(10), "{logs}");
    for told in [
        "nobody knows whether its last",
        "\"events\":",
        "was not put in place",
    ] {
        assert!(logs.contains(told), "{told}: {logs}");
    }
    drop(frozen);
    assert!(server.terminate().success());
}
