//! Each command of docs/audit.md is run once, and leaves what the page says.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::harness::{Data, Server, run_to_end};

/// Each command with what it cannot do without.
const EXAMPLES: [&str; 33] = [
    "check-config",
    "metrics",
    "api-key issue --tenant acme --scopes events:write --json",
    "api-key list",
    "api-key rotate @",
    "api-key peppers",
    "api-key tag-key 1",
    "api-key revoke @",
    "keys list",
    "keys rotate --tenant nobody",
    "keys rewrap",
    "keys reencrypt",
    "keys verify",
    "keys disable 1",
    "keys destroy 1",
    "keys restore 1",
    "index rotate --version 9",
    "index unique",
    "quality report",
    "audit tail",
    "audit search",
    "audit report --from 2026-05-01",
    "audit verify",
    "audit export",
    "audit prune",
    "audit archive",
    "audit accept-rollback",
    "audit erase --event 0",
    "audit close 0",
    "audit proof 0",
    "audit vkey",
    "erase --tenant nobody-7 --all",
    "probe --url http://127.0.0.1:9 --key-file /nowhere",
];

/// A row of the page: the command, and the action or nothing.
fn commands() -> Vec<(String, Option<String>)> {
    let page = include_str!("../../../../docs/audit.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `ingest-server "));
    let commands = rows.filter_map(|row| {
        let (command, rest) = row.split_once("` | ")?;
        let (action, _) = rest.split_once(" | ")?;
        let action = action.strip_prefix('`').and_then(|it| it.strip_suffix('`'));
        let action = action.filter(|action| *action != "–");
        Some((command.to_owned(), action.map(str::to_owned)))
    });
    commands.collect()
}

/// How many entries of each action the command line has left.
fn left(data: &Data, action: &str) -> usize {
    let output = data.run(&[
        "audit",
        "search",
        "--node",
        "command-line",
        "--limit",
        "5000",
        "--json",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["action"] == action).count()
}

#[test]
fn each_command_leaves_the_entry_that_the_page_names() {
    let data = Data::new();
    let server = Server::start_on(&data);
    assert!(server.terminate().success());
    let rows = commands();
    let named: BTreeSet<_> = rows.iter().map(|(command, _)| command.as_str()).collect();
    let mut kid = String::new();
    for example in EXAMPLES {
        let row = rows
            .iter()
            .filter(|(command, _)| format!("{example} ").starts_with(&format!("{command} ")))
            .max_by_key(|(command, _)| command.len());
        let (_, action) = row.unwrap();
        let arguments = example.replace('@', &kid);
        let arguments: Vec<_> = arguments.split(' ').collect();
        let Some(action) = action else {
            let path = data.path().join("audit/command-line/log/checkpoint");
            let before = fs::read(&path).ok();
            data.run(&arguments);
            assert_eq!(fs::read(&path).ok(), before, "{example}");
            continue;
        };
        let looks = usize::from(action == "audit.read");
        let before = left(&data, action);
        let mut command = data.command();
        let archive = format!("file://{}", data.path().display());
        command.env("INGEST_AUDIT_ARCHIVE", archive);
        let output = run_to_end(command.args(&arguments));
        if example.starts_with("api-key issue") {
            let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
            issued["kid"].as_str().unwrap().clone_into(&mut kid);
        }
        let after = left(&data, action);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(after > before + looks, "{example}: {before} {after} {told}");
    }
    let run: BTreeSet<_> = EXAMPLES.iter().copied().collect();
    for command in named
        .iter()
        .filter(|name| !["serve", "demo"].contains(name))
    {
        assert!(
            run.iter().any(|example| example.starts_with(*command)),
            "{command} is run"
        );
    }
}
