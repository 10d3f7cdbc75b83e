//! A Redis that cannot be used costs exactness, and nothing else.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::fleet::{limit_reading, on_redis, read, reader, wait_for_limits};
use crate::{
    degraded::{wait_for_degraded, wait_until_well},
    harness::{Data, Server, readiness, wait_for},
    movement::assert_moved,
    programs::Redis,
};

/// Checks that a server with such a Redis answers, says that it is degraded and says why: once.
async fn assert_degraded(data: &Data, url: &str, why: &str) {
    let mut told = String::new();
    for _ in 0..5 {
        told = told_of_degraded(data, url).await;
        if !is_late(&told) {
            break;
        }
    }
    assert!(told.contains(why), "{told}");
}

/// The first failure is the one that is told, which on a busy machine may be that Redis was late.
fn is_late(told: &str) -> bool {
    let late = [
        "did not answer within the deadline",
        "was not established in time",
    ];
    late.iter().any(|late| told.contains(late))
}

/// What such a server says of Redis at first.
async fn told_of_degraded(data: &Data, url: &str) -> String {
    let mut command = data.command();
    command.env("INGEST_REDIS_URL", url);
    let server = Server::start_command(data, command);
    limit_reading(&server).await;
    let key = reader(&server, "acme").await;
    for _ in 0..30 {
        let answer = read(&server, &key).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::OK);
    let limits = &components["limits"];
    assert_eq!(limits["state"], "degraded", "{limits}");
    let action = limits["action"].as_str().unwrap();
    for part in ["per process", "half the rate", "check that"] {
        assert!(action.contains(part), "{action}");
    }
    let logs = server.logs();
    let told: Vec<Value> = logs
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| {
            let message = line["message"].as_str().unwrap();
            message.contains("Redis") && !message.contains("API keys")
        })
        .collect();
    let messages: Vec<&str> = told
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].starts_with("Redis did not decide"),
        "{messages:?}"
    );
    assert!(
        messages[1].starts_with("Redis failed too often"),
        "{messages:?}"
    );
    assert!(!logs.contains("canary"), "{logs}");
    assert!(server.terminate().success());
    told[0].to_string()
}

#[tokio::test]
async fn a_password_that_is_wrong() {
    let redis = Redis::start_with(Some("right")).await;
    let url = format!("redis://:canary@127.0.0.1:{}", redis.port());
    assert_degraded(&Data::new(), &url, "authentication failed").await;
}

#[tokio::test]
async fn an_address_where_nobody_listens() {
    let mut redis = Redis::start().await;
    redis.kill();
    let url = format!("redis://:canary@127.0.0.1:{}", redis.port());
    assert_degraded(&Data::new(), &url, "refused").await;
}

#[tokio::test]
async fn a_replica_that_is_not_written_to() {
    let redis = Redis::start().await;
    assert_eq!(redis.cli(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
    assert_degraded(&Data::new(), &redis.url(), "read only replica").await;
}

#[tokio::test]
async fn a_server_without_memory() {
    let redis = Redis::start().await;
    assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
    assert_degraded(&Data::new(), &redis.url(), "OOM").await;
}

/// As Redis answers while it reads its data from the disk.
#[tokio::test]
async fn a_server_that_is_loading() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answering = tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut commands = [0; 4_096];
                while let Ok(1..) = connection.read(&mut commands).await {
                    let answer = b"-LOADING Redis is loading the dataset in memory\r\n";
                    // The client hangs up when it has read one.
                    drop(connection.write_all(&answer.repeat(8)).await);
                }
            });
        }
    });
    assert_degraded(&Data::new(), &format!("redis://{address}"), "loading").await;
    answering.abort();
}

#[tokio::test]
async fn a_server_that_comes_up_later_is_found() {
    let mut redis = Redis::start().await;
    redis.kill();
    let data = Data::new();
    let server = Server::start_command(&data, on_redis(&data, &redis));
    let servers = [server];
    wait_for_limits(&servers, "degraded").await;
    wait_for_degraded(&servers[0], "limits_fallback").await;
    redis.restart().await;
    wait_for_limits(&servers, "up").await;
    wait_until_well(&servers[0], "limits_fallback").await;
    let (_, components) = readiness(&servers[0]).await;
    let latency = components["limits"]["latency_ms"].as_u64().unwrap();
    assert!(Duration::from_millis(latency) < Duration::from_secs(1));
}

/// Nobody sends anything, and the server would answer PING.
#[tokio::test]
async fn a_server_without_requests_tells_that_redis_cannot_be_written() {
    for nodes in ["counted", "2"] {
        let mut told = String::new();
        for _ in 0..5 {
            told = told_of_missed_beats(nodes).await;
            if !is_late(&told) {
                break;
            }
        }
        assert!(told.contains("read only replica"), "{told}");
    }
}

/// What a server says of its heartbeats, once, while Redis does not take them.
async fn told_of_missed_beats(nodes: &str) -> String {
    let redis = Redis::start().await;
    let data = Data::new();
    let mut command = on_redis(&data, &redis);
    command.env("INGEST_LIMITS_NODES", nodes);
    let servers = [Server::start_command(&data, command)];
    wait_for_limits(&servers, "up").await;
    let before = servers[0].metrics().await;
    assert_eq!(redis.cli(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
    wait_for_limits(&servers, "degraded").await;
    let (_, components) = readiness(&servers[0]).await;
    let action = components["limits"]["action"].as_str().unwrap();
    for part in ["takes no heartbeat", "per process", "replica"] {
        assert!(action.contains(part), "{action}");
    }
    let metrics = servers[0].metrics().await;
    assert_eq!(metrics["ratelimit_breaker_state"], 0.0);
    assert!(metrics["ratelimit_heartbeats_missed"] >= 2.0);
    assert_moved(&before, &metrics, ["ratelimit_heartbeats_missed"]);
    // Told once, however long it lasts.
    wait_for("more missed beats", async || {
        let metrics = servers[0].metrics().await;
        (metrics["ratelimit_heartbeats_missed"] >= 4.0).then_some(())
    })
    .await;
    let logs = servers[0].logs();
    let lines: Vec<&str> = logs.lines().filter(|it| it.contains("heartbeat")).collect();
    let told = lines[0].to_owned();
    if is_late(&told) {
        // Another follows, once what was late has been answered.
        return told;
    }
    assert_eq!(lines.len(), 1, "{lines:?}");

    assert_eq!(redis.cli(&["REPLICAOF", "NO", "ONE"]), "OK");
    wait_for_limits(&servers, "up").await;
    let metrics = servers[0].metrics().await;
    assert_eq!(metrics["ratelimit_heartbeats_missed"], 0.0);
    told
}
