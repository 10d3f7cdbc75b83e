//! A key that nobody has seen is good for nothing, and secrets are compared before they are used.

use std::fs::OpenOptions;

use serde_json::Value;

use crate::harness::{Data, OTHER_SECRET, Server, run_to_end, shell};

const ISSUE: [&str; 6] = [
    "api-key",
    "issue",
    "--tenant",
    "acme",
    "--scopes",
    "events:write",
];

fn statuses(data: &Data) -> Vec<String> {
    let output = data.run(&["api-key", "list", "--json"]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let status = |line: &str| {
        let key: Value = serde_json::from_str(line).unwrap();
        key["status"].as_str().unwrap().to_owned()
    };
    lines.lines().map(status).collect()
}

#[test]
fn a_key_that_cannot_be_shown_is_revoked() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    for (count, json) in [(1, false), (2, true)] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = data.command();
        command
            .args(ISSUE)
            .args(json.then_some("--json"))
            .stdout(full);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("could not be shown") && said.contains("is revoked"),
            "{said}"
        );
        assert_eq!(statuses(&data), vec!["revoked"; count]);
    }
    // Nobody reads on.
    let mut command = data.command();
    command.args(ISSUE).stdout(std::io::pipe().unwrap().1);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(statuses(&data), ["revoked"; 3]);
}

#[test]
fn where_nobody_would_see_a_key_none_is_issued() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    let arguments = ISSUE.join(" ");
    for redirection in [">&-", ">/dev/null"] {
        let script = format!("\"$0\" {arguments} {redirection}");
        let output = run_to_end(&mut shell(&script, &data.command()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("none was issued"), "{said}");
    }
    assert!(statuses(&data).is_empty());
}

#[test]
fn check_config_compares_the_secrets_with_the_database_and_changes_nothing() {
    let data = Data::new();
    let check = |variable: Option<&str>| {
        let mut command = data.command();
        command.envs(variable.map(|variable| (variable, OTHER_SECRET)));
        let output = run_to_end(command.arg("check-config"));
        let said = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code(),
            said,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let server = Server::start_on(&data);
    let right = "the configuration is valid\nthe secrets are those of the database\n";
    assert_eq!(check(None).1, right, "while the server runs");
    assert!(server.terminate().success());
    let before = data.files();
    assert_eq!(check(None).1, right);
    for variable in [
        "PORTCULLIS_KEKS",
        "PORTCULLIS_INDEX_ROOTS",
        "PORTCULLIS_KEY_PEPPERS",
    ] {
        let (code, said, told) = check(Some(variable));
        assert!(code == Some(2) && said.is_empty(), "{said}{told}");
        assert!(
            told.contains(&format!("{variable}: version 1 is not the one")),
            "{told}"
        );
    }
    let sorted = |mut files: Vec<_>| {
        files.sort();
        files
    };
    assert!(sorted(before) == sorted(data.files()), "it left something");
}
