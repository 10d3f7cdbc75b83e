//! `audit …`: the log of a service, looked at while it runs and changed when it does not.

use std::{fs, process::Output};

use portcullis_audit_log::{note::VerifyingKey, proof::TlogProof};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, run_to_end};

fn text(output: Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

fn lines(output: Output) -> Vec<Value> {
    let text = text(output);
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The columns of a list, as the page has them.
fn documented_columns() -> Vec<&'static str> {
    let page = include_str!("../../../../docs/audit.md");
    let (_, table) = page.split_once("| column | has |\n|---|---|\n").unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap()).collect()
}

#[tokio::test]
async fn a_list_says_what_it_was_done_to_and_why() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let path = format!("/v1/leads/{lead}");
    let read = server.request(Method::GET, &path, &key);
    let read = read.header("x-access-reason", "support T-1042").send();
    assert_eq!(read.await.unwrap().status(), StatusCode::OK);
    publish(&server).await;
    let table = text(data.run(&["audit", "search", "--action", "lead.read"]));
    let row: Vec<_> = table.lines().nth(1).unwrap().split("  ").collect();
    let cells: Vec<_> = row
        .into_iter()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    let expected = [
        "acme",
        &key.kid,
        "lead.read",
        &format!("lead:{lead}"),
        "support T-1042",
        "success",
        "1",
    ];
    assert_eq!(cells[2..], expected, "{table}");
    let table = text(data.run(&["audit", "search", "--action", "audit.opened"]));
    let row = table.lines().nth(1).unwrap();
    assert_eq!(row.matches('–').count(), 2, "{table}");
}

/// All that is there by now.
async fn publish(server: &Server) {
    let checkpoint = server.admin(Method::GET, "/audit/log/checkpoint");
    assert_eq!(checkpoint.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_log_is_looked_at_while_its_service_runs() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let acme = server.issue("acme", &["audit:read"]).await;
    server.issue("other", &["events:write"]).await;
    let answer = server.request(Method::GET, "/v1/audit", &acme).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    publish(&server).await;

    let found = lines(data.run(&["audit", "search", "--tenant", "acme", "--json"]));
    let actions: Vec<_> = found.iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["audit.read", "api_key.issue", "api_key.issue"]);
    let table = text(data.run(&["audit", "search", "--action", "audit.read", "--limit", "1"]));
    let rows: Vec<_> = table.lines().collect();
    assert!(
        rows[0].starts_with("N") && rows[0].contains("OUTCOME"),
        "{table}"
    );
    assert!(rows[1].contains("audit.read"), "{table}");
    assert_eq!(rows.len(), 2, "{table}");
    let header: Vec<_> = rows[0].split_whitespace().collect();
    assert_eq!(header, documented_columns());
    let table = text(data.run(&["audit", "tail", "--action", "api_key.issue"]));
    let issued = format!("api_key:{}", acme.kid);
    assert!(table.contains(&issued), "{table}");
    let latest = lines(data.run(&["audit", "tail", "--lines", "2", "--json"]));
    let numbers: Vec<_> = latest
        .iter()
        .map(|event| event["n"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers[0] + 1, numbers[1], "oldest first");

    let exported = lines(data.run(&["audit", "export", "--actor", &acme.kid]));
    assert_eq!(exported.len(), 1);
    assert_eq!(exported[0]["metadata"]["version"], "1.8.0");
    let report = text(data.run(&["audit", "report", "--from", "2020-01-01"]));
    assert!(report.starts_with("# Audit log server"), "{report}");
    let json = data.run(&[
        "audit",
        "report",
        "--from",
        "2020-01-01",
        "--format",
        "json",
    ]);
    assert!(lines(json)[0]["events"].as_u64().unwrap() >= 6);

    let keys = text(data.run(&["audit", "vkey"]));
    let key: VerifyingKey = keys.trim().parse().unwrap();
    let proof = text(data.run(&["audit", "proof", "2"]));
    let proof = TlogProof::parse(proof.as_bytes()).unwrap();
    let origin = key.name().clone();
    proof.verify(proof.extra(), &origin, &[key]).unwrap();

    let verified = lines(data.run(&["audit", "verify", "--json"]));
    assert_eq!(verified[0]["outcome"], "sound");
    let of_range = ["audit", "verify", "--from", "1", "--to", "3"];
    let verified = lines(data.run(&[&of_range[..], &["--json"]].concat()));
    let counts = ["entries", "read"].map(|name| verified[0][name].as_u64().unwrap());
    assert!(counts[0] == 2 && counts[1] > 2, "{verified:?}");
    let told = text(data.run(&of_range));
    assert!(told.starts_with("sound: 2 entries of "), "{told}");
    let busy = data.run(&["audit", "prune"]);
    assert_eq!(busy.status.code(), Some(2));
    let told = String::from_utf8_lossy(&busy.stderr).into_owned();
    assert!(told.contains("/admin/audit/erasures"), "{told}");
    let none = data.run(&["audit", "search", "--node", "../elsewhere"]);
    assert_eq!(none.status.code(), Some(2));
}

#[tokio::test]
async fn a_log_is_changed_when_its_service_does_not_run() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let acme = server.issue("acme", &["audit:read"]).await;
    let answer = server.request(Method::GET, "/v1/audit", &acme).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    assert!(server.terminate().success());

    let erased = lines(data.run(&["audit", "erase", "--actor", &acme.kid, "--json"]));
    assert_eq!(erased[0]["erased"], 1);
    let again = text(data.run(&["audit", "erase", "--actor", &acme.kid]));
    assert!(again.starts_with("0 parts"), "{again}");
    let unknown = data.run(&["audit", "erase", "--actor", "canary7Q"]);
    assert_eq!(unknown.status.code(), Some(1));
    let pruned = lines(data.run(&["audit", "prune", "--json"]));
    assert_eq!(
        (&pruned[0]["pruned"], &pruned[0]["first"]),
        (&0.into(), &0.into())
    );
    let own = lines(data.run(&["audit", "search", "--node", "command-line", "--json"]));
    for action in ["audit.erase", "audit.prune"] {
        assert!(own.iter().any(|event| event["action"] == action), "{own:?}");
    }
    // And in the log that it was done to, which goes on.
    let erased = lines(data.run(&["audit", "search", "--action", "audit.erased", "--json"]));
    assert_eq!(erased.len(), 4, "begun and done, twice: {erased:?}");
    let server = Server::start_on(&data);
    let verified = server.admin(Method::POST, "/admin/audit/verify");
    let verified: Value = verified.send().await.unwrap().json().await.unwrap();
    assert_eq!(verified["report"]["outcome"], "sound", "{verified}");
    assert!(server.terminate().success());

    // The partial bundle of the last checkpoint: those of earlier ones may lie beside it.
    let folder = data.path().join("audit/server/log/tile/entries/000.p");
    let files = fs::read_dir(&folder).unwrap();
    let widths = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let widest = widths.max_by_key(|width| width.parse::<u32>().unwrap());
    let file = folder.join(widest.unwrap());
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    let tampered = data.run(&["audit", "verify"]);
    assert_eq!(tampered.status.code(), Some(1));
    let told = String::from_utf8_lossy(&tampered.stdout).into_owned();
    assert!(
        told.starts_with("tampered") && told.contains("entry 0"),
        "{told}"
    );
}

#[test]
fn a_command_that_is_refused_says_why_and_is_on_record_as_refused() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let archive = tempfile::tempdir().unwrap();
    let place = format!("file://{}", archive.path().display());
    let refused = |arguments: &[&str], expected: &[&str]| {
        let mut command = data.command();
        command.env("INGEST_AUDIT_ARCHIVE", &place).arg("audit");
        let output = run_to_end(command.args(arguments));
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        for part in expected {
            assert!(told.contains(part), "{arguments:?}: {part}: {told}");
        }
    };
    let runs = ["the process of the log runs", "archives what is new"];
    refused(&["prune"], &runs);
    refused(&["archive"], &runs);
    refused(&["erase", "--event", "0"], &runs);
    refused(
        &["prune", "--node", "server-9"],
        &["`server-9`", "`command-line`, `server`"],
    );
    refused(
        &["erase", "--event", "0", "--node", "nope"],
        &["`nope`", "`server`"],
    );
    refused(
        &["search", "--node", "nope"],
        &["`nope`", "`command-line`, `server`"],
    );
    let turned = [
        "--from",
        "2026-05-02T00:00:00Z",
        "--to",
        "2026-05-01T00:00:00Z",
    ];
    refused(
        &[&["search"][..], &turned].concat(),
        &["`from` must be earlier"],
    );
    let denied = [
        "audit",
        "search",
        "--node",
        "command-line",
        "--outcome",
        "denied",
        "--json",
    ];
    let denied = lines(data.run(&denied));
    let told = |action: &str, detail: &str| {
        let is_it = |event: &&Value| event["action"] == action && event["detail"] == detail;
        denied.iter().filter(is_it).count()
    };
    for (action, detail) in [
        ("audit.prune", "in_use"),
        ("audit.archive", "in_use"),
        ("audit.erase", "in_use"),
        ("audit.prune", "not_found"),
        ("audit.erase", "not_found"),
    ] {
        assert_eq!(told(action, detail), 1, "{action} {detail}: {denied:?}");
    }
    assert!(server.terminate().success());
}
