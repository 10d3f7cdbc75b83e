//! A question to Redis is a span of the request that asks it.

use std::process::Command;

use super::fleet::{RATE, limit_reading, on_redis, read, reader};
use crate::{
    harness::{ALL_SCOPES, Data, Server, wait_for},
    programs::{Redis, collector},
    traced::{export_to, one, spans_of},
};

/// How many questions of this kind ended so.
fn durations(operation: &str, error: &str) -> String {
    let labels = format!(
        "db_system_name=\"redis\",db_namespace=\"\",db_operation_name=\"{operation}\",\
         db_collection_name=\"\",error_type=\"{error}\""
    );
    format!("db_client_operation_duration_seconds_count{{{labels}}}")
}

/// A server on Redis all of whose spans are collected.
fn traced(data: &Data, redis: &Redis, endpoint: &str) -> Command {
    let mut command = on_redis(data, redis);
    export_to(&mut command, endpoint);
    command
}

#[tokio::test]
async fn a_round_trip_is_a_client_span_below_its_request_and_holds_no_key() {
    let (collector, endpoint) = collector().await;
    let mut redis = Redis::start_with(Some("canary-password")).await;
    let data = Data::new();
    let server = Server::start_command(&data, traced(&data, &redis, &endpoint));
    limit_reading(&server).await;
    let key = reader(&server, "canary-tenant").await;
    // A busy machine may miss the deadline of one or the other question.
    let spans = wait_for("a read that Redis decides", async || {
        let spans = spans_of(&read(&server, &key).await, &collector).await;
        let is_asked = |check| one(&spans, check).attribute("ratelimit.source") == Some("redis");
        (is_asked("limit_address") && is_asked("charge_read")).then_some(spans)
    })
    .await;
    let named = |name: &str| {
        spans
            .iter()
            .filter(|span| span.name == name)
            .collect::<Vec<_>>()
    };
    // One for the address, one for the tenant, each below the check that it is for.
    let asked = named("EVALSHA");
    assert_eq!(asked.len(), 2, "{spans:#?}");
    let port = redis.port().to_string();
    for (span, check) in asked.into_iter().zip(["limit_address", "charge_read"]) {
        let checks = named(check);
        assert_eq!(span.parent, checks[0].id, "{spans:#?}");
        checks[0].assert_attributes(&[
            ("ratelimit.source", Some("redis")),
            ("ratelimit.outcome", Some("admitted")),
        ]);
        span.assert_attributes(&[
            ("db.system.name", Some("redis")),
            ("db.operation.name", Some("EVALSHA")),
            ("server.address", Some("127.0.0.1")),
            ("server.port", Some(&port)),
            ("error.type", None),
        ]);
        assert_eq!(span.kind, "SPAN_KIND_CLIENT", "{}", span.text);
        assert!(!span.text.contains("canary"), "{}", span.text);
    }
    let root = spans.iter().find(|span| span.parent.is_empty()).unwrap();
    assert_eq!(root.name, "GET /v1/leads/{id}");
    // What is asked of it in the background, for changes of API keys and for the count of processes, too.
    for operation in ["EVALSHA", "XINFO", "XADD"] {
        wait_for(operation, async || {
            let metrics = server.metrics().await;
            (*metrics.get(&durations(operation, ""))? > 0.0).then_some(())
        })
        .await;
    }

    redis.kill();
    let answer = read(&server, &key).await;
    let spans = spans_of(&answer, &collector).await;
    one(&spans, "limit_address").assert_attributes(&[("ratelimit.source", Some("fallback"))]);
    let mut questions = spans.iter().filter(|span| span.name == "EVALSHA");
    let asked = questions.next().unwrap();
    asked.assert_attributes(&[("error.type", Some("unavailable"))]);
    assert_eq!(asked.status, "STATUS_CODE_ERROR", "{}", asked.text);
    let metrics = server.metrics().await;
    assert!(metrics[&durations("EVALSHA", "unavailable")] > 0.0);
    assert!(server.terminate().success());
    assert!(!data.logs().contains("canary-password"), "{}", data.logs());
}

#[tokio::test]
async fn what_decides_instead_of_redis_is_named_and_asks_it_nothing() {
    let (collector, endpoint) = collector().await;
    let redis = Redis::start().await;
    for (counting, tier, source, outcome) in [
        // With a large burst, half of which is free all the time.
        ("lease", "enterprise", "lease", "admitted"),
        ("exact", "free", "deny_cache", "refused"),
    ] {
        let data = Data::new();
        let mut command = traced(&data, &redis, &endpoint);
        command.env("INGEST_LIMITS_COUNTING", counting);
        let server = Server::start_command(&data, command);
        limit_reading(&server).await;
        let key = server.issue_tier(source, tier, &ALL_SCOPES).await;
        let decided = wait_for(source, async || {
            for _ in 0..2 * RATE {
                read(&server, &key).await;
            }
            let spans = spans_of(&read(&server, &key).await, &collector).await;
            let mut checks = spans.iter().filter(|span| span.name == "charge_read");
            let check = checks.find(|span| span.attribute("ratelimit.source") == Some(source));
            check.cloned().map(|check| (check, spans))
        });
        let (check, spans) = decided.await;
        check.assert_attributes(&[("ratelimit.outcome", Some(outcome))]);
        let asked = spans.iter().find(|span| span.parent == check.id);
        assert!(asked.is_none(), "{asked:?}");
    }
}
