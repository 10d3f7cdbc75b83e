//! A metric that counts nothing is worse than none: each counter of limits, keys, writes and
//! operators moves by exactly what happened.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    audit_rules::{looked_at, wait_until_looked_at},
    harness::{ALL_SCOPES, Data, Key, OTHER_SECRET, Server, page_view, slow_down, wait_for},
    movement::assert_moved,
    tier_limits::limit_for_good,
};

/// How much each sample grew.
fn growth(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>, name: &str) -> f64 {
    let value = |samples: &BTreeMap<String, f64>| samples.get(name).copied().unwrap_or_default();
    value(after) - value(before)
}

fn assert_growth(
    before: &BTreeMap<String, f64>,
    after: &BTreeMap<String, f64>,
    expected: &[(&str, f64)],
) {
    for (name, by) in expected {
        assert_eq!(growth(before, after, name), *by, "{name} in {after:#?}");
    }
}

#[tokio::test]
async fn what_alerts_look_at_is_there_before_it_happens() {
    let server = Server::start();
    let metrics = server.metrics().await;
    let name = "ingest_audit_events_total{delivery=\"must\",outcome=\"denied\"}";
    assert!(metrics.contains_key(name), "{name}");
    for name in [
        "database_corruption_total",
        "database_file_lost_total",
        "ingest_audit_unrecorded_total",
        "ingest_audit_dropped_total{why=\"full\"}",
        "ingest_audit_commit_failures_total",
        "ingest_commit_failures_total",
        "telemetry_panics_total",
        "admin_auth_failures_total{reason=\"wrong\"}",
        "ratelimit_decisions_total{policy=\"free/search\",outcome=\"refused\",source=\"memory\"}",
        "ratelimit_decisions_total{policy=\"standard/search\",outcome=\"refused\",source=\"memory\"}",
        "ratelimit_decisions_total{policy=\"enterprise/search\",outcome=\"refused\",source=\"memory\"}",
    ] {
        assert_eq!(metrics.get(name), Some(&0.0), "{name}");
    }
}

#[tokio::test]
async fn limits_count_what_they_admit_and_refuse() {
    let server = Server::start();
    // A batch of 15 leaves 5, and a second one is refused whole.
    limit_for_good(&server, [("ingest", 20)]).await;
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let before = server.metrics().await;
    for (from, status) in [
        (0, StatusCode::ACCEPTED),
        (15, StatusCode::TOO_MANY_REQUESTS),
    ] {
        let batch: Value = (from..from + 15).map(page_view).collect();
        let answer = server.post("/v1/events", &key, &batch).send().await;
        assert_eq!(answer.unwrap().status(), status);
    }
    let answer = server
        .request(Method::GET, "/v1/leads?email=a@b.example", &key)
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    let after = server.metrics().await;
    let decisions = |policy, outcome| {
        format!(
            "ratelimit_decisions_total{{policy=\"{policy}\",outcome=\"{outcome}\",source=\"memory\"}}"
        )
    };
    assert_growth(
        &before,
        &after,
        &[
            (&decisions("client-address", "admitted"), 3.0),
            (&decisions("free/ingest", "admitted"), 1.0),
            (&decisions("free/ingest", "refused"), 1.0),
            (&decisions("free/read", "admitted"), 1.0),
        ],
    );
    assert_moved(
        &before,
        &after,
        ["ratelimit_decisions_total", "ratelimit_table_entries"],
    );
}

#[tokio::test]
async fn the_near_limit_counter_sees_the_last_tenth_of_a_burst() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let batch: Value = (0..20).map(page_view).collect();
    let before = server.metrics().await;
    let answer = server.post("/v1/events", &key, &batch).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    let after = server.metrics().await;
    let near = "ratelimit_near_limit_total{policy=\"free/ingest\"}";
    assert_eq!(after[near], 1.0);
    assert_moved(&before, &after, ["ratelimit_near_limit_total"]);
}

#[tokio::test]
async fn a_shadow_limit_refuses_nothing_and_counts_what_it_would_have_refused() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let ingest = json!({
        "key": { "per-minute": 100, "burst": 100 },
        "address": { "per-hour": 1, "burst": 1, "mode": "shadow" },
    });
    let policies = json!({ "tier": { "free": { "category": { "ingest": ingest } } } });
    let put = server.admin(Method::PUT, "/admin/limits").json(&policies);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    for n in 0..3 {
        let answer = server.post("/v1/events", &key, &page_view(n)).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    }
    let metrics = server.metrics().await;
    for (outcome, source, count) in [
        ("admitted", "memory", Some(&3.0)),
        ("shadow", "shadow", Some(&2.0)),
        ("refused", "memory", None),
    ] {
        let labels = format!("policy=\"free/ingest\",outcome=\"{outcome}\",source=\"{source}\"");
        let name = format!("ratelimit_decisions_total{{{labels}}}");
        assert_eq!(metrics.get(&name), count, "{name} in {metrics:#?}");
    }
}

/// Every source of a look-up in turn; each count is one that no other source has.
#[tokio::test]
async fn keys_count_where_answers_came_from_and_why_keys_were_refused() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let revoked = server.issue("acme", &ALL_SCOPES).await;
    let delete = server.admin(Method::DELETE, &format!("/admin/api-keys/{}", revoked.kid));
    let answer = delete.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let forged = Key {
        kid: String::new(),
        text: forge(&key.text),
    };
    // Of another database under the same pepper, and under another one.
    let unknown = Server::start().issue("acme", &ALL_SCOPES).await;
    let invented = {
        let data = Data::new();
        let mut command = data.command();
        command.env("PORTCULLIS_KEY_PEPPERS", OTHER_SECRET);
        let stranger = Server::start_command(&data, command);
        stranger.issue("acme", &ALL_SCOPES).await
    };
    wait_for("confirmed API keys", async || {
        (api_keys_state(&server).await == "up").then_some(())
    })
    .await;
    let before = server.metrics().await;
    for (key, times, status) in [
        (&key, 5, StatusCode::ACCEPTED),
        (&forged, 1, StatusCode::UNAUTHORIZED),
        (&revoked, 1, StatusCode::UNAUTHORIZED),
        (&unknown, 3, StatusCode::UNAUTHORIZED),
        (&invented, 1, StatusCode::UNAUTHORIZED),
    ] {
        for _ in 0..times {
            let answer = server.post("/v1/events", key, &page_view(1)).send().await;
            assert_eq!(answer.unwrap().status(), status, "{}", key.kid);
        }
    }
    let after = server.metrics().await;
    let lookups = |source| format!("apikey_lookups_total{{source=\"{source}\"}}");
    let refusals = |reason| format!("apikey_refusals_total{{reason=\"{reason}\"}}");
    assert_growth(
        &before,
        &after,
        &[
            (&lookups("memory"), 5.0),
            (&lookups("store"), 3.0),
            (&lookups("negative"), 2.0),
            (&lookups("prefilter"), 1.0),
            (&lookups("store_unconfirmed"), 0.0),
            ("apikey_load_seconds_count", 3.0),
            (&refusals("wrong_secret"), 1.0),
            (&refusals("revoked"), 1.0),
            (&refusals("unknown"), 3.0),
            (&refusals("invented_kid"), 1.0),
        ],
    );
    assert_moved(
        &before,
        &after,
        [
            "apikey_lookups_total",
            "apikey_load_seconds",
            "apikey_refusals_total",
            "apikey_cache_entries",
        ],
    );
}

#[tokio::test]
async fn keys_that_nobody_confirms_are_looked_up_in_the_store_each_time() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    sqlx::query("ALTER TABLE apikey_cache_outbox RENAME TO gone")
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
    let unconfirmed = "apikey_lookups_total{source=\"store_unconfirmed\"}";
    wait_for("API keys that nobody confirms", async || {
        let answer = server.post("/v1/events", &key, &page_view("first"));
        answer.send().await.unwrap();
        (server.metrics().await[unconfirmed] > 0.0).then_some(())
    })
    .await;
    let before = server.metrics().await;
    for n in 0..4 {
        let answer = server.post("/v1/events", &key, &page_view(n)).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    }
    let after = server.metrics().await;
    assert_growth(
        &before,
        &after,
        &[
            ("apikey_lookups_total{source=\"store_unconfirmed\"}", 4.0),
            ("apikey_lookups_total{source=\"memory\"}", 0.0),
            ("apikey_load_seconds_count", 4.0),
        ],
    );
}

pub(crate) async fn api_keys_state(server: &Server) -> String {
    let answer = server.admin(Method::GET, "/readyz").send().await.unwrap();
    let ready: Value = answer.json().await.unwrap();
    let state = &ready["components"]["api_key_cache"]["state"];
    state.as_str().unwrap().to_owned()
}

/// Another secret under the same kid, with a checksum that is right.
pub(crate) fn forge(key: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (body, _) = key.split_at(key.len() - 6);
    let last = body.bytes().last().unwrap();
    let other = if last == b'0' { '1' } else { '0' };
    let body = format!("{}{other}", &body[..body.len() - 1]);
    let mut crc = u64::from(crc32(body.as_bytes()));
    let mut checksum = Vec::new();
    for _ in 0..6 {
        checksum.push(DIGITS[usize::try_from(crc % 62).unwrap()]);
        crc /= 62;
    }
    checksum.reverse();
    format!("{body}{}", String::from_utf8(checksum).unwrap())
}

/// CRC-32/ISO-HDLC.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xEDB8_8320 & mask);
        }
    }
    !crc
}

#[tokio::test]
async fn data_keys_count_calls_of_the_key_encryption_key_and_what_the_cache_saved() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    // The log was opened, and a key was begun to be issued and was.
    wait_until_looked_at(&data, 3).await;
    let before = server.metrics().await;
    // Two data keys are made for the first lead, and serve as they were made; the others find them too.
    for email in ["a@b.example", "c@d.example", "e@f.example"] {
        let lead = json!({ "email": email, "phone": "+442079460958" });
        server.lead(&key, &lead).await;
    }
    let after = server.metrics().await;
    let calls = |operation| {
        format!("kek_calls_total{{provider=\"local\",operation=\"{operation}\",outcome=\"ok\"}}")
    };
    assert_growth(
        &before,
        &after,
        &[
            (&calls("generate"), 2.0),
            (&calls("unwrap_key"), 0.0),
            ("kek_call_seconds_count", 2.0),
            ("keyring_lookups_total{source=\"kek\"}", 0.0),
            ("keyring_lookups_total{source=\"memory\"}", 6.0),
        ],
    );
    assert_moved(
        &before,
        &after,
        [
            "kek_calls_total",
            "kek_call_seconds",
            "keyring_lookups_total",
            "pii_operations_total",
        ],
    );

    // Another process unwraps them once.
    assert!(server.terminate().success());
    let earlier = looked_at(&data).unwrap();
    let server = Server::start_on(&data);
    wait_until_looked_at(&data, earlier + 1).await;
    let before = server.metrics().await;
    for email in ["g@h.example", "i@j.example"] {
        let lead = json!({ "email": email, "phone": "+442079460958" });
        server.lead(&key, &lead).await;
    }
    let after = server.metrics().await;
    assert_growth(
        &before,
        &after,
        &[
            (&calls("generate"), 0.0),
            (&calls("unwrap_key"), 2.0),
            ("kek_call_seconds_count", 2.0),
            ("keyring_lookups_total{source=\"kek\"}", 2.0),
            ("keyring_lookups_total{source=\"memory\"}", 2.0),
        ],
    );
}

#[tokio::test]
async fn writes_count_their_groups_rows_and_failures() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    for (from, rows) in [(0, 7), (7, 1)] {
        let batch: Value = (from..from + rows).map(page_view).collect();
        let answer = server.post("/v1/events", &key, &batch).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    }
    let mut blocker = server.data().connect().await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut blocker)
        .await
        .unwrap();
    let answer = server.post("/v1/events", &key, &page_view(9)).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    let after = server.metrics().await;
    assert_growth(
        &before,
        &after,
        &[
            ("ingest_group_rows_count", 2.0),
            ("ingest_group_rows_sum", 8.0),
            ("ingest_commit_seconds_count", 2.0),
            ("ingest_commit_failures_total", 1.0),
        ],
    );
    assert!(growth(&before, &after, "ingest_commit_seconds_sum") > 0.0);
    assert_moved(
        &before,
        &after,
        [
            "ingest_group_rows",
            "ingest_commit_seconds",
            "ingest_commit_failures_total",
        ],
    );
}

#[tokio::test]
async fn the_write_queue_shows_the_rows_that_wait_and_none_after_their_commit() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let queue = "ingest_write_queue_rows";
    let before = server.metrics().await;
    assert_eq!(before[queue], 0.0);
    // What comes while it is written waits for the next commit.
    slow_down(server.data(), 4).await;
    let slow = tokio::spawn(server.post("/v1/events", &key, &page_view("slow")).send());
    wait_for("one row that is written", async || {
        (server.metrics().await[queue] == 1.0).then_some(())
    })
    .await;
    let batch: Value = (0..6).map(page_view).collect();
    let write = server.post("/v1/events", &key, &batch).send();
    let look = async {
        let waiting = wait_for("seven rows that wait", async || {
            let metrics = server.metrics().await;
            (metrics[queue] == 7.0).then_some(metrics)
        })
        .await;
        assert_moved(
            &before,
            &waiting,
            ["ingest_write_queue_rows", "ingest_write_queue_bytes"],
        );
    };
    let (answer, ()) = tokio::join!(write, look);
    assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::ACCEPTED);
    wait_for("an empty queue", async || {
        (server.metrics().await[queue] == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_use_case_of_operators_is_counted_and_changes_are_logged_with_their_actor() {
    let server = Server::start();
    let before = server.metrics().await;
    let key = server.issue("acme", &ALL_SCOPES).await;
    let get = |path: String| server.admin(Method::GET, &path).send();
    let kid = &key.kid;
    for path in [
        "/admin/api-keys".to_owned(),
        format!("/admin/api-keys/{kid}"),
        "/admin/cache".to_owned(),
        "/admin/limits".to_owned(),
        "/admin/quality".to_owned(),
        "/admin/quality/report".to_owned(),
        "/admin/quality/samples".to_owned(),
    ] {
        assert_eq!(get(path).await.unwrap().status(), StatusCode::OK);
    }
    let missing = get("/admin/api-keys/none".to_owned()).await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let limits = |rule: Value| {
        let policies = json!({ "client-address": rule });
        server
            .admin(Method::PUT, "/admin/limits")
            .json(&policies)
            .send()
    };
    let contradictory = json!({ "per-hour": 1, "per-minute": 1, "burst": 2 });
    let answer = limits(contradictory).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let answer = limits(json!({ "per-hour": 3_600, "burst": 3_600 }))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let revoke = server.admin(Method::DELETE, &format!("/admin/api-keys/{kid}"));
    let answer = revoke.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);

    let after = server.metrics().await;
    let counted: Vec<(String, f64)> = after
        .iter()
        .filter(|(name, _)| name.starts_with("ingest_admin_actions_total"))
        .map(|(name, _)| (name.clone(), growth(&before, &after, name)))
        .collect();
    let label = |action, outcome, count| {
        let name =
            format!("ingest_admin_actions_total{{action=\"{action}\",outcome=\"{outcome}\"}}");
        (name, count)
    };
    let expected = [
        label("api_key.issue", "done", 1.0),
        label("api_key.list", "done", 1.0),
        label("api_key.read", "done", 1.0),
        label("api_key.read", "rejected", 1.0),
        label("api_key.revoke", "done", 1.0),
        label("key_cache.read", "done", 1.0),
        label("limits.read", "done", 1.0),
        label("limits.replace", "done", 1.0),
        label("limits.replace", "rejected", 1.0),
        label("quality.read", "done", 2.0),
        label("quality.samples", "done", 1.0),
    ];
    assert_eq!(counted, expected);
    assert_moved(
        &before,
        &after,
        [
            "ingest_admin_actions_total",
            "ingest_audit_events_total",
            "ingest_audit_commit_seconds",
            "ingest_audit_entries",
            "ingest_audit_group_events",
            "ingest_audit_wait_seconds",
        ],
    );
    let logs = server.logs();
    for (action, about) in [
        ("api_key.issue", kid.as_str()),
        ("api_key.revoke", kid.as_str()),
        ("limits.replace", "client-address"),
    ] {
        let line = logs
            .lines()
            .find(|line| line.contains(action) && line.contains("\"done\""))
            .unwrap_or_else(|| panic!("{action} is not in {logs}"));
        assert!(line.contains("admin-token from 127.0.0.1"), "{line}");
        assert!(line.contains(about), "{line}");
    }
}
