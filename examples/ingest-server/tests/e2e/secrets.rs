//! Several versions of secrets, and typing errors in them.

use serde_json::json;

use crate::harness::{ALL_SCOPES, Data, INDEX_ROOT, KEK, OTHER_SECRET, PEPPER, Server, run_to_end};

/// The refused start's message.
fn refused(data: &Data, variables: &[(&str, &str)]) -> String {
    let output = run_to_end(data.command().envs(variables.iter().copied()));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty(), "it listened");
    message
}

#[tokio::test]
async fn a_refused_start_remembers_no_secret() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    server.lead(&key, &json!({ "email": "a@b.example" })).await;
    assert!(server.terminate().success());

    // A new version beside a wrong secret of another kind, and beside a wrong one of its own.
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let keks = format!("{KEK},{second}");
    let message = refused(
        &data,
        &[
            ("PORTCULLIS_KEKS", &keks),
            ("PORTCULLIS_KEKS_PRIMARY", "2"),
            ("PORTCULLIS_INDEX_ROOTS", OTHER_SECRET),
        ],
    );
    assert!(
        message.contains("PORTCULLIS_INDEX_ROOTS: version 1"),
        "{message}"
    );
    assert!(!message.contains("PORTCULLIS_KEKS"), "{message}");
    let peppers = format!("{OTHER_SECRET},{}", PEPPER.replacen("1:", "2:", 1));
    refused(
        &data,
        &[
            ("PORTCULLIS_KEY_PEPPERS", &peppers),
            ("PORTCULLIS_KEY_PEPPERS_PRIMARY", "2"),
        ],
    );

    // Without the second versions all is as before.
    let server = Server::start_on(&data);
    server.lead(&key, &json!({ "email": "a@b.example" })).await;
}

#[tokio::test]
async fn a_new_version_takes_over_and_the_old_one_is_still_needed() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    assert!(server.terminate().success());

    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let keks = format!("{KEK},{second}");
    let mut command = data.command();
    command
        .env("PORTCULLIS_KEKS", &keks)
        .env("PORTCULLIS_KEKS_PRIMARY", "2");
    let server = Server::start_command(&data, command);
    let lead = server
        .read_lead(&key, &id)
        .await
        .json::<serde_json::Value>()
        .await
        .unwrap();
    assert_eq!(lead["email"], "a@b.example");
    server
        .lead(
            &key,
            &json!({ "email": "a@b.example", "name": "under the second" }),
        )
        .await;
    assert!(server.terminate().success());

    let message = refused(&data, &[("PORTCULLIS_KEKS", KEK)]);
    // Each wraps the key of a field, and of what seals beside the audit log those that were made meanwhile.
    assert!((1..=3).contains(&wrapped(&message, 2)), "{message}");
    let message = refused(&data, &[("PORTCULLIS_KEKS", &second)]);
    assert!((1..=3).contains(&wrapped(&message, 1)), "{message}");
}

/// How many data keys a refused start says are wrapped under a version that is missing.
fn wrapped(message: &str, version: u8) -> usize {
    let before = format!("PORTCULLIS_KEKS: version {version} is missing, and ");
    let (_, said) = message.split_once(&before).unwrap_or_default();
    let (count, said) = said.split_once(' ').unwrap_or_default();
    let is_said =
        said.starts_with("data key is wrapped") || said.starts_with("data keys are wrapped");
    is_said
        .then(|| count.parse().ok())
        .flatten()
        .unwrap_or_default()
}

#[test]
fn a_new_index_root_waits_for_a_rotation_and_the_one_in_use_is_needed() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let both = format!("{INDEX_ROOT},{second}");
    // As a rolling deploy begins: nothing is indexed under it yet, whichever is named as the primary one.
    for primary in ["1", "2"] {
        let mut command = data.command();
        command
            .env("PORTCULLIS_INDEX_ROOTS", &both)
            .env("PORTCULLIS_INDEX_ROOTS_PRIMARY", primary);
        let started = Server::start_command(&data, command);
        assert!(started.terminate().success());
    }
    let message = refused(&data, &[("PORTCULLIS_INDEX_ROOTS", &second)]);
    assert!(
        message.contains("PORTCULLIS_INDEX_ROOTS: version 1 is in use"),
        "{message}"
    );
    // It can be taken out again, and be another one the next time.
    assert!(Server::start_on(&data).terminate().success());
}
