//! Sealing, opening and erasing.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Stage, again, at_one_address, execute, start};
use crate::harness::{ALL_SCOPES, Data, Server};

pub(super) async fn a_data_key_is_disabled(stage: &Stage) {
    let data = Data::new();
    let command = at_one_address(&data);
    let server = Server::start_command(&data, again(&command));
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    // But for that of the audit log, in which others look.
    let disable = "UPDATE keyring_data_key SET state = 'disabled' WHERE purpose <> 'audit'";
    execute(&data, disable).await;
    // States are read again by the next process at the latest.
    assert!(server.terminate().success());
    let server = Server::start_command(&data, command);
    let instance = stage.watch(&server);
    stage.healthy().await;
    let cause = stage.now();
    let read = server.read_lead(&key, &lead).await;
    assert_eq!(read.status(), StatusCode::SERVICE_UNAVAILABLE);
    cause.fires("KeyUnavailable", &instance, "pager").await;
    stage.all_fired().await;
    stage.now().resolves("KeyUnavailable", &instance).await;
}

pub(super) async fn data_keys_cannot_be_read(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    stage.healthy().await;
    execute(server.data(), "ALTER TABLE keyring_data_key RENAME TO gone").await;
    let cause = stage.now();
    let lead = json!({ "email": "a@b.example" });
    let answer = server.post("/v1/leads", &key, &lead).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    cause.fires("SealFailing", &instance, "pager").await;
    stage.all_fired().await;
    execute(server.data(), "ALTER TABLE gone RENAME TO keyring_data_key").await;
    stage.now().resolves("SealFailing", &instance).await;
}

pub(super) async fn ciphertexts_are_swapped(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut leads = Vec::new();
    for number in 0..2 {
        let lead =
            json!({ "email": format!("{number}@b.example"), "name": format!("Ada {number}") });
        leads.push(server.lead(&key, &lead).await);
    }
    let instance = stage.watch(&server);
    stage.healthy().await;
    let swap = format!(
        "UPDATE lead SET name_enc = (SELECT name_enc FROM lead WHERE id = '{}') WHERE id = '{}'",
        leads[1], leads[0]
    );
    execute(server.data(), swap).await;
    let cause = stage.now();
    server.read_lead(&key, &leads[0]).await;
    cause.fires("OpenRejected", &instance, "pager").await;
    stage.all_fired().await;
    stage.now().resolves("OpenRejected", &instance).await;
}

pub(super) async fn erasures_cannot_be_noted(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let instance = stage.watch(&server);
    stage.healthy().await;
    let erasures = server.data().database().with_file_name("erasures.jsonl");
    fs::remove_file(&erasures).unwrap();
    fs::create_dir(&erasures).unwrap();
    let erase = async || {
        let erase = server.request(Method::DELETE, &format!("/v1/leads/{lead}"), &key);
        erase.send().await.unwrap().status()
    };
    let cause = stage.now();
    assert_eq!(erase().await, StatusCode::SERVICE_UNAVAILABLE);
    cause.fires("ErasureLate", &instance, "tickets").await;
    stage.all_fired().await;
    fs::remove_dir(&erasures).unwrap();
    fs::write(&erasures, "").unwrap();
    assert_eq!(erase().await, StatusCode::NO_CONTENT);
    stage.now().resolves("ErasureLate", &instance).await;
}
