//! Two servers that share a database and a Redis, and senders that do not wait for answers.

use std::{
    collections::BTreeMap,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, readiness, wait_for},
    movement::assert_moved,
    programs::Redis,
    tier_limits::limit,
};

/// The rate and the burst that tests give their tenants.
pub(super) const RATE: u32 = 25;
pub(super) const BURST: u32 = 100;

/// A command of a server that counts its limits on Redis.
pub(super) fn on_redis(data: &Data, redis: &Redis) -> Command {
    let mut command = data.command();
    command.env("INGEST_REDIS_URL", redis.url());
    command
}

/// Two servers, each of which knows of the other, with limits of [`RATE`] and [`BURST`] for reading.
pub(super) async fn start_two(redis: &Redis, counting: &str) -> [Server; 2] {
    let data = Data::new();
    let start = || {
        let mut command = on_redis(&data, redis);
        command.env("INGEST_LIMITS_COUNTING", counting);
        Server::start_command(&data, command)
    };
    let first = start();
    let alone = first.metrics().await;
    let servers = [first, start()];
    for server in &servers {
        limit_reading(server).await;
        wait_for("a server that counts two", async || {
            (server.metrics().await["ratelimit_expected_nodes"] == 2.0).then_some(())
        })
        .await;
    }
    let together = servers[0].metrics().await;
    assert_moved(&alone, &together, ["ratelimit_expected_nodes"]);
    servers
}

/// Limits tenants of the free tier.
pub(super) async fn limit_reading(server: &Server) {
    let reading = json!({ "per-second": RATE, "burst": BURST, "debt": 0 });
    limit(server, "read", reading).await;
}

/// A key of the tier whose reading is limited.
pub(super) async fn reader(server: &Server, tenant: &str) -> Key {
    server.issue_tier(tenant, "free", &ALL_SCOPES).await
}

/// A request that finds nothing, and costs one token of reading.
pub(super) async fn read(server: &Server, key: &Key) -> reqwest::Response {
    let path = "/v1/leads/01890a5d-ac96-774b-bcce-b302099a8057";
    server.request(Method::GET, path, key).send().await.unwrap()
}

/// What became of the requests of one sender.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by_status: BTreeMap<StatusCode, u32>,
    /// Those that took longer than a request may wait for Redis, 50 ms, and 25 ms for all else.
    pub(super) slow: u32,
    /// From the first request to the last answer.
    pub(super) took: Duration,
}

impl Answers {
    /// Requests that passed the limits.
    pub(super) fn admitted(&self) -> u32 {
        self.number(StatusCode::NOT_FOUND)
    }

    pub(super) fn number(&self, status: StatusCode) -> u32 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }

    pub(super) fn all(&self) -> u32 {
        self.by_status.values().sum()
    }
}

/// Sends so many requests a second to all servers in turn, answered or not.
pub(super) async fn send(
    servers: &[Server],
    key: &Key,
    per_second: u32,
    lasting: Duration,
) -> Answers {
    let began = Instant::now();
    let mut turns = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut under_way = Vec::new();
    for server in servers.iter().cycle() {
        turns.tick().await;
        if began.elapsed() >= lasting {
            break;
        }
        let path = "/v1/leads/01890a5d-ac96-774b-bcce-b302099a8057";
        let request = server.request(Method::GET, path, key);
        under_way.push(tokio::spawn(async move {
            let sent = Instant::now();
            let status = request.send().await.unwrap().status();
            (status, sent.elapsed())
        }));
    }
    let mut answers = Answers::default();
    for answer in join_all(under_way).await {
        let (status, elapsed) = answer.unwrap();
        *answers.by_status.entry(status).or_default() += 1;
        answers.slow += u32::from(elapsed > Duration::from_millis(75));
    }
    answers.took = began.elapsed();
    answers
}

/// A sample of all servers together.
pub(super) async fn sum(servers: &[Server], name: &str) -> f64 {
    let mut sum = 0.0;
    for server in servers {
        sum += server
            .metrics()
            .await
            .get(name)
            .copied()
            .unwrap_or_default();
    }
    sum
}

/// Decisions about reading of the free tier.
pub(super) fn decisions(outcome: &str, source: &str) -> String {
    let labels = format!("policy=\"free/read\",outcome=\"{outcome}\",source=\"{source}\"");
    format!("ratelimit_decisions_total{{{labels}}}")
}

/// Waits until every server says this of its limits.
pub(super) async fn wait_for_limits(servers: &[Server], state: &str) {
    for server in servers {
        wait_for(&format!("limits that are {state}"), async || {
            let (status, components) = readiness(server).await;
            assert_eq!(status, StatusCode::OK, "{components}");
            (components["limits"]["state"] == state).then_some(())
        })
        .await;
    }
}
