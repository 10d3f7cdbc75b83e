//! What `docs/production.md` says of backups and upgrades.

use std::fs;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Server, count, run_to_end};

#[tokio::test]
async fn a_backup_taken_while_it_serves_is_restored_as_documented() {
    let server = Server::start();
    let data = server.data().clone();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let copy = data.path().join("copy.db");
    sqlx::query("VACUUM INTO ?")
        .bind(copy.to_str().unwrap())
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    server
        .lead(&key, &json!({ "email": "later@b.example" }))
        .await;
    assert!(server.terminate().success());

    let files = data.files();
    let before = data.path().join("before");
    fs::create_dir(&before).unwrap();
    for (path, _) in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "ingest.db" || name.starts_with("ingest.db-") {
            fs::rename(&path, before.join(name)).unwrap();
        }
    }
    fs::rename(&copy, data.database()).unwrap();

    let checked = data.run(&["check-config"]);
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(
        said.contains("the secrets are those of the database"),
        "{said}"
    );
    let server = Server::start_on(&data);
    let answer = server.read_lead(&key, &lead).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let read: Value = answer.json().await.unwrap();
    assert_eq!(read["email"], "a@b.example");
    assert_eq!(count(&data, "lead").await, 1);
    server
        .lead(&key, &json!({ "email": "later@b.example" }))
        .await;
}

#[tokio::test]
async fn a_database_that_a_newer_version_migrated_is_refused() {
    let server = Server::start();
    let data = server.data().clone();
    assert!(server.terminate().success());
    let newer = "INSERT INTO schema_migrations SELECT version + 1000, 'newer', installed_on, success, \
                 checksum, execution_time FROM schema_migrations WHERE version = 1";
    sqlx::raw_sql(newer)
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let output = run_to_end(&mut data.command());
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("the database schema cannot be migrated"),
        "{message}"
    );
}
