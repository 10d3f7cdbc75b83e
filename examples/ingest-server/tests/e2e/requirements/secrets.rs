//! Requirements 7: secrets and their rotation.

use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    files_of_secrets::{Files, TAKEN, logged},
    harness::{ALL_SCOPES, Data, page_view, random_secret, run_to_end},
};

const RUNBOOK: &str = include_str!("../../../../../docs/guidelines/security-privacy.md");

fn said(command: &mut Command) -> (Option<i32>, String) {
    let output = run_to_end(command);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// Secrets come from the environment or from files, from nowhere else, and are never logged.
///
/// Also: `e2e::secret_files::what_others_can_read_or_change_is_refused_in_production_and_told_in_dev`,
/// `e2e::bad_configuration::every_problem_is_in_one_message_with_exit_code_2_and_no_secret`.
#[tokio::test]
async fn r7_1_secrets_come_from_the_environment_or_files_and_are_never_logged() {
    let files = Files::new();
    let mut command = files.command();
    command.env("INGEST_LOG", "debug");
    let server = crate::harness::Server::start_command(&files.data, command);
    assert!(server.terminate().success());
    let from_environment = said(files.data.production().arg("check-config"));
    assert_eq!(from_environment.0, Some(0), "{}", from_environment.1);
    let logs = files.data.logs() + &from_environment.1;
    for (name, secret) in files.data.random_secrets() {
        assert!(
            !logs.contains(secret.trim_start_matches("1:")),
            "{name} is told"
        );
        // Not from the file of settings, nor from a flag.
        let (setting, secret) = (name.to_lowercase(), files.first(name));
        let config = files.data.path().join("config.toml");
        std::fs::write(&config, format!("{setting} = \"{secret}\"\n")).unwrap();
        let (code, text) = said(
            files
                .command()
                .arg("check-config")
                .arg("--config")
                .arg(&config),
        );
        assert_eq!(code, Some(2), "{text}");
        assert!(!text.contains(&secret), "{text}");
    }
}

/// There is a runbook of how each secret is rotated.
///
/// Also: `e2e::server_runbook::kek::the_kek_is_replaced_and_dropped`,
/// `e2e::server_runbook::index_root::the_fingerprint_secret_is_replaced_and_dropped`,
/// `e2e::server_runbook::admin_token::the_admin_token_is_replaced`, `e2e::peppers::the_pepper_is_rotated_to_the_end`.
#[test]
fn r7_2_the_runbook_says_how_each_secret_is_rotated() {
    let data = Data::new();
    let mut command = data.bare();
    let (code, text) = said(
        command
            .env("INGEST_PROFILE", "production")
            .arg("check-config"),
    );
    assert_eq!(code, Some(2), "{text}");
    let steps = [
        ("INGEST_ADMIN_TOKEN", "## Rotate the admin token"),
        ("PORTCULLIS_KEKS", "## Rotate the KEK"),
        ("PORTCULLIS_INDEX_ROOTS", "## Rotate the fingerprint secret"),
        ("PORTCULLIS_KEY_PEPPERS", "## Rotate the pepper"),
        (
            "PORTCULLIS_AUDIT_KEYS",
            "| audit key | when it may have got out | [Another key](",
        ),
    ];
    let asked_for = text.lines().filter_map(|line| line.trim().split_once(": "));
    let asked_for: Vec<_> = asked_for.map(|(name, _)| name).collect();
    for (secret, heading) in steps {
        assert!(asked_for.contains(&secret), "{secret} in {text}");
        assert!(RUNBOOK.contains(heading), "{heading}");
    }
    let secrets = asked_for
        .iter()
        .filter(|name| name.chars().all(|it| it.is_ascii_uppercase() || it == '_'));
    assert_eq!(secrets.count(), steps.len(), "{text}");
}

/// Keys are rotated by their versions, without a restart and without a failed request.
///
/// Also: `e2e::changed_secrets::key_encryption_keys_are_replaced_and_none_is_dropped_that_a_data_key_needs`,
/// `e2e::changed_secrets::index_roots_and_peppers_are_replaced_and_wrong_ones_are_refused`,
/// `e2e::server_rotation::everything_rotates_and_people_are_erased_under_load`.
#[tokio::test]
async fn r7_3_keys_are_rotated_by_version_without_a_failed_request() {
    let files = Files::new();
    let server = files.start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server
        .lead(&key, &json!({ "email": "ada@example.com" }))
        .await;
    let (first, second) = (
        files.first("PORTCULLIS_KEKS"),
        format!("2:{}", random_secret()),
    );
    let rotation = async {
        files.write("PORTCULLIS_KEKS", &format!("{first},{second}"));
        logged(&server, TAKEN, 1).await;
        files.write("PORTCULLIS_KEKS_PRIMARY", "2");
        logged(&server, TAKEN, 2).await;
        let rewrap = server
            .admin(reqwest::Method::POST, "/admin/keys/rewrap")
            .send()
            .await;
        assert_eq!(rewrap.unwrap().status(), StatusCode::OK);
        files.write("PORTCULLIS_KEKS", &second);
        logged(&server, TAKEN, 3).await;
    };
    let mut rotation = Box::pin(rotation);
    let mut sent = 0;
    loop {
        let event = page_view(sent);
        tokio::select! {
            () = &mut rotation => break,
            answer = server.post("/v1/events", &key, &event).send() => {
                assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
                sent += 1;
            }
        }
    }
    assert!(sent > 10, "{sent}");
    let opened: Value = server.read_lead(&key, &lead).await.json().await.unwrap();
    assert_eq!(opened["email"], "ada@example.com");
}
