//! One audit log for all processes of a machine, in a database of its own (`INGEST_AUDIT_STORE=database`).

#[path = "audit_database/faults.rs"]
mod faults;
#[path = "audit_database/leader.rs"]
mod leader;
#[path = "audit_database/stopped.rs"]
mod stopped;
#[path = "audit_database/third_party.rs"]
mod third_party;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use portcullis_audit_log::verify::Outcome;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    audit_anchors::{read_a_lead, refusal},
    harness::{ALL_SCOPES, Data, Key, Server, on_record, run_to_end},
};

pub(crate) fn command(data: &Data) -> Command {
    let mut command = data.command();
    command.env("INGEST_AUDIT_STORE", "database");
    command
}

fn start(data: &Data) -> Server {
    Server::start_command(data, command(data))
}

fn run(data: &Data, arguments: &[&str]) -> Output {
    run_to_end(command(data).args(arguments))
}

fn told(output: Output, code: i32) -> String {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, error) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{error}");
    out + &error
}

fn line(output: Output) -> Value {
    serde_json::from_str(told(output, 0).lines().next().unwrap()).unwrap()
}

fn file(data: &Data) -> PathBuf {
    data.path().join("audit/database/audit.db")
}

/// A connection to the log, beside those of all processes.
pub(crate) async fn connect(data: &Data) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file(data));
    options.connect().await.unwrap()
}

async fn answer(server: &Server, method: Method, path: &str) -> Value {
    let answer = server.admin(method, path).send().await.unwrap();
    let status = answer.status();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

async fn verified(server: &Server) -> Value {
    let mut status = answer(server, Method::POST, "/admin/audit/verify").await;
    status["report"].take()
}

async fn lead_and_reads(first: &Server, second: &Server, key: &Key) {
    let lead = json!({ "email": "ada@lead.example" });
    let lead = first.lead(key, &lead).await;
    for server in [first, second] {
        let read = server.read_lead(key, &lead).await;
        assert_eq!(read.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn servers_and_commands_write_one_log_that_each_of_them_shows_and_others_verify() {
    let data = Data::new();
    let [first, second] = [start(&data), start(&data)];
    let key = first.issue("acme", &ALL_SCOPES).await;
    lead_and_reads(&first, &second, &key).await;
    second.issue("other", &["events:write"]).await;
    told(run(&data, &["api-key", "list"]), 0);

    let events = on_record(&second, "").await;
    let numbers: Vec<_> = events.iter().map(|event| event["n"].as_u64()).collect();
    let expected: Vec<_> = (0..events.len() as u64).map(Some).collect();
    assert_eq!(numbers, expected);
    let mut in_tenant = BTreeMap::<_, u64>::new();
    for event in &events {
        let next = in_tenant.entry(event["tenant"].as_str()).or_default();
        assert_eq!(event["tn"].as_u64(), Some(*next), "{event}");
        *next += 1;
    }
    for (action, node) in [
        ("lead.read", "server"),
        ("lead.read", "server-2"),
        ("api_key.issue", "server"),
        ("api_key.issue", "server-2"),
        ("api_key.list", "command-line"),
        ("audit.opened", "server-2"),
        ("audit.closed", "command-line"),
    ] {
        let is_it = |event: &&Value| event["action"] == action && event["node"] == node;
        assert!(
            events.iter().any(|event| is_it(&event)),
            "{action} of {node}"
        );
    }

    // What one process appends, another shows at once, with its proof.
    let newest = on_record(&first, "").await.pop().unwrap();
    // That it was looked at, which stands behind what was shown.
    let newest = newest["n"].as_u64().unwrap() + 1;
    let newest = format!("/admin/audit/events/{newest}");
    assert_eq!(
        answer(&second, Method::GET, &newest).await["event"]["node"],
        "server"
    );
    let proof = second.admin(Method::GET, &format!("{newest}/proof"));
    assert_eq!(proof.send().await.unwrap().status(), StatusCode::OK);
    let status = answer(&second, Method::GET, "/admin/audit/status").await;
    assert_eq!(status["origin"], "ingest-server/audit/database");
    let report = third_party::verify(&second).await;
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    assert!(report.entries > events.len() as u64, "{report:?}");
    assert_eq!(verified(&first).await["outcome"], "sound");

    commands_work_while_services_run(&data, &key);
    a_changed_row_is_found(&data, &second).await;
    assert!(first.terminate().success() && second.terminate().success());
    let nodes = data.path().join("audit");
    let folders = fs::read_dir(nodes).unwrap();
    let folders: Vec<_> = folders.map(|folder| folder.unwrap().file_name()).collect();
    assert_eq!(folders, ["database"]);
}

fn commands_work_while_services_run(data: &Data, key: &Key) {
    let found = told(
        run(
            data,
            &["audit", "search", "--action", "lead.read", "--json"],
        ),
        0,
    );
    assert_eq!(found.lines().count(), 2, "{found}");
    let latest = told(run(data, &["audit", "tail", "--lines", "1", "--json"]), 0);
    assert!(latest.contains("audit.read"), "its own entry: {latest}");
    let report = told(run(data, &["audit", "report", "--from", "2020-01-01"]), 0);
    assert!(report.starts_with("# Audit log database"), "{report}");
    let exported = told(run(data, &["audit", "export", "--actor", &key.kid]), 0);
    assert!(exported.lines().count() >= 2, "{exported}");
    let vkey = told(run(data, &["audit", "vkey"]), 0);
    assert!(vkey.starts_with("ingest-server/audit/database+"), "{vkey}");
    told(run(data, &["audit", "proof", "2"]), 0);
    let verified = line(run(data, &["audit", "verify", "--json"]));
    assert_eq!(verified["outcome"], "sound", "{verified}");
    let erased = line(run(
        data,
        &["audit", "erase", "--actor", &key.kid, "--json"],
    ));
    assert!(erased["erased"].as_u64().unwrap() >= 2, "{erased}");
    let pruned = line(run(data, &["audit", "prune", "--json"]));
    assert_eq!(
        (&pruned["pruned"], &pruned["first"]),
        (&json!(0), &json!(0))
    );
    let busy = told(run(data, &["audit", "accept-rollback"]), 2);
    assert!(busy.contains("runs"), "{busy}");
}

/// Of the index, which no hash is of.
async fn a_changed_row_is_found(data: &Data, server: &Server) {
    let mut log = connect(data).await;
    log.execute("DROP TRIGGER audit_event_is_never_changed")
        .await
        .unwrap();
    log.execute("UPDATE audit_event SET action = 'lead.write' WHERE n = 3")
        .await
        .unwrap();
    let report = verified(server).await;
    assert_eq!(report["outcome"], "tampered", "{report}");
    assert!(
        report["findings"][0].as_str().unwrap().contains("entry 3"),
        "{report}"
    );
    let report = told(run(data, &["audit", "verify"]), 1);
    assert!(
        report.starts_with("tampered") && report.contains("entry 3"),
        "{report}"
    );
}

#[tokio::test]
async fn a_database_that_was_put_back_does_not_open_and_is_followed_by_another_when_that_is_accepted()
 {
    let data = Data::new();
    // In files before: two logs of two names.
    assert!(Server::start_on(&data).terminate().success());
    let server = start(&data);
    assert!(server.terminate().success());
    let old = data.path().join("old.db");
    fs::copy(file(&data), &old).unwrap();
    let server = start(&data);
    read_a_lead(&server).await;
    assert!(server.terminate().success());
    fs::copy(&old, file(&data)).unwrap();

    for arguments in [&["serve"][..], &["api-key", "list"]] {
        let said = refusal(command(&data).args(arguments));
        assert!(said.contains("accept-rollback --node database"), "{said}");
    }
    let begun = line(run(
        &data,
        &["audit", "accept-rollback", "--confirm", "--json"],
    ));
    assert_eq!(
        begun["begun"]["origin"], "ingest-server/audit/database/2",
        "{begun}"
    );
    let server = start(&data);
    read_a_lead(&server).await;
    let events = on_record(&server, "").await;
    assert_eq!(events[0]["action"], "audit.rollback_accepted");
    assert_eq!(verified(&server).await["outcome"], "sound");
    // Who accepted it, and what was in files before, is found as well.
    for (log, action) in [
        ("command-line", "audit.accept_rollback"),
        ("server", "audit.opened"),
    ] {
        let query = format!("&log={log}&action={action}");
        assert!(!on_record(&server, &query).await.is_empty(), "{log}");
    }
    told(run(&data, &["audit", "verify"]), 0);
    assert!(server.terminate().success());
    assert!(
        data.path()
            .join("audit/database/generation-2/audit.db")
            .is_file()
    );
}
