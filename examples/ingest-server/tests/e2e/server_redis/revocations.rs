//! Revocations reach other servers through Redis at once, and without it when they read the database.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::fleet::{on_redis, sum};
use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, page_view, readiness, run_to_end, wait_for},
    movement::assert_moved,
    programs::Redis,
};

/// What the database alone takes at most, and a slow machine on top.
const AT_MOST: Duration = Duration::from_secs(1);

/// Well below the 400 ms from one reading of the database to the next.
const AT_ONCE: Duration = Duration::from_millis(150);

fn start(redis: &Redis) -> [Server; 2] {
    let data = Data::new();
    let start = || Server::start_command(&data, on_redis(&data, redis));
    [start(), start()]
}

/// Until every server says this of its cache of API keys.
async fn wait_for_cache(servers: &[Server], state: &str) {
    for server in servers {
        wait_for(
            &format!("a cache of API keys that is {state}"),
            async || {
                let (status, components) = readiness(server).await;
                assert_eq!(status, StatusCode::OK, "{components}");
                (components["api_key_cache"]["state"] == state).then_some(())
            },
        )
        .await;
    }
}

async fn accepts(server: &Server, key: &Key) -> bool {
    let answer = server.post("/v1/events", key, &page_view(1)).send().await;
    match answer.unwrap().status() {
        StatusCode::ACCEPTED => true,
        StatusCode::UNAUTHORIZED => false,
        status => panic!("{status}"),
    }
}

/// A key that every server has in memory.
async fn used_key(servers: &[Server]) -> Key {
    let key = servers[0].issue("acme", &ALL_SCOPES).await;
    for server in servers {
        assert!(accepts(server, &key).await);
    }
    key
}

/// How long it takes until a server refuses the key.
async fn until_refused(server: &Server, key: &Key) -> Duration {
    let began = Instant::now();
    while accepts(server, key).await {
        assert!(began.elapsed() < AT_MOST, "still accepted");
    }
    began.elapsed()
}

/// Revokes a key on a server, and gives whether Redis has told the other.
async fn revoke(server: &Server, key: &Key) -> bool {
    let path = format!("/admin/api-keys/{}", key.kid);
    let answer = server.admin(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    answer.headers()["x-revocation-published"] == "true"
}

/// Revokes a key on the command line, and gives whether Redis has told the servers.
fn revoke_on_command_line(data: &Data, redis: &Redis, key: &Key) -> bool {
    let mut command = on_redis(data, redis);
    let output = run_to_end(command.args(["api-key", "revoke", &key.kid, "--json"]));
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["published"].as_bool().unwrap()
}

#[tokio::test]
async fn a_revocation_on_one_server_is_in_effect_on_the_other_at_once() {
    const TRIES: usize = 20;
    let redis = Redis::start().await;
    let servers = start(&redis);
    wait_for_cache(&servers, "up").await;
    let before = servers[0].metrics().await;
    let mut took = Vec::new();
    for _ in 0..TRIES {
        let key = used_key(&servers).await;
        revoke(&servers[0], &key).await;
        took.push(until_refused(&servers[1], &key).await);
    }
    let fast = took.iter().filter(|took| **took < AT_ONCE).count();
    assert!(fast > TRIES / 2, "{took:?}");
    let heard = "apikey_bus_changes_total{direction=\"heard\"}";
    let told = "apikey_bus_changes_total{direction=\"told\"}";
    let by_bus = "apikey_invalidations_total{source=\"bus\",kind=\"record\"}";
    for name in [heard, told, by_bus] {
        assert!(sum(&servers, name).await > 0.0, "{name}");
    }
    assert_eq!(sum(&servers, "apikey_bus_up").await, 2.0);
    let after = servers[0].metrics().await;
    assert_moved(&before, &after, ["apikey_bus_changes_total"]);
    // Each told of the other's: both have said that they applied them.
    let effective = "apikey_revocation_effective_seconds_count{by=\"acknowledged\"}";
    wait_for("revocations that are in effect", async || {
        (sum(&servers, effective).await == TRIES as f64).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_revocation_on_the_command_line_reaches_every_server() {
    let redis = Redis::start().await;
    let servers = start(&redis);
    wait_for_cache(&servers, "up").await;
    let data = servers[0].data();
    let mut published = false;
    // It connects first, for which a busy machine may need longer than it waits.
    for _ in 0..10 {
        let key = used_key(&servers).await;
        let is_published = revoke_on_command_line(data, &redis, &key);
        for server in &servers {
            until_refused(server, &key).await;
        }
        published |= is_published;
        if published {
            break;
        }
    }
    assert!(published, "Redis was never told");
}

#[tokio::test]
async fn a_row_that_is_set_right_is_read_again_by_every_server() {
    let redis = Redis::start().await;
    let servers = start(&redis);
    wait_for_cache(&servers, "up").await;
    let key = used_key(&servers).await;
    let mut database = servers[0].data().connect().await;
    let mut set_tier = async |tier: &str| {
        let update = "UPDATE apikey_cache_api_key SET tier = ?1";
        let update = sqlx::query(update).bind(tier).execute(&mut database);
        update.await.unwrap();
    };
    for (tier, accepted) in [("free", false), ("enterprise", true)] {
        set_tier(tier).await;
        let post = servers[0].admin(Method::POST, "/admin/cache/invalidate");
        let answer = post.json(&json!({ "key": key.kid })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(accepts(&servers[0], &key).await, accepted);
        let began = Instant::now();
        while accepts(&servers[1], &key).await != accepted {
            assert!(began.elapsed() < AT_MOST, "{tier}");
        }
    }
}

/// An operator who has locked the servers out has to be told so, and nobody the password.
#[tokio::test]
async fn why_redis_carries_nothing_is_in_the_log_without_the_password() {
    let redis = Redis::start_with(Some("canary-password")).await;
    redis.cli(&["ACL", "SETUSER", "default", "-xadd"]);
    let right = redis.url();
    let wrong = right.replace("canary-password", "canary-wrong");
    for (url, cause) in [(right, "NOPERM"), (wrong, "AuthenticationFailed")] {
        let data = Data::new();
        let mut command = data.command();
        command.env("INGEST_REDIS_URL", url);
        let server = Server::start_command(&data, command);
        let line = wait_for("the cause", async || {
            let logs = server.logs();
            let mut lines = logs.lines();
            let told = "Redis does not carry changes of API keys";
            let line = lines.find(|line| line.contains(told) && line.contains(cause));
            line.map(str::to_owned)
        })
        .await;
        assert!(line.contains("\"task\""), "{line}");
        assert!(!server.logs().contains("canary"), "{}", server.logs());
    }
}

#[tokio::test]
async fn without_redis_servers_start_and_revocations_are_answered_and_in_effect() {
    let mut redis = Redis::start().await;
    redis.kill();
    let servers = start(&redis);
    wait_for_cache(&servers, "degraded").await;
    let key = used_key(&servers).await;
    let began = Instant::now();
    assert!(!revoke(&servers[0], &key).await, "nobody is there to tell");
    let answered = began.elapsed();
    assert!(answered < AT_MOST, "{answered:?}");
    until_refused(&servers[1], &key).await;
    let key = used_key(&servers).await;
    assert!(!revoke_on_command_line(servers[0].data(), &redis, &key));
    for server in &servers {
        until_refused(server, &key).await;
    }
    let failures = "apikey_bus_failures_total{task=\"listen\"}";
    assert!(sum(&servers, failures).await >= 2.0);
    assert_eq!(sum(&servers, "apikey_bus_up").await, 0.0);
    for server in &servers {
        let told = "Redis does not carry changes of API keys";
        assert!(server.logs().contains(told), "{}", server.logs());
        let report = server.admin(Method::GET, "/admin/cache").send().await;
        let report: Value = report.unwrap().json().await.unwrap();
        assert_eq!(report["health"]["bus"], "down", "{report}");
        assert_eq!(report["health"]["state"], "confirmed", "{report}");
    }
    let down = servers[0].metrics().await;
    redis.restart().await;
    wait_for_cache(&servers, "up").await;
    assert_moved(&down, &servers[0].metrics().await, ["apikey_bus_up"]);
    wait_for("a revocation that Redis carries", async || {
        let key = used_key(&servers).await;
        revoke(&servers[0], &key).await.then_some(())
    })
    .await;
}
