//! Requirements 3: API keys.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    forms::find,
    harness::{ALL_SCOPES, Key, Samples, Server, wait_for},
    key_checks::{KeyCheck, check_from, check_key, revoke, wait_until_followed},
};

fn lookups(samples: &Samples, source: &str) -> f64 {
    samples[&format!("apikey_lookups_total{{source=\"{source}\"}}")]
}

async fn execute(server: &Server, statement: &'static str) {
    let done = sqlx::query(statement)
        .execute(&mut server.data().connect().await)
        .await;
    done.unwrap();
}

/// Keys are checked from memory, where each is for 60 s at most until it is read again.
///
/// Also: `e2e::counters::keys_count_where_answers_came_from_and_why_keys_were_refused`,
/// `e2e::key_store_faults::keys_in_memory_are_good_for_their_time_and_then_unchecked_until_the_tables_are_back`.
#[tokio::test]
async fn r3_1_keys_are_checked_from_memory() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    wait_until_followed(&server).await;
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    let before = server.metrics().await;
    for _ in 0..10 {
        assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    }
    let after = server.metrics().await;
    let grown = |source: &str| lookups(&after, source) - lookups(&before, source);
    assert_eq!(grown("store"), 0.0);
    // A server that got no turn for 3 s would ask the database once more.
    assert!(grown("memory") >= 5.0, "{}", grown("memory"));
}

/// A key that is revoked is refused from the answer on.
///
/// Also: `e2e::key_cache::a_revocation_says_when_it_is_in_effect_everywhere`,
/// `e2e::edited_keys::a_revoked_key_is_not_revived_by_what_its_row_once_held`.
#[tokio::test]
async fn r3_2_a_revoked_key_is_refused_at_once() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    assert_eq!(revoke(&server, &key).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(check_key(&server, &key).await, KeyCheck::Refused);
}

/// No process accepts a key any more once its revocation is said to be in effect, whatever was under way there.
///
/// Also: `e2e::server_revocations::under_a_flood_without_redis`, `e2e::server_revocations::under_a_flood_with_redis`.
#[tokio::test]
async fn r3_3_no_process_accepts_a_key_after_its_revocation_is_in_effect() {
    let first = Server::start();
    let servers = [Server::start_on(first.data()), first];
    for _ in 0..5 {
        let key = servers[0].issue("acme", &ALL_SCOPES).await;
        for server in &servers {
            wait_until_followed(server).await;
            assert_eq!(check_key(server, &key).await, KeyCheck::Accepted);
        }
        let path = format!("/admin/api-keys/{}?wait=effective", key.kid);
        let mut revoking = Box::pin(servers[0].admin(Method::DELETE, &path).send());
        // Others go on asking meanwhile, which reads the key into memory again. Each address may fail so often.
        let mut address = 1;
        let answer = loop {
            address = if address == 250 { 2 } else { address + 1 };
            tokio::select! {
                answer = &mut revoking => break answer.unwrap(),
                _ = check_from(&servers[1], &key, address) => {}
            }
        };
        assert_eq!(answer.status(), StatusCode::OK);
        for server in &servers {
            assert_eq!(check_key(server, &key).await, KeyCheck::Refused);
        }
    }
}

/// Where memory cannot be trusted, since nobody tells of revocations, the database is asked each time.
///
/// Also: `e2e::counters::keys_that_nobody_confirms_are_looked_up_in_the_store_each_time`,
/// `e2e::key_cache::the_confirmed_time_is_renewed_and_runs_out_when_nobody_tells_of_changes`.
#[tokio::test]
async fn r3_4_what_memory_cannot_be_trusted_with_the_database_is_asked() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    execute(&server, "ALTER TABLE apikey_cache_outbox RENAME TO gone").await;
    wait_for("keys that nobody confirms", async || {
        let report = server.admin(Method::GET, "/admin/cache").send().await;
        let report: Value = report.unwrap().json().await.unwrap();
        (report["health"]["state"] == "unconfirmed").then_some(())
    })
    .await;
    let before = server.metrics().await;
    for _ in 0..5 {
        assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    }
    let after = server.metrics().await;
    let grown = |source: &str| lookups(&after, source) - lookups(&before, source);
    assert_eq!((grown("store_unconfirmed"), grown("memory")), (5.0, 0.0));
}

/// A key is shown once, when it is made, and kept nowhere in the clear.
///
/// Also: `e2e::key_rotation::where_nobody_would_see_a_key_nothing_is_rotated`,
/// `e2e::server_key_canaries::nothing_but_the_answer_that_issues_a_key_has_what_it_is_made_of`.
#[tokio::test]
async fn r3_5_keys_are_kept_nowhere_in_the_clear() {
    let server = Server::start();
    let key: Key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    for path in [
        "/admin/api-keys".to_owned(),
        format!("/admin/api-keys/{}", key.kid),
    ] {
        let answer = server.admin(Method::GET, &path).send().await.unwrap();
        assert!(!answer.text().await.unwrap().contains(&key.text), "{path}");
    }
    let recorded = server
        .admin(Method::GET, "/admin/audit/events")
        .send()
        .await;
    let recorded = recorded.unwrap().text().await.unwrap();
    assert!(recorded.contains(&key.kid) && !recorded.contains(&key.text));
    for (path, content) in server.data().files() {
        assert_eq!(find(&content, &key.text), None, "in {}", path.display());
    }
    let listed = server.data().run(&["api-key", "list", "--json"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&json!(key.kid).to_string()) && !listed.contains(&key.text));
}
