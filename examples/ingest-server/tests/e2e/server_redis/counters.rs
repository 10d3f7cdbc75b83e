//! Each metric of shared limits moves by what happened.

use std::time::Duration;

use super::fleet::{
    RATE, decisions, limit_reading, on_redis, read, reader, send, start_two, wait_for_limits,
};
use crate::{
    harness::{ALL_SCOPES, Data, Key, Samples, Server, wait_for},
    movement::assert_moved,
    programs::Redis,
};

fn end(end: &str) -> String {
    format!("ratelimit_redis_round_trips_total{{end=\"{end}\"}}")
}

fn table(what: &str, name: &str) -> String {
    format!("ratelimit_table_{what}{{table=\"{name}\"}}")
}

fn value(metrics: &Samples, name: &str) -> f64 {
    let value = metrics.get(name);
    *value.unwrap_or_else(|| panic!("{name} is not in {metrics:#?}"))
}

#[tokio::test]
async fn what_alerts_look_at_is_there_before_it_happens() {
    let redis = Redis::start().await;
    let data = Data::new();
    let mut command = on_redis(&data, &redis);
    command.env("INGEST_LIMITS_COUNTING", "lease");
    let server = Server::start_command(&data, command);
    let metrics = server.metrics().await;
    for name in ["answered", "timed_out", "failed", "crowded"].map(end) {
        assert_eq!(value(&metrics, &name), 0.0, "{name}");
    }
    for source in ["redis", "deny_cache", "fallback", "lease"] {
        for outcome in ["admitted", "refused"] {
            let labels =
                format!("policy=\"free/search\",outcome=\"{outcome}\",source=\"{source}\"");
            let name = format!("ratelimit_decisions_total{{{labels}}}");
            assert_eq!(value(&metrics, &name), 0.0);
        }
    }
    for name in [
        "ratelimit_redis_seconds_count",
        "ratelimit_breaker_state",
        "ratelimit_fallback_admitted_tokens_total",
        "ratelimit_settled_tokens_total",
        "ratelimit_lease_outstanding",
        "ratelimit_heartbeats_missed",
    ] {
        assert_eq!(value(&metrics, name), 0.0, "{name}");
    }
    for name in ["fallback", "deny_cache", "lease", "failed_api_keys"] {
        assert_eq!(value(&metrics, &table("entries", name)), 0.0, "{name}");
        let evicted = format!("ratelimit_table_evicted_total{{table=\"{name}\"}}");
        assert_eq!(value(&metrics, &evicted), 0.0, "{name}");
        let overflowed = format!("ratelimit_table_overflowed_total{{table=\"{name}\"}}");
        assert_eq!(value(&metrics, &overflowed), 0.0, "{name}");
    }
}

#[tokio::test]
async fn questions_are_counted_by_how_they_ended_and_the_cache_by_what_it_spared() {
    let redis = Redis::start().await;
    let [server, _other] = start_two(&redis, "exact").await;
    let key = reader(&server, "acme").await;
    let (before, after) = seven_in_time(&server, &key).await;
    let growth = |name: &str| {
        let value = |samples: &Samples| samples.get(name).copied().unwrap_or_default();
        value(&after) - value(&before)
    };
    // One for the address, one for the tenant.
    assert_eq!(growth(&end("answered")), 14.0);
    assert_eq!(growth("ratelimit_redis_seconds_count"), 14.0);
    assert!(value(&after, "ratelimit_redis_seconds_sum") > 0.0);
    assert_moved(
        &before,
        &after,
        [
            "ratelimit_redis_round_trips_total",
            "ratelimit_redis_seconds",
        ],
    );
    assert_eq!(growth(&decisions("admitted", "redis")), 7.0);
    wait_for("refusals that cost nothing", async || {
        for _ in 0..2 * RATE {
            read(&server, &key).await;
        }
        let metrics = server.metrics().await;
        let held = value(&metrics, &table("entries", "deny_cache"));
        let spared = metrics.get(&decisions("refused", "deny_cache"));
        (held > 0.0 && spared.is_some_and(|spared| *spared > 0.0)).then_some(())
    })
    .await;
}

/// Seven reads, and the scrapes before and after them, for which Redis kept its deadline: a machine that misses it
/// gets others to count.
async fn seven_in_time(server: &Server, key: &Key) -> (Samples, Samples) {
    let late = |samples: &Samples| value(samples, &end("timed_out"));
    for _ in 0..5 {
        let before = server.metrics().await;
        for _ in 0..7 {
            read(server, key).await;
        }
        let after = server.metrics().await;
        if late(&after) == late(&before) {
            return (before, after);
        }
    }
    panic!("this machine is too slow: Redis misses its deadline in any round");
}

#[tokio::test]
async fn an_outage_moves_the_breaker_the_fallback_and_what_is_settled() {
    for _ in 0..5 {
        let redis = Redis::start().await;
        let servers = start_two(&redis, "exact").await;
        let key = reader(&servers[0], "acme").await;
        read(&servers[0], &key).await;
        let before = servers[0].metrics().await;
        // The first failure alone is told, and has to be one of the outage.
        if value(&before, &end("timed_out")) == 0.0 {
            return assert_outage_counts(redis, &servers, &key, before).await;
        }
    }
    panic!("this machine is too slow: Redis misses its deadline before any outage");
}

async fn assert_outage_counts(mut redis: Redis, servers: &[Server], key: &Key, before: Samples) {
    let server = &servers[0];
    assert_eq!(value(&before, "ratelimit_breaker_state"), 0.0);
    redis.kill();
    for _ in 0..20 {
        read(server, key).await;
    }
    let metrics = server.metrics().await;
    assert_eq!(value(&metrics, "ratelimit_breaker_state"), 2.0);
    // A machine that is busy may be late with what fails.
    let failed = value(&metrics, &end("failed"));
    let all = failed + value(&metrics, &end("timed_out"));
    assert!(failed > 0.0 && all >= 10.0, "{metrics:#?}");
    // Twenty of the address, twenty of the tenant.
    assert_eq!(value(&metrics, &decisions("admitted", "fallback")), 20.0);
    assert_eq!(
        value(&metrics, "ratelimit_fallback_admitted_tokens_total"),
        40.0
    );
    assert!(value(&metrics, &table("entries", "fallback")) > 0.0);
    assert_moved(
        &before,
        &metrics,
        [
            "ratelimit_breaker_state",
            "ratelimit_fallback_admitted_tokens_total",
        ],
    );
    redis.restart().await;
    let settled = wait_for("a breaker that is closed and what it settles", async || {
        read(server, key).await;
        let metrics = server.metrics().await;
        let is_closed = value(&metrics, "ratelimit_breaker_state") == 0.0;
        let settled = value(&metrics, "ratelimit_settled_tokens_total");
        (is_closed && settled > 0.0).then_some(metrics)
    })
    .await;
    assert_moved(&before, &settled, ["ratelimit_settled_tokens_total"]);
    wait_for_limits(&servers[..1], "up").await;
    let logs = server.logs();
    for told in [
        "Redis did not decide",
        "Redis failed too often",
        "Redis decides again:",
    ] {
        assert_eq!(logs.matches(told).count(), 1, "{told} in {logs}");
    }
}

#[tokio::test]
async fn a_redis_that_hangs_is_counted_as_timed_out() {
    let redis = Redis::start().await;
    let data = Data::new();
    let server = Server::start_command(&data, on_redis(&data, &redis));
    limit_reading(&server).await;
    let key = reader(&server, "acme").await;
    read(&server, &key).await;
    redis.stop();
    for _ in 0..5 {
        read(&server, &key).await;
    }
    let metrics = server.metrics().await;
    redis.go_on();
    assert!(value(&metrics, &end("timed_out")) > 0.0, "{metrics:#?}");
}

#[tokio::test]
async fn tokens_that_are_taken_ahead_are_shown() {
    let redis = Redis::start().await;
    let servers = start_two(&redis, "lease").await;
    // A large burst, half of which is free all the time.
    let key = servers[0].issue("acme", &ALL_SCOPES).await;
    let before = servers[0].metrics().await;
    let sending = send(&servers[..1], &key, 100, Duration::from_secs(4));
    let looking = wait_for("tokens that are taken ahead", async || {
        let metrics = servers[0].metrics().await;
        let outstanding = value(&metrics, "ratelimit_lease_outstanding");
        let held = value(&metrics, &table("entries", "lease"));
        (outstanding > 0.0 && held > 0.0).then_some(metrics)
    });
    let (_, taken) = tokio::join!(sending, looking);
    assert_moved(&before, &taken, ["ratelimit_lease_outstanding"]);
}
