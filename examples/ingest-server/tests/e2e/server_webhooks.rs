//! The payloads of GitHub's webhooks, as a tenant's own events: accepted, but for those with somebody's
//! address. They come from a package (`scripts/corpora`), which is why `scripts/test --fast` leaves
//! this out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, count};

/// The events with their payloads.
fn webhooks() -> Vec<(String, Value)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let made = Command::new(workspace.join("scripts/corpora"))
        .status()
        .unwrap();
    assert!(made.success(), "scripts/corpora failed");
    let lines = fs::read_to_string(workspace.join("target/corpora/webhooks.jsonl")).unwrap();
    let webhooks = lines.lines().map(|line| {
        let mut webhook: Value = serde_json::from_str(line).unwrap();
        let event = webhook["event"].as_str().unwrap().to_owned();
        (event, webhook["payload"].take())
    });
    webhooks.collect()
}

/// The addresses of people and roles in a payload, by another rule than the detector's: a name, `@` and
/// a domain with a dot, between what can stand in neither. The account of a remote (`git@host:path`) is
/// none.
fn addresses(payload: &Value) -> BTreeSet<String> {
    let text = payload.to_string();
    let outside = |c: char| !(c.is_alphanumeric() || "@._%+-:".contains(c));
    let words = text
        .split(outside)
        .map(|word| word.trim_matches([':', '.']));
    let words = words.filter(|word| {
        word.split_once('@').is_some_and(|(name, domain)| {
            let top = domain.rsplit('.').next().unwrap_or_default();
            !name.is_empty()
                && name != "git"
                && domain.contains('.')
                && top.len() > 1
                && top.chars().all(char::is_alphabetic)
        })
    });
    words.map(str::to_owned).collect()
}

#[tokio::test]
async fn webhooks_are_accepted_but_for_those_with_an_address() {
    let webhooks = webhooks();
    assert!(webhooks.len() > 300, "{}", webhooks.len());
    let folder = tempfile::tempdir().unwrap();
    for (event, _) in &webhooks {
        let schema = folder.path().join(format!("github.{event}"));
        fs::create_dir_all(&schema).unwrap();
        fs::write(schema.join("1.json"), r#"{"type":"object"}"#).unwrap();
    }
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_SCHEMA_DIR", folder.path());
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;

    let mut wrong = BTreeMap::new();
    let (mut accepted, mut refused) = (0, 0);
    for (id, (event, payload)) in webhooks.iter().enumerate() {
        let addresses = addresses(payload);
        let answer = server.post("/v1/events", &key, &json!({
            "specversion": "1.0", "type": format!("github.{event}"), "source": "https://github.com",
            "id": id.to_string(), "data": payload
        }));
        let answer = answer.send().await.unwrap();
        let status = answer.status();
        let problem: Value = answer.json().await.unwrap();
        let as_it_should = if addresses.is_empty() {
            accepted += 1;
            status == StatusCode::ACCEPTED
        } else {
            refused += 1;
            status == StatusCode::UNPROCESSABLE_ENTITY
                && problem["reason"] == "policy.undeclared_pii"
                && problem["detail"]
                    .as_str()
                    .is_some_and(|detail| detail.contains("(email)"))
        };
        if !as_it_should {
            wrong.insert(
                id,
                format!("{event}: {status} {problem}, addresses: {addresses:?}"),
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        webhooks.len()
    );
    // Neither is there by accident.
    assert!(
        accepted > 200 && refused > 0,
        "{accepted} accepted, {refused} refused"
    );
    assert_eq!(count(&data, "event").await, accepted);
}
