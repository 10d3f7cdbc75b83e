//! The figures of data keys, of rows, of ciphers and of what goes over rows: each moves when what it is of does.

use std::{collections::BTreeMap, process::Command};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, KEK, Key, OTHER_SECRET, Server, readiness, run_to_end, wait_for},
    movement::assert_moved,
};

fn keys_in(metrics: &BTreeMap<String, f64>, state: &str) -> Option<f64> {
    metrics
        .get(&format!("keyring_keys{{state=\"{state}\"}}"))
        .copied()
}

fn rows_in(metrics: &BTreeMap<String, f64>, state: &str) -> Option<f64> {
    metrics
        .get(&format!("keyring_rows{{state=\"{state}\"}}"))
        .copied()
}

/// What a server that starts now has counted: it does so at its start, and then twice a minute.
async fn census(data: &Data, command: Command) -> BTreeMap<String, f64> {
    let server = Server::start_command(data, command);
    let counted = wait_for("the first count", async || {
        let metrics = server.metrics().await;
        keys_in(&metrics, "primary").is_some().then_some(metrics)
    })
    .await;
    assert!(server.terminate().success());
    counted
}

async fn execute(data: &Data, statement: &'static str) {
    let mut database = data.connect().await;
    sqlx::query(statement).execute(&mut database).await.unwrap();
}

async fn add_leads(server: &Server, key: &Key, count: u32) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let lead = json!({ "email": format!("person{number}@example.com") });
        ids.push(server.lead(key, &lead).await);
    }
    ids
}

#[tokio::test]
async fn keys_and_their_rows_are_counted_by_state_and_by_who_wrapped_them() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    add_leads(&server, &key, 3).await;
    assert!(server.terminate().success());

    let before = census(&data, data.command()).await;
    let keys = keys_in(&before, "primary").unwrap();
    assert!(keys >= 1.0, "{before:?}");
    assert_eq!(rows_in(&before, "primary"), Some(3.0));
    assert_eq!(before[r#"keyring_kek_keys{version="1"}"#], keys);
    for state in ["pending", "decrypt-only", "disabled", "destroyed"] {
        assert_eq!(keys_in(&before, state), Some(0.0), "{state}");
        assert_eq!(rows_in(&before, state), Some(0.0), "{state}");
    }

    // Another key for the e-mails, and a lead of which somebody says that it needs one that is not there.
    let rotate = ["keys", "rotate", "--tenant", "acme", "--purpose", "email"];
    assert!(data.run(&rotate).status.success());
    let other = "UPDATE lead SET email_key_version = 1 WHERE id = (SELECT min(id) FROM lead)";
    execute(&data, other).await;
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let with_both = || {
        let mut command = data.command();
        let both = format!("{KEK},{second}");
        command.env("PORTCULLIS_KEKS", both);
        command.env("PORTCULLIS_KEKS_PRIMARY", "2");
        command
    };
    let rotated = census(&data, with_both()).await;
    assert_eq!(keys_in(&rotated, "primary"), Some(keys));
    assert_eq!(keys_in(&rotated, "decrypt-only"), Some(1.0));
    assert_eq!(rows_in(&rotated, "primary"), Some(0.0));
    assert_eq!(rows_in(&rotated, "decrypt-only"), Some(2.0));
    assert_eq!(rows_in(&rotated, "unknown"), Some(1.0));
    assert_eq!(rotated[r#"keyring_kek_keys{version="1"}"#], keys + 1.0);

    assert_moved(&before, &rotated, ["keyring_keys", "keyring_rows"]);

    let rewrap = run_to_end(with_both().args(["keys", "rewrap"]));
    assert!(rewrap.status.success());
    let rewrapped = census(&data, with_both()).await;
    assert_eq!(rewrapped[r#"keyring_kek_keys{version="2"}"#], keys + 1.0);
    assert!(!rewrapped.contains_key(r#"keyring_kek_keys{version="1"}"#));
    assert_moved(&rotated, &rewrapped, ["keyring_kek_keys"]);
}

/// The age of the version that wraps, in days.
fn kek_age(metrics: &BTreeMap<String, f64>) -> f64 {
    metrics[r#"keyring_kek_age_seconds{provider="local"}"#] / 86_400.0
}

#[tokio::test]
async fn a_kek_is_as_old_as_its_first_use_whatever_it_wraps() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    add_leads(&server, &key, 1).await;
    assert!(server.terminate().success());
    let before = census(&data, data.command()).await;
    assert!(kek_age(&before) < 1.0);
    let (earlier, older) = (
        "UPDATE secret_first_use SET at = at - 400 * 86400000 WHERE secret = 'PORTCULLIS_KEKS'",
        "UPDATE keyring_data_key SET created_at = created_at - 500 * 86400000",
    );
    execute(&data, earlier).await;
    execute(&data, older).await;
    let after = census(&data, data.command()).await;
    let age = kek_age(&after);
    assert!((400.0..401.0).contains(&age), "{age}");
    assert_moved(
        &before,
        &after,
        [
            "keyring_kek_age_seconds",
            "keyring_oldest_primary_seconds",
            "keyring_overdue_keys",
        ],
    );

    // The next version is new, and old data keys that it wraps make it no older.
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let with_both = || {
        let mut command = data.command();
        command.env("PORTCULLIS_KEKS", format!("{KEK},{second}"));
        command.env("PORTCULLIS_KEKS_PRIMARY", "2");
        command
    };
    assert!(kek_age(&census(&data, with_both()).await) < 1.0);
    let rewrap = run_to_end(with_both().args(["keys", "rewrap"]));
    assert!(rewrap.status.success(), "{rewrap:?}");
    assert!(kek_age(&census(&data, with_both()).await) < 1.0);

    // As an earlier version left it: never too young.
    execute(&data, "DELETE FROM secret_first_use").await;
    let age = kek_age(&census(&data, with_both()).await);
    assert!((500.0..501.0).contains(&age), "{age}");
}

#[tokio::test]
async fn sealing_again_is_seen_while_it_goes_on() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    add_leads(&server, &key, 8).await;
    let rotate = server.admin(Method::POST, "/admin/keys/rotate");
    let rotate = rotate.json(&json!({ "tenant": "acme", "purpose": "email" }));
    assert_eq!(rotate.send().await.unwrap().status(), StatusCode::OK);
    let settled = "UPDATE keyring_data_key
         SET state_since = state_since - 86400000, created_at = created_at - 86400000";
    execute(&data, settled).await;
    let idle = server.metrics().await;
    assert_eq!(idle["reencryption_running"], 0.0);

    let start = server.admin(Method::POST, "/admin/reencryption");
    let start = start.json(&json!({ "rows_per_second": 1 }));
    assert_eq!(start.send().await.unwrap().status(), StatusCode::ACCEPTED);
    let at_work = wait_for("a row that is sealed again", async || {
        let metrics = server.metrics().await;
        let is_at_work = metrics["reencryption_running"] == 1.0
            && metrics["reencryption_rows_expected"] == 8.0
            && metrics["reencryption_rows_done"] >= 1.0;
        is_at_work.then_some(metrics)
    })
    .await;
    assert_moved(
        &idle,
        &at_work,
        [
            "reencryption_running",
            "reencryption_rows_done",
            "reencryption_rows_expected",
        ],
    );
    wait_for("the last row", async || {
        (server.metrics().await["reencryption_running"] == 0.0).then_some(())
    })
    .await;
    let status = server.admin(Method::GET, "/admin/reencryption").send();
    let status: Value = status.await.unwrap().json().await.unwrap();
    assert_eq!(status["report"]["rewritten"], 8, "{status}");
}

/// How many e-mails were sealed or opened with that outcome.
fn values(metrics: &BTreeMap<String, f64>, operation: &str, outcome: &str) -> f64 {
    let labels = format!("operation=\"{operation}\",purpose=\"email\",outcome=\"{outcome}\"");
    metrics[&format!("pii_cipher_values_total{{{labels}}}")]
}

fn timed(metrics: &BTreeMap<String, f64>, operation: &str) -> f64 {
    let labels = format!("{{operation=\"{operation}\"}}");
    let count = metrics[&format!("pii_cipher_seconds_count{labels}")];
    let sum = metrics[&format!("pii_cipher_seconds_sum{labels}")];
    assert_eq!(count > 0.0, sum > 0.0, "{count} values took {sum} s");
    count
}

#[tokio::test]
async fn values_are_counted_as_they_are_sealed_and_opened() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let none = server.metrics().await;
    assert_eq!((timed(&none, "seal"), timed(&none, "open")), (0.0, 0.0));
    let ids = add_leads(&server, &key, 2).await;
    let sealed = server.metrics().await;
    assert_eq!(values(&sealed, "seal", "ok"), 2.0);
    assert_eq!(timed(&sealed, "seal"), 2.0);
    assert_moved(
        &none,
        &sealed,
        ["pii_cipher_values_total", "pii_cipher_seconds"],
    );
    assert_eq!(values(&sealed, "open", "ok"), 0.0);

    let read = async |server: &Server| server.read_lead(&key, &ids[0]).await.status();
    assert_eq!(read(&server).await, StatusCode::OK);
    let opened = server.metrics().await;
    assert_eq!(values(&opened, "open", "ok"), 1.0);
    assert_eq!(timed(&opened, "open"), 1.0);

    // That of another lead, which is bound to it.
    let other = "UPDATE lead SET email_enc = (SELECT email_enc FROM lead AS other
         WHERE other.id <> lead.id) WHERE id = ?";
    let mut database = data.connect().await;
    let put = sqlx::query(other).bind(&ids[0]).execute(&mut database);
    assert_eq!(put.await.unwrap().rows_affected(), 1);
    assert_ne!(read(&server).await, StatusCode::OK);
    let rejected = server.metrics().await;
    assert_eq!(values(&rejected, "open", "rejected"), 1.0);
    assert_eq!(values(&rejected, "open", "ok"), 1.0);
}

#[tokio::test]
async fn values_that_do_not_open_are_counted_by_what_became_of_their_key() {
    for (statement, outcome) in [
        (
            "UPDATE keyring_data_key SET state = 'disabled'",
            "key_unavailable",
        ),
        (
            "UPDATE keyring_data_key SET state = 'destroyed', wrapped = NULL",
            "key_destroyed",
        ),
    ] {
        let data = Data::new();
        let server = Server::start_on(&data);
        let key = server.issue("acme", &ALL_SCOPES).await;
        let ids = add_leads(&server, &key, 1).await;
        assert!(server.terminate().success());
        execute(&data, statement).await;
        let server = Server::start_on(&data);
        let answer = server.read_lead(&key, &ids[0]).await;
        assert_ne!(answer.status(), StatusCode::OK, "{outcome}");
        let metrics = server.metrics().await;
        assert_eq!(values(&metrics, "open", outcome), 1.0, "{outcome}");
    }
}

/// A row of which nothing can be read but its id, and one whose wrapped bytes are nobody's: both stop nothing, and
/// neither is passed over.
#[tokio::test]
async fn a_damaged_data_key_is_told_everywhere_and_stops_nobody_else() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let [acme, globex, initech] = [
        server.issue("acme", &ALL_SCOPES).await,
        server.issue("globex", &ALL_SCOPES).await,
        server.issue("initech", &ALL_SCOPES).await,
    ];
    for key in [&acme, &globex, &initech] {
        add_leads(&server, key, 1).await;
    }
    let before = server.metrics().await;
    assert!(server.terminate().success());
    execute(
        &data,
        "UPDATE keyring_data_key SET created_at = -1 WHERE tenant = 'acme'",
    )
    .await;
    execute(
        &data,
        "UPDATE keyring_data_key SET wrapped = x'00112233' WHERE tenant = 'globex'",
    )
    .await;
    let checked = run_to_end(data.command().arg("check-config"));
    assert!(checked.status.success(), "{checked:?}");
    let server = Server::start_on(&data);
    let metrics = wait_for("the count", async || {
        let metrics = server.metrics().await;
        (metrics["keyring_damaged_keys"] > 0.0).then_some(metrics)
    })
    .await;
    assert_eq!(metrics["keyring_damaged_keys"], 2.0);
    assert_moved(&before, &metrics, ["keyring_damaged_keys"]);
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::OK);
    let component = &components["data_keys"];
    assert_eq!(component["state"], "degraded", "{components}");
    assert!(component["action"].as_str().unwrap().contains("keys list"));
    assert!(
        server.logs().contains("data keys are damaged"),
        "{}",
        server.logs()
    );
    // Each for those who need it, and the others go on.
    for (key, expected) in [
        (&acme, StatusCode::SERVICE_UNAVAILABLE),
        (&globex, StatusCode::SERVICE_UNAVAILABLE),
        (&initech, StatusCode::CREATED),
    ] {
        let lead = json!({ "email": "new@example.com" });
        let answer = server.post("/v1/leads", key, &lead).send().await.unwrap();
        assert_eq!(answer.status(), expected);
    }
    let mut database = data.connect().await;
    let id = "SELECT key_id FROM keyring_data_key WHERE tenant = 'acme'";
    let id: i64 = sqlx::query_scalar(id)
        .fetch_one(&mut database)
        .await
        .unwrap();
    for arguments in [&["keys", "list"][..], &["keys", "list", "--json"]] {
        let listed = data.run(arguments);
        assert!(listed.status.success(), "{listed:?}");
        let (text, said) = (listed.stdout, String::from_utf8(listed.stderr).unwrap());
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("initech") && text.contains("globex"));
        assert!(text.contains(&format!("{id:08x}")), "{text}");
        let expected = "opens when their rows of keyring_data_key are restored from a backup";
        assert!(said.contains(expected), "{said}");
    }
    // What goes over all keys does the others and says which it could not do.
    for command in ["rotate", "rewrap", "verify"] {
        let output = data.run(&["keys", command]);
        let (text, said) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert_eq!(output.status.code(), Some(1), "{command}: {text}{said}");
    }
    // Nobody is kept from erasing a tenant by it.
    let mut erase = data.command();
    // It takes 40 s, more than others are given.
    let erased = erase.args(["erase", "--tenant", "acme", "--all"]).output();
    let erased = erased.unwrap();
    assert!(erased.status.success(), "{erased:?}");
}
