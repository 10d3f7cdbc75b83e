//! Who can write the table of keys cannot widen a key, nor lend it to anybody.

use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::{
    harness::{ALL_SCOPES, Key, Server},
    key_checks::{KeyCheck, check_from, check_key, revoke, wait_until_followed},
};

async fn execute(server: &Server, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
}

async fn rows_rejected(server: &Server) -> f64 {
    let metrics = server.metrics().await;
    let rejected = metrics.get("apikey_faults_total{kind=\"row_rejected\"}");
    rejected.copied().unwrap_or_default()
}

/// A key with a last day, which the server has never looked for.
async fn issue(server: &Server) -> Key {
    let body = json!({
        "tenant": "acme", "tier": "free", "scopes": ["events:write"],
        "expires_at": "2999-01-01T00:00:00Z"
    });
    let request = server.admin(reqwest::Method::POST, "/admin/api-keys");
    let answer = request.json(&body).send().await.unwrap();
    let issued: serde_json::Value = answer.json().await.unwrap();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    Key {
        kid: text("kid"),
        text: text("key"),
    }
}

#[tokio::test]
async fn a_row_that_was_edited_is_refused_and_counted() {
    const EDITS: [&str; 12] = [
        "tenant = 'another'",
        "tier = 'enterprise'",
        "scopes = 'events:write leads:read leads:write pii:read'",
        "scopes = ''",
        "not_before = 1",
        "expires_at = expires_at + 1",
        "expires_at = NULL",
        "version = version + 1",
        "pepper_version = 2",
        "hash = randomblob(32)",
        "row_mac = zeroblob(32)",
        "hash = (SELECT hash FROM apikey_cache_api_key WHERE kid = $other), \
         row_mac = (SELECT row_mac FROM apikey_cache_api_key WHERE kid = $other)",
    ];
    let server = Server::start();
    wait_until_followed(&server).await;
    let other = issue(&server).await;
    for (number, edit) in (1..).zip(EDITS) {
        let key = issue(&server).await;
        let edit = edit.replace("$other", &format!("'{}'", other.kid));
        let statement = format!(
            "UPDATE apikey_cache_api_key SET {edit} WHERE kid = '{}'",
            key.kid
        );
        execute(&server, statement).await;
        let check = check_from(&server, &key, number + 10).await;
        assert_eq!(check, KeyCheck::Refused, "{edit}");
        assert_eq!(rows_rejected(&server).await, f64::from(number), "{edit}");
    }
    // Nobody touched that one.
    assert_eq!(check_key(&server, &other).await, KeyCheck::Accepted);
}

#[tokio::test]
async fn a_revoked_key_is_not_revived_by_what_its_row_once_held() {
    let server = Server::start();
    for (number, version) in (1..).zip(["version", "version + 1"]) {
        let key = issue(&server).await;
        let kept = format!(
            "CREATE TABLE kept_{number} AS SELECT * FROM apikey_cache_api_key WHERE kid = '{}'",
            key.kid
        );
        execute(&server, kept).await;
        assert!(revoke(&server, &key).await.status().is_success());
        let revived = format!(
            "UPDATE apikey_cache_api_key SET (status, hash, row_mac, pepper_version, version) = \
             (SELECT status, hash, row_mac, pepper_version, apikey_cache_api_key.{version} \
             FROM kept_{number}) WHERE kid = '{}'",
            key.kid
        );
        execute(&server, revived).await;
        // The server itself remembers; another has only what it reads.
        assert_eq!(
            check_from(&server, &key, number + 10).await,
            KeyCheck::Refused
        );
        let another = Server::start_on(server.data());
        wait_until_followed(&another).await;
        assert_eq!(
            check_from(&another, &key, number + 10).await,
            KeyCheck::Refused
        );
        assert_eq!(rows_rejected(&another).await, 1.0);
    }
}

#[tokio::test]
async fn a_row_under_the_id_of_another_key_is_refused() {
    let server = Server::start();
    wait_until_followed(&server).await;
    let [first, second] = [issue(&server).await, issue(&server).await];
    let swapped = format!(
        "UPDATE apikey_cache_api_key SET kid = 'swapped' WHERE kid = '{first}';
         UPDATE apikey_cache_api_key SET kid = '{first}' WHERE kid = '{second}';
         UPDATE apikey_cache_api_key SET kid = '{second}' WHERE kid = 'swapped'",
        first = first.kid,
        second = second.kid
    );
    execute(&server, swapped).await;
    for (number, key) in (1..).zip([first, second]) {
        assert_eq!(
            check_from(&server, &key, number + 10).await,
            KeyCheck::Refused
        );
        assert_eq!(rows_rejected(&server).await, f64::from(number));
    }
    let untouched = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(check_key(&server, &untouched).await, KeyCheck::Accepted);
}
