//! What operators see of the cache of API keys and have it forget, and what a restart remembers.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    degraded::wait_for_degraded,
    harness::{ALL_SCOPES, Key, Server, page_view, run_to_end, shell, wait_for},
    movement::assert_moved,
};

async fn accepts(server: &Server, key: &Key) -> bool {
    let answer = server.post("/v1/events", key, &page_view(1)).send().await;
    match answer.unwrap().status() {
        StatusCode::ACCEPTED => true,
        StatusCode::UNAUTHORIZED => false,
        status => panic!("{status}"),
    }
}

async fn report(server: &Server) -> Value {
    let answer = server
        .admin(Method::GET, "/admin/cache")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// Until the first reading of the outbox.
async fn wait_until_confirmed(server: &Server) {
    wait_for("a confirmed cache", async || {
        (report(server).await["health"]["state"] == "confirmed").then_some(())
    })
    .await;
}

async fn invalidate(server: &Server, what: &Value) -> StatusCode {
    let post = server.admin(Method::POST, "/admin/cache/invalidate");
    post.json(what).send().await.unwrap().status()
}

/// Sets the scopes of a key in the database, and gives those it had.
async fn edit_scopes(server: &Server, kid: &str, scopes: &str) -> String {
    let mut database = server.data().connect().await;
    let before = "SELECT scopes FROM apikey_cache_api_key WHERE kid = ?1";
    let before = sqlx::query_scalar(before)
        .bind(kid)
        .fetch_one(&mut database);
    let before = before.await.unwrap();
    sqlx::query("UPDATE apikey_cache_api_key SET scopes = ?2 WHERE kid = ?1")
        .bind(kid)
        .bind(scopes)
        .execute(&mut database)
        .await
        .unwrap();
    before
}

#[tokio::test]
async fn the_report_counts_what_the_cache_did_and_says_how_it_does() {
    let server = Server::start();
    wait_until_confirmed(&server).await;
    let key = server.issue("acme", &ALL_SCOPES).await;
    for _ in 0..4 {
        assert!(accepts(&server, &key).await);
    }
    let report = report(&server).await;
    let stats = &report["stats"];
    for (name, expected) in [
        ("entries", json!(1)),
        ("hits", json!(3)),
        ("misses", json!(1)),
        ("hit_ratio", json!(0.75)),
        ("negative_hits", json!(0)),
        ("prefilter_rejects", json!(0)),
        ("rows_rejected", json!(0)),
        ("feed_gaps", json!(0)),
    ] {
        assert_eq!(stats[name], expected, "{name} in {report}");
    }
    let health = &report["health"];
    assert_eq!(health["bus"], "none");
    assert_eq!(health["feed_behind"], 0);
    assert_eq!(health["warming"]["state"], "over");
    let confirmed_for = health["confirmed_for_ms"].as_u64().unwrap();
    assert!((1..=3_000).contains(&confirmed_for), "{report}");
}

/// A row that is edited is refused once it is read, and read again once somebody says so.
#[tokio::test]
async fn an_edited_row_is_read_again_when_an_operator_says_so() {
    let server = Server::start();
    wait_until_confirmed(&server).await;
    let key = server.issue("acme", &ALL_SCOPES).await;
    let other = server.issue("other", &ALL_SCOPES).await;
    let before = server.metrics().await;
    for what in [
        json!({ "key": key.kid }),
        json!({ "tenant": "acme" }),
        json!({ "all": true }),
    ] {
        assert!(accepts(&server, &key).await && accepts(&server, &other).await);
        let scopes = edit_scopes(&server, &key.kid, "events:write").await;
        assert!(accepts(&server, &key).await, "the memory is used");
        assert_eq!(invalidate(&server, &what).await, StatusCode::NO_CONTENT);
        assert!(!accepts(&server, &key).await, "{what}");
        edit_scopes(&server, &key.kid, &scopes).await;
        assert!(!accepts(&server, &key).await, "the memory is used");
        assert_eq!(invalidate(&server, &what).await, StatusCode::NO_CONTENT);
        assert!(accepts(&server, &key).await, "{what}");
    }
    assert_eq!(report(&server).await["stats"]["rows_rejected"], 3);
    let metrics = server.metrics().await;
    for kind in ["key", "tenant", "all"] {
        let name = format!("apikey_invalidations_total{{source=\"own\",kind=\"{kind}\"}}");
        assert_eq!(metrics[&name], 2.0, "{name}");
    }
    assert_moved(&before, &metrics, ["apikey_invalidations_total"]);
    let done = "ingest_admin_actions_total{action=\"key_cache.invalidate\",outcome=\"done\"}";
    assert_eq!(metrics[done], 6.0);
    // As begun, and what came of it.
    let path = "/admin/audit/events?action=key_cache.invalidate&outcome=success";
    let audit = server.admin(Method::GET, path).send().await.unwrap();
    let audit: Value = audit.json().await.unwrap();
    let events = audit["events"].as_array().unwrap();
    assert_eq!(events.len(), 6, "{audit}");
    assert!(events.iter().all(|event| event["refs"].is_array()));
    let of_key = |event: &&Value| event["resources"][0]["id"] == key.kid.as_str();
    assert_eq!(events.iter().filter(of_key).count(), 2, "{audit}");
}

/// The line of docs/production.md, as it stands there.
#[tokio::test]
async fn the_command_of_the_manual_has_all_keys_read_again() {
    let server = Server::start();
    wait_until_confirmed(&server).await;
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert!(accepts(&server, &key).await);
    edit_scopes(&server, &key.kid, "events:write").await;
    assert!(accepts(&server, &key).await, "the memory is used");
    let manual = include_str!("../../../../docs/production.md");
    let mut blocks = manual.split("```sh\n").skip(1);
    let block = blocks.find_map(|block| {
        let (commands, _) = block.split_once("```")?;
        commands
            .contains("/admin/cache/invalidate")
            .then_some(commands)
    });
    let script = block
        .unwrap()
        .replace("127.0.0.1:9090", server.admin_address());
    let mut command = server.data().command();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    let output = run_to_end(&mut shell(&script, &command));
    assert!(output.status.success(), "{script}: {output:?}");
    assert!(!accepts(&server, &key).await);
}

#[tokio::test]
async fn a_body_that_names_none_or_several_is_told_what_to_send() {
    let server = Server::start();
    let rejected = [
        json!({}),
        json!({ "all": false }),
        json!({ "all": true, "tenant": "acme" }),
        json!({ "key": "canary7Q" }),
        json!({ "tenant": "" }),
        json!({ "kid": "canary7Q" }),
    ];
    for body in &rejected {
        for path in ["/admin/cache", "/admin/cache/invalidate"] {
            let answer = server.admin(Method::POST, path).json(body).send().await;
            let answer = answer.unwrap();
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
            let problem = answer.text().await.unwrap();
            assert!(
                problem.contains('`') || problem.contains("all"),
                "{problem}"
            );
            assert!(!problem.contains("canary7Q"), "{problem}");
        }
    }
    let metrics = server.metrics().await;
    let name = "ingest_admin_actions_total{action=\"key_cache.invalidate\",outcome=\"rejected\"}";
    assert_eq!(metrics[name], 12.0);
}

#[tokio::test]
async fn a_restarted_server_knows_the_keys_that_were_used_before() {
    let server = Server::start();
    wait_until_confirmed(&server).await;
    let mut keys = Vec::new();
    for n in 0..5 {
        keys.push(server.issue(&format!("tenant-{n}"), &ALL_SCOPES).await);
    }
    let unused = server.issue("unused", &ALL_SCOPES).await;
    for key in &keys {
        assert!(accepts(&server, key).await);
    }
    let data = server.data().clone();
    let before = server.metrics().await;
    assert!(server.terminate().success());
    let server = Server::start_on(&data);
    let warming = &report(&server).await["health"]["warming"];
    let expected = json!({ "state": "over", "loaded": 5, "failed": 0, "end": "complete" });
    assert_eq!(*warming, expected);
    for key in &keys {
        assert!(accepts(&server, key).await);
    }
    let stats = report(&server).await["stats"].take();
    assert_eq!((&stats["hits"], &stats["misses"]), (&json!(5), &json!(0)));
    assert!(accepts(&server, &unused).await);
    assert_eq!(report(&server).await["stats"]["misses"], 1);
    let metrics = server.metrics().await;
    assert_eq!(metrics["apikey_warmed_keys_total{outcome=\"loaded\"}"], 5.0);
    assert_eq!(metrics["apikey_warmed_keys_total{outcome=\"failed\"}"], 0.0);
    assert_moved(&before, &metrics, ["apikey_warmed_keys_total"]);
}

#[tokio::test]
async fn a_revocation_says_when_it_is_in_effect_everywhere() {
    let server = Server::start();
    wait_until_confirmed(&server).await;
    let [awaited, not_awaited, on_command_line] = [
        server.issue("acme", &ALL_SCOPES).await,
        server.issue("acme", &ALL_SCOPES).await,
        server.issue("acme", &ALL_SCOPES).await,
    ];
    let before = server.metrics().await;
    let delete = |key: &Key, query: &str| {
        let path = format!("/admin/api-keys/{}{query}", key.kid);
        server.admin(Method::DELETE, &path).send()
    };
    let answer = delete(&awaited, "?wait=effective").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["kid"], awaited.kid.as_str());
    assert_eq!(
        (&answer["was_active"], &answer["published"]),
        (&json!(true), &Value::Null)
    );
    // There is no other server.
    assert_eq!(answer["effective"]["by"], "acknowledged");
    assert!(
        answer["effective"]["after_ms"].as_u64().unwrap() < 1_000,
        "{answer}"
    );

    let answer = delete(&not_awaited, "").await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(answer.headers().get("x-revocation-published").is_none());
    let effective = "apikey_revocation_effective_seconds_count{by=\"acknowledged\"}";
    let after = wait_for("two revocations that are in effect", async || {
        let metrics = server.metrics().await;
        (metrics[effective] == 2.0).then_some(metrics)
    })
    .await;
    assert_moved(&before, &after, ["apikey_revocation_effective_seconds"]);
    let replaced = server.issue("acme", &ALL_SCOPES).await;
    let path = format!("/admin/api-keys/{}/rotate", replaced.kid);
    let rotate = server.admin(Method::POST, &path);
    let answer = rotate.json(&json!({ "overlap_seconds": 0 })).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer["published"], Value::Null, "without Redis");
    wait_for("the end of a key that was replaced", async || {
        (server.metrics().await[effective] == 3.0).then_some(())
    })
    .await;
    // Nothing has changed, and so nothing is to be measured.
    let answer = delete(&awaited, "?wait=effective").await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        (&answer["was_active"], &answer["published"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(server.metrics().await[effective], 3.0);
    for query in ["?wait=never", "?shoe=1"] {
        let answer = delete(&not_awaited, query).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }

    assert!(accepts(&server, &on_command_line).await);
    let arguments = [
        "api-key",
        "revoke",
        &on_command_line.kid,
        "--wait",
        "--json",
    ];
    let output = server.data().run(&arguments);
    assert!(output.status.success(), "{output:?}");
    // Nothing more to wait for.
    assert!(!accepts(&server, &on_command_line).await);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["effective"]["by"], "acknowledged", "{answer}");
}

#[tokio::test]
async fn one_check_in_64_is_timed() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    for _ in 0..65 {
        assert!(accepts(&server, &key).await);
    }
    let metrics = server.metrics().await;
    assert_eq!(metrics["apikey_check_seconds_count"], 2.0);
    assert!(metrics["apikey_check_seconds_sum"] > 0.0);
    assert_eq!(metrics["apikey_cache_entries"], 1.0);
    assert_moved(&before, &metrics, ["apikey_check_seconds"]);
}

#[tokio::test]
async fn the_confirmed_time_is_renewed_and_runs_out_when_nobody_tells_of_changes() {
    let server = Server::start();
    wait_until_confirmed(&server).await;
    let before = server.metrics().await;
    wait_for("renewals", async || {
        let metrics = server.metrics().await;
        let seen = "apikey_confirmed_margin_seconds_count";
        (metrics[seen] >= before[seen] + 3.0).then_some(())
    })
    .await;
    let metrics = server.metrics().await;
    assert!(metrics["apikey_cache_confirmed_seconds"] > 0.0);
    assert_eq!(metrics["apikey_feed_behind"], 0.0);
    assert!(!metrics.contains_key("apikey_bus_up"), "without Redis");
    sqlx::query("ALTER TABLE apikey_cache_outbox RENAME TO gone")
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
    let unconfirmed = wait_for("a cache that nobody confirms", async || {
        let metrics = server.metrics().await;
        (metrics["apikey_cache_confirmed_seconds"] == 0.0).then_some(metrics)
    })
    .await;
    assert_moved(
        &before,
        &unconfirmed,
        [
            "apikey_confirmed_margin_seconds",
            "apikey_cache_confirmed_seconds",
        ],
    );
    assert_eq!(report(&server).await["health"]["state"], "unconfirmed");
    wait_for_degraded(&server, "revocation_unconfirmed").await;
}

/// A page of changes is read, and the next one cannot be.
#[tokio::test]
async fn changes_that_cannot_be_read_are_shown_as_behind() {
    let server = Server::start();
    wait_until_confirmed(&server).await;
    server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    let changes = "WITH RECURSIVE number (n) AS
            (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 5000)
        INSERT INTO apikey_cache_outbox (kind, kid, at)
            SELECT 'key', iif(n < 5000, kid, ''), 0 FROM number, apikey_cache_api_key";
    sqlx::query(changes)
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
    let behind = wait_for("changes that are not read", async || {
        let metrics = server.metrics().await;
        (metrics["apikey_feed_behind"] > 0.0).then_some(metrics)
    })
    .await;
    assert_moved(&before, &behind, ["apikey_feed_behind"]);
}
