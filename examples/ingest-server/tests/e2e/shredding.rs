//! What was erased, cleared, destroyed or wrapped again stands nowhere in the files of the database.

use std::process::Command;

use memchr::memmem;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

use crate::{
    harness::{ALL_SCOPES, Data, KEK, OTHER_SECRET, Server, run_to_end, wait_for},
    movement::assert_moved,
};

async fn owed(server: &Server) -> f64 {
    server.metrics().await["ingest_shredding_owed_seconds"]
}

/// How many of these stand in the database or its log. Another process reads them: to close the files here would end
/// the locks that this one has on them.
fn left(data: &Data, values: &[Vec<u8>]) -> usize {
    let files = ["ingest.db", "ingest.db-wal"].map(|name| {
        let copy = Command::new("cat").arg(data.path().join(name)).output();
        copy.unwrap().stdout
    });
    let is_there = |value: &&Vec<u8>| files.iter().any(|file| memmem::find(file, value).is_some());
    values.iter().filter(is_there).count()
}

async fn values(data: &Data, select: &'static str) -> Vec<Vec<u8>> {
    let mut database = data.connect().await;
    let values = sqlx::query_scalar(select).fetch_all(&mut database).await;
    values.unwrap()
}

/// Begins to read, so that the log is kept.
async fn read(database: &mut SqliteConnection) -> sqlx::Transaction<'_, sqlx::Sqlite> {
    let mut reading = database.begin().await.unwrap();
    let read = sqlx::query_scalar("SELECT count(*) FROM lead");
    let _: i64 = read.fetch_one(&mut *reading).await.unwrap();
    reading
}

fn person() -> Value {
    json!({ "email": "canary@person.example", "phone": "+442079460958", "name": "Canary Person" })
}

#[tokio::test]
async fn what_was_erased_is_owed_until_nobody_reads_it() {
    let server = Server::start();
    let data = server.data();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server.lead(&key, &person()).await;
    let path = format!("/v1/leads/{id}");
    let phone = values(data, "SELECT phone_enc FROM lead").await;
    let name = values(data, "SELECT name_enc FROM lead").await;

    // A field that is cleared is shredded soon after the answer.
    let clear = server.request(Method::PATCH, &path, &key);
    let answer = clear.json(&json!({ "phone": null })).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    wait_for("the cleared field to be shredded", async || {
        (left(data, &phone) == 0).then_some(())
    })
    .await;

    let mut database = data.connect().await;
    let reading = read(&mut database).await;
    let before = server.metrics().await;
    let answer = server
        .request(Method::DELETE, &path, &key)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let after = server.metrics().await;
    assert_moved(&before, &after, ["ingest_shredding_owed_seconds"]);
    assert!(owed(&server).await > 0.0);
    assert_eq!(left(data, &name), 1);
    reading.commit().await.unwrap();
    // It is tried again every ten seconds.
    while owed(&server).await > 0.0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(left(data, &name), 0);
}

#[tokio::test]
async fn of_data_keys_that_are_wrapped_again_the_former_form_is_gone() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    server.lead(&key, &person()).await;
    assert!(server.terminate().success());
    let wrapped = values(&data, "SELECT wrapped FROM keyring_data_key").await;
    assert!(wrapped.len() >= 3);
    assert_eq!(left(&data, &wrapped), wrapped.len());
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let with_both = || {
        let mut command = data.command();
        let keks = format!("{KEK},{second}");
        command
            .env("PORTCULLIS_KEKS", keks)
            .env("PORTCULLIS_KEKS_PRIMARY", "2");
        command
    };
    // Its connections keep the log, which goes with the last one.
    let _server = Server::start_command(&data, with_both());
    let output = run_to_end(with_both().args(["keys", "rewrap", "--json"]));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(left(&data, &wrapped), 0);
}

#[tokio::test]
async fn a_key_that_is_destroyed_says_whether_its_bytes_are_gone() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    server.lead(&key, &person()).await;
    assert!(server.terminate().success());
    // A rotation that is killed while it waits leaves keys that may be destroyed at once.
    let mut killed = data.command();
    let mut killed = killed
        .args(["keys", "rotate", "--purpose", "email"])
        .spawn()
        .unwrap();
    let pending = "SELECT wrapped FROM keyring_data_key WHERE state = 'pending'";
    let wrapped = wait_for("a new key", async || {
        let wrapped = values(&data, pending).await;
        (!wrapped.is_empty()).then_some(wrapped)
    })
    .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let list = run_to_end(
        data.command()
            .args(["keys", "list", "--state", "pending", "--json"]),
    );
    let listed: Value = serde_json::from_slice(&list.stdout).unwrap();
    let id = listed["key"].as_str().unwrap();
    let destroy = || {
        let output = run_to_end(data.command().args(["keys", "destroy", id, "--json"]));
        assert!(output.status.success(), "{output:?}");
        let destroyed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(destroyed["state"], "destroyed");
        destroyed
    };
    let mut database = data.connect().await;
    let reading = read(&mut database).await;
    assert_eq!(destroy()["shredded"], false);
    assert_eq!(left(&data, &wrapped), 1);
    reading.commit().await.unwrap();
    let again = destroy();
    assert_eq!(
        (&again["shredded"], &again["unchanged"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(left(&data, &wrapped), 0);
}
