//! An audit log that was put back to what it was is found out by those who kept a later checkpoint.

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::harness::{ALL_SCOPES, Data, Server, run_to_end};

/// The binary with both anchors; the folder of the second is there.
fn command(data: &Data, elsewhere: &Path) -> Command {
    let mut command = data.command();
    let anchors = format!("database,file:{}", elsewhere.display());
    command.env("INGEST_AUDIT_ANCHORS", anchors);
    command
}

pub(crate) fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

pub(crate) async fn read_a_lead(server: &Server) {
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = server.lead(&key, &lead).await;
    assert!(server.read_lead(&key, &lead).await.status().is_success());
}

/// What a start says that is refused.
pub(crate) fn refusal(command: &mut Command) -> String {
    let output = run_to_end(command);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    said
}

#[tokio::test]
async fn a_start_is_refused_with_an_old_copy_of_the_log_and_not_with_its_newest() {
    let (data, elsewhere) = (Data::new(), tempfile::tempdir().unwrap());
    let log = data.path().join("audit/server");
    let (old, newest) = (data.path().join("old"), data.path().join("newest"));

    let server = Server::start_command(&data, command(&data, elsewhere.path()));
    assert!(server.terminate().success());
    copy(&log, &old);
    let server = Server::start_command(&data, command(&data, elsewhere.path()));
    read_a_lead(&server).await;
    assert!(server.terminate().success());
    fs::rename(&log, &newest).unwrap();

    copy(&old, &log);
    let said = refusal(&mut command(&data, elsewhere.path()));
    for word in ["`database`", "old copy", "accept-rollback --node server"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // Who puts back the database as well has forgotten the other place.
    sqlx::query("DELETE FROM audit_anchor")
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let said = refusal(&mut command(&data, elsewhere.path()));
    let file = format!("`file:{}`", elsewhere.path().display());
    assert!(said.contains(&file), "{said}");

    fs::remove_dir_all(&log).unwrap();
    fs::rename(&newest, &log).unwrap();
    let server = Server::start_command(&data, command(&data, elsewhere.path()));
    read_a_lead(&server).await;
    assert!(server.terminate().success());
}

#[tokio::test]
async fn the_database_is_an_anchor_by_itself_and_each_log_has_its_own() {
    let data = Data::new();
    let server = Server::start_on(&data);
    read_a_lead(&server).await;
    let metrics = server.metrics().await;
    // What is in no checkpoint yet it has not either, for a minute at most.
    let age = metrics["ingest_audit_anchor_age_seconds{anchor=\"database\"}"];
    assert!((0.0..60.0).contains(&age), "{age}");
    assert!(server.terminate().success());
    assert!(data.run(&["api-key", "list"]).status.success());

    for (log, arguments) in [
        ("server", &["serve"][..]),
        ("command-line", &["api-key", "list"]),
    ] {
        let (log, away) = (
            data.path().join("audit").join(log),
            data.path().join("away"),
        );
        fs::rename(&log, &away).unwrap();
        let said = refusal(data.command().args(arguments));
        assert!(said.contains("has 0 entries"), "{said}");
        fs::remove_dir_all(&log).unwrap();
        fs::rename(&away, &log).unwrap();
    }

    let mut none = data.command();
    none.env("INGEST_AUDIT_ANCHORS", "none");
    fs::remove_dir_all(data.path().join("audit")).unwrap();
    let server = Server::start_command(&data, none);
    assert!(server.terminate().success());
}
