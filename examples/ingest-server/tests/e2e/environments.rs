//! The settings of each environment in `deploy/env`, as docs/operations.md describes them.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, process::Command};

use crate::harness::{Data, Server, run_to_end};

const PAGE: &str = include_str!("../../../../docs/operations.md");
const ENVIRONMENTS: [(&str, &str); 3] = [
    ("dev", include_str!("../../../../deploy/env/dev.env")),
    (
        "staging",
        include_str!("../../../../deploy/env/staging.env"),
    ),
    (
        "production",
        include_str!("../../../../deploy/env/production.env"),
    ),
];

fn settings(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The binary with nothing but these settings, whose places are those of a test.
fn command(data: &Data, text: &str) -> Command {
    let secrets = data.path().join("secrets");
    fs::create_dir_all(&secrets).unwrap();
    let named = data.random_secrets();
    let files = [
        "admin-token",
        "keks",
        "index-roots",
        "key-peppers",
        "audit-keys",
    ];
    let values = files
        .iter()
        .zip(named)
        .map(|(file, (_, value))| (*file, value));
    for (file, value) in values.chain([("keks-primary", "1".to_owned())]) {
        let path = secrets.join(file);
        fs::write(&path, value).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    }
    let mut command = Command::new(data.bare().get_program());
    command.env_clear().current_dir(data.path());
    for (name, value) in settings(text) {
        let value = value
            .replace("/etc/ingest-server/secrets", secrets.to_str().unwrap())
            .replace("/var/lib/ingest-server", data.path().to_str().unwrap());
        command.env(name, value);
    }
    command
}

#[tokio::test]
async fn the_settings_of_each_environment_are_accepted_without_a_warning_and_start() {
    for (environment, text) in ENVIRONMENTS {
        let data = Data::new();
        let output = run_to_end(command(&data, text).arg("check-config"));
        let warned = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{environment}: {warned}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.starts_with("the configuration is valid\n"), "{said}");
        assert_eq!(warned, "", "{environment}");
        // What the dev profile prints when it starts is read by `dev_profile`.
        if environment == "dev" {
            continue;
        }
        // Where other tests have servers too.
        let mut start = command(&data, text);
        start.env("INGEST_LISTEN", "127.0.0.1:0");
        start.env("INGEST_ADMIN_LISTEN", "127.0.0.1:0");
        let server = Server::start_command(&data, start);
        assert!(server.terminate().success(), "{environment}");
    }
}

#[test]
fn the_page_says_what_differs_between_the_environments() {
    let settings = ENVIRONMENTS.map(|(_, text)| settings(text));
    let row = |begins: &str| {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| {begins}")));
        let cells = row
            .unwrap_or_else(|| panic!("{begins}"))
            .split(" | ")
            .skip(1);
        cells
            .map(|cell| cell.trim_end_matches(" |"))
            .collect::<Vec<_>>()
    };
    let percent = |it: &str| format!("{} %", it.parse::<f64>().unwrap() * 100.0);
    let days = |it: &str| format!("{it} days");
    let profile = |it: &str| format!("`{it}`");
    let writes = |it: &str| match it {
        "each" => "each request".to_owned(),
        _ => "a sum each minute".to_owned(),
    };
    type Said<'a> = &'a dyn Fn(&str) -> String;
    let rows: [(&str, &str, &str, Said); 7] = [
        ("profile", "INGEST_PROFILE", "dev", &profile),
        (
            "share of traces",
            "INGEST_TRACE_SAMPLE_RATIO",
            "0.01",
            &percent,
        ),
        (
            "writes in the audit log",
            "INGEST_AUDIT_WRITES",
            "summary",
            &writes,
        ),
        (
            "entries of the audit log",
            "INGEST_AUDIT_RETENTION",
            "400",
            &days,
        ),
        (
            "addresses and reasons",
            "INGEST_AUDIT_PERSONAL_RETENTION",
            "90",
            &days,
        ),
        (
            "history of data quality",
            "INGEST_QUALITY_DAYS",
            "90",
            &days,
        ),
        (
            "data keys are replaced",
            "INGEST_DATA_KEY_CRYPTOPERIOD",
            "",
            &days,
        ),
    ];
    for (begins, setting, by_default, said) in rows {
        for (cell, settings) in row(begins).into_iter().zip(&settings) {
            let value = settings.get(setting).map_or(by_default, String::as_str);
            if value.is_empty() {
                assert_eq!(cell, "never, by itself", "{begins}");
            } else {
                assert_eq!(cell, said(value), "{begins}");
            }
        }
    }
    assert_eq!(
        settings[1].keys().collect::<Vec<_>>(),
        settings[2].keys().collect::<Vec<_>>()
    );
}
