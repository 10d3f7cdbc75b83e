//! The disk of the audit log is full, while the service has room elsewhere.

use std::time::Instant;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    disks::{Disk, REFUSED_WITHIN, goes_on, refuses_in_time_what_must_be_on_record},
    harness::{ALL_SCOPES, Data, Server, wait_for},
};

#[tokio::test]
async fn a_log_in_a_database_without_room_refuses_what_must_be_on_record_until_there_is_some() {
    // The server ends before the disk is taken from it.
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new(place.path());
    let data = Data::new();
    let mut command = data.command();
    command
        .env("INGEST_AUDIT_STORE", "database")
        .env("INGEST_AUDIT_DIR", disk.path().join("audit"));
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    assert_eq!(server.read_lead(&key, &lead).await.status(), StatusCode::OK);

    // Twice, since what fails of it must not leave anything behind.
    for _ in 0..2 {
        let full = disk.fill();
        // What was written before may have left a little room within its files.
        wait_for("a read that is refused", async || {
            let asked = Instant::now();
            let status = server.read_lead(&key, &lead).await.status();
            assert!(asked.elapsed() < REFUSED_WITHIN, "{:?}", asked.elapsed());
            (status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
        })
        .await;
        refuses_in_time_what_must_be_on_record(&server, &key, &lead).await;
        drop(full);
        goes_on(&server, &key, &lead).await;
    }
    let verified = server.admin(Method::POST, "/admin/audit/verify");
    let verified: Value = verified.send().await.unwrap().json().await.unwrap();
    assert_eq!(verified["report"]["outcome"], "sound", "{verified}");
    assert!(server.terminate().success());
}
