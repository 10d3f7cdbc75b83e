//! Redis is away for five seconds while two servers are flooded.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};

use super::fleet::{
    Answers, BURST, RATE, decisions, read, reader, send, start_two, sum, wait_for_limits,
};
use crate::{
    harness::{Server, wait_for},
    programs::Redis,
};

/// What is left of limits during an outage.
const FRACTION: f64 = 0.5;

/// How long a lease may be spent, in seconds.
const LIFETIME: f64 = 0.2;

/// One outage.
#[derive(Debug, Clone, Copy)]
struct Outage {
    /// From the fault until the last server counts on Redis again.
    lasted: Duration,
    /// Requests that the servers admitted by themselves before it, and with those of it.
    alone: [f64; 2],
}

/// How Redis is taken away and comes back.
trait Fault {
    fn begin(&self, redis: &mut Redis);
    async fn end(&self, redis: &mut Redis);
}

struct Killed;

impl Fault for Killed {
    fn begin(&self, redis: &mut Redis) {
        redis.kill();
    }

    async fn end(&self, redis: &mut Redis) {
        redis.restart().await;
    }
}

struct Stopped;

impl Fault for Stopped {
    fn begin(&self, redis: &mut Redis) {
        redis.stop();
    }

    async fn end(&self, redis: &mut Redis) {
        redis.go_on();
    }
}

/// Timers of 25 ms, as a question to Redis has one, that this machine took more than 50 ms for.
async fn late_timers(until: impl Fn() -> bool) -> f64 {
    let mut late = 0.0;
    while !until() {
        let began = Instant::now();
        let timers = (0..20).map(|_| tokio::time::sleep(Duration::from_millis(25)));
        futures_util::future::join_all(timers).await;
        if began.elapsed() > Duration::from_millis(50) {
            late += 20.0;
        }
    }
    late
}

async fn five_seconds_without(fault: impl Fault, counting: &str) {
    let mut redis = Redis::start().await;
    let servers = start_two(&redis, counting).await;
    let keys = [
        reader(&servers[0], "hasty").await,
        reader(&servers[0], "calm").await,
    ];
    let began = Instant::now();
    let lasting = Duration::from_secs(15);
    let away = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let before = admitted_alone(&servers).await;
        fault.begin(&mut redis);
        let since = Instant::now();
        wait_for_limits(&servers, "degraded").await;
        let left = Duration::from_secs(5).saturating_sub(since.elapsed());
        tokio::time::sleep(left).await;
        fault.end(&mut redis).await;
        wait_for_limits(&servers, "up").await;
        Outage {
            lasted: since.elapsed(),
            alone: [before, admitted_alone(&servers).await],
        }
    };
    let (flood, calm, outage, late) = tokio::join!(
        send(&servers, &keys[0], 4 * RATE, lasting),
        send(&servers, &keys[1], RATE / 5, lasting),
        away,
        late_timers(|| began.elapsed() >= lasting),
    );
    let ahead = if counting == "lease" { LIFETIME } else { 0.0 };
    assert_bounds(&servers, &flood, outage, ahead).await;
    assert_eq!(calm.admitted(), calm.all(), "{calm:?}");
    assert_waits(&servers, late).await;
    assert!(
        f64::from(flood.slow + calm.slow) <= late,
        "{flood:?} {calm:?}, {late} timers were late"
    );
    for server in &servers {
        read(server, &keys[0]).await;
        read(server, &keys[1]).await;
    }
    assert_settled(&servers).await;
}

async fn admitted_alone(servers: &[Server]) -> f64 {
    sum(servers, &decisions("admitted", "fallback")).await
}

/// The fallback's own bound, and that of the whole time; what was taken `ahead` of it, in seconds of the rate,
/// comes on top.
async fn assert_bounds(servers: &[Server], flood: &Answers, outage: Outage, ahead: f64) {
    let (burst, rate) = (f64::from(BURST), f64::from(RATE));
    let [before, with] = outage.alone;
    // The calm tenant has a bucket of its own, and a fifth of the rate.
    let of_calm = rate / 5.0 * outage.lasted.as_secs_f64() + 1.0;
    let most = FRACTION * rate.mul_add(outage.lasted.as_secs_f64(), burst) + of_calm;
    let alone = with - before;
    assert!(
        (most / 2.0..=most).contains(&alone),
        "{alone} of {most}: {outage:?}"
    );
    let took = flood.took.as_secs_f64() + ahead;
    let most = if before == 0.0 && admitted_alone(servers).await == with {
        rate.mul_add(took, burst) + FRACTION * burst
    } else {
        // The machine was too slow for Redis at other times as well.
        (1.0 + FRACTION) * rate.mul_add(took, burst)
    };
    let admitted = f64::from(flood.admitted());
    assert!(admitted <= most, "{flood:?} of {most}");
    // Refused by the limit, or by the part of it that was left; nothing else.
    let refused = flood.number(StatusCode::TOO_MANY_REQUESTS);
    let reduced = flood.number(StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused > 0 && reduced > 0, "{flood:?}");
    assert_eq!(
        flood.admitted() + refused + reduced,
        flood.all(),
        "{flood:?}"
    );
}

/// No question to Redis took 50 ms, as far as this machine was on time.
async fn assert_waits(servers: &[Server], late: f64) {
    let all = sum(servers, "ratelimit_redis_seconds_count").await;
    let within = sum(servers, "ratelimit_redis_seconds_bucket{le=\"0.05\"}").await;
    assert!(
        all - within <= late,
        "{within} of {all}, {late} timers were late"
    );
}

/// What was admitted meanwhile is told to Redis by what comes next.
async fn assert_settled(servers: &[Server]) {
    for server in servers {
        let metrics = server.metrics().await;
        let admitted = metrics["ratelimit_fallback_admitted_tokens_total"];
        let settled = metrics["ratelimit_settled_tokens_total"];
        assert!(admitted > 0.0 && settled > 0.0, "{settled} of {admitted}");
        assert!(settled <= admitted, "{settled} of {admitted}");
    }
}

#[tokio::test]
async fn both_servers_go_on_while_redis_is_killed_and_settle_afterwards() {
    five_seconds_without(Killed, "exact").await;
}

#[tokio::test]
async fn both_servers_go_on_with_leases_while_redis_is_killed_and_settle_afterwards() {
    five_seconds_without(Killed, "lease").await;
}

#[tokio::test]
async fn both_servers_go_on_while_redis_hangs_and_settle_afterwards() {
    five_seconds_without(Stopped, "exact").await;
}

#[tokio::test]
async fn a_refusal_of_the_reduced_limit_says_that_the_service_is_to_blame() {
    let mut redis = Redis::start().await;
    let servers = start_two(&redis, "exact").await;
    let server = &servers[0];
    let key = reader(server, "acme").await;
    redis.kill();
    let mut answers = 0;
    let refused = loop {
        let answer = read(server, &key).await;
        if answer.status() != StatusCode::NOT_FOUND {
            break answer;
        }
        answers += 1;
        assert!(answers < BURST, "the whole of the limit was there");
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(wait >= 1);
    let problem: serde_json::Value = refused.json().await.unwrap();
    let kind = problem["type"].as_str().unwrap();
    assert!(kind.ends_with("#temporary-reduced-capacity"), "{problem}");
    assert_eq!(problem["status"], 503);
    assert_eq!(problem["reason"], "capacity.limits_reduced");
    assert_eq!(problem["violated-policies"].as_array().unwrap().len(), 1);
    let metrics = server.metrics().await;
    let counted: f64 = metrics
        .iter()
        .filter(|(name, _)| name.starts_with("dq_rejected_total"))
        .filter(|(name, _)| name.contains("capacity.limits_reduced"))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(counted, 0.0, "a read is no event");
}

#[tokio::test]
async fn what_else_the_service_does_goes_on_without_redis() {
    let mut redis = Redis::start().await;
    let servers = start_two(&redis, "exact").await;
    let [first, second] = &servers;
    let key = reader(first, "acme").await;
    assert_eq!(read(second, &key).await.status(), StatusCode::NOT_FOUND);
    redis.kill();
    let lead = serde_json::json!({ "email": "a@b.example" });
    let writer = first.issue("acme", &["leads:write"]).await;
    second.lead(&writer, &lead).await;
    let revoke = first.admin(Method::DELETE, &format!("/admin/api-keys/{}", key.kid));
    assert_eq!(
        revoke.send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    wait_for("a revocation on the other server", async || {
        (read(second, &key).await.status() == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    for server in servers {
        assert!(server.terminate().success());
    }
}
