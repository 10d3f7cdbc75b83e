//! Requirements that other programs have a part in: Redis, a collector, OpenBao, and AWS as moto plays it.

use std::collections::BTreeSet;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    collected::{spans, whole_trace},
    harness::{ALL_SCOPES, Data, Key, Server, page_view, readiness, wait_for},
    programs::{Redis, collector},
    tier_limits::limit_for_good,
};

async fn read(server: &Server, key: &Key) -> Response {
    let path = "/v1/leads/01890a5d-ac96-774b-bcce-b302099a8057";
    server.request(Method::GET, path, key).send().await.unwrap()
}

fn on_redis(data: &Data, redis: &Redis, nodes: &str) -> Server {
    let mut command = data.command();
    command.env("INGEST_REDIS_URL", redis.url());
    command.env("INGEST_LIMITS_NODES", nodes);
    Server::start_command(data, command)
}

async fn wait_for_limits(server: &Server, state: &str) {
    wait_for(state, async || {
        (readiness(server).await.1["limits"]["state"] == state).then_some(())
    })
    .await;
}

/// With Redis all processes count together: what one admitted is not admitted by another.
///
/// Also: `e2e::server_redis::shared::exact_admits_the_burst_and_the_rate_within_three_percent`,
/// `e2e::server_redis::shared::what_one_server_admits_counts_on_the_other`.
#[tokio::test]
async fn r2_2_processes_that_share_a_redis_share_the_limits() {
    let (redis, data) = (Redis::start().await, Data::new());
    let servers = [on_redis(&data, &redis, "2"), on_redis(&data, &redis, "2")];
    limit_for_good(&servers[0], [("read", 10)]).await;
    // The other one is told within two seconds.
    let is_told = async || {
        let limits = servers[1].admin(Method::GET, "/admin/limits").send().await;
        let limits: Value = limits.unwrap().json().await.unwrap();
        let read = &limits["policies"]["tier"]["free"]["category"]["read"]["tenant"]["burst"];
        (*read == 10).then_some(())
    };
    wait_for("limits on both", is_told).await;
    for server in &servers {
        wait_for_limits(server, "up").await;
    }
    let key = servers[0].issue_tier("small", "free", &ALL_SCOPES).await;
    let mut statuses = Vec::new();
    for n in 0..30 {
        statuses.push(read(&servers[n % 2], &key).await.status());
    }
    let passed = statuses.iter().filter(|it| **it == StatusCode::NOT_FOUND);
    let passed = f64::from(u32::try_from(passed.count()).unwrap());
    // What a server decided for itself, since Redis missed its deadline, is beside that.
    let mut alone = [0.0, 0.0];
    for server in &servers {
        let metrics = server.metrics().await;
        for (sum, outcome) in alone.iter_mut().zip(["admitted", "refused"]) {
            let labels = format!("policy=\"free/read\",outcome=\"{outcome}\",source=\"fallback\"");
            let decisions = metrics.get(&format!("ratelimit_decisions_total{{{labels}}}"));
            *sum += decisions.copied().unwrap_or_default();
        }
    }
    assert!(passed - alone[0] <= 10.0, "{statuses:?}, {alone:?} alone");
    if alone == [0.0, 0.0] {
        assert_eq!(passed, 10.0, "{statuses:?}");
    }
}

/// Without Redis each process goes on by itself, with a share of half of each limit, and says so.
///
/// Also: `e2e::server_redis::outage::both_servers_go_on_while_redis_is_killed_and_settle_afterwards`,
/// `e2e::server_redis::faults::a_server_that_comes_up_later_is_found`.
#[tokio::test]
async fn r2_3_without_redis_half_of_each_limit_is_admitted() {
    let (mut redis, data) = (Redis::start().await, Data::new());
    let server = on_redis(&data, &redis, "2");
    limit_for_good(&server, [("read", 40)]).await;
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    redis.kill();
    wait_for_limits(&server, "degraded").await;
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(read(&server, &key).await.status());
    }
    let number = |status| statuses.iter().filter(|it| **it == status).count();
    // Half of 40, and of that the share of one process of two.
    let passed = number(StatusCode::NOT_FOUND);
    assert!((1..=10).contains(&passed), "{statuses:?}");
    assert_eq!(
        passed + number(StatusCode::SERVICE_UNAVAILABLE),
        40,
        "{statuses:?}"
    );
    assert_eq!(readiness(&server).await.0, StatusCode::OK);
}

fn traced(data: &Data, endpoint: &str, ratio: &str) -> Server {
    let mut command = data.command();
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("INGEST_TRACE_SAMPLE_RATIO", ratio);
    Server::start_command(data, command)
}

fn trace_of(answer: &Response) -> String {
    answer.headers()["x-trace-id"].to_str().unwrap().to_owned()
}

/// Each request has a trace of its stages, which reaches a collector under the id that the answer has.
///
/// Also: `e2e::server_traces::spans_logs_and_answers_name_the_same_trace_and_hold_no_personal_data`,
/// `e2e::server_decisions::a_check_of_limits_says_who_decided_what_it_cost_and_when_to_come_back`.
#[tokio::test]
async fn r4_1_a_request_has_a_trace_of_its_stages() {
    let (collector, endpoint) = collector().await;
    let server = traced(&Data::new(), &endpoint, "1");
    let key = server.issue("acme", &ALL_SCOPES).await;
    let answer = server
        .post("/v1/events", &key, &page_view(1))
        .send()
        .await
        .unwrap();
    let trace = trace_of(&answer);
    let found = wait_for("the trace", async || {
        whole_trace(&collector.output(), &trace)
    })
    .await;
    let names: BTreeSet<_> = found.iter().map(|span| span.name.as_str()).collect();
    for stage in [
        "authenticate",
        "charge_request",
        "parse",
        "validate",
        "store",
    ] {
        assert!(names.contains(stage), "{stage} in {names:?}");
    }
}

/// Of 100 traces 1 to 5 are exported, as it is set, and each that ends in an error.
///
/// Also: `e2e::moved::a_trace_that_is_kept_at_its_end_is_counted`,
/// `e2e::server_statements::the_duration_of_a_request_has_its_trace_as_an_exemplar`.
#[tokio::test]
async fn r4_3_few_traces_are_sampled_and_each_with_an_error() {
    let (collector, endpoint) = collector().await;
    let data = Data::new();
    let server = traced(&data, &endpoint, "0.05");
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut traces = BTreeSet::new();
    for id in 0..300 {
        let answer = server
            .post("/v1/events", &key, &page_view(id))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        traces.insert(trace_of(&answer));
    }
    let break_it = sqlx::query("ALTER TABLE event RENAME TO gone");
    break_it.execute(&mut data.connect().await).await.unwrap();
    let failed = server
        .post("/v1/events", &key, &page_view("failed"))
        .send()
        .await
        .unwrap();
    assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
    let failed = trace_of(&failed);
    wait_for("the trace with an error", async || {
        whole_trace(&collector.output(), &failed)
    })
    .await;
    // The last span that is printed is not read to its end; those before it are all there. Of 300 some 15 are chosen;
    // others were slow, which the metric tells from those.
    let slow = server.metrics().await[r#"telemetry_tail_kept_total{reason="slow"}"#];
    let kept: BTreeSet<_> = spans(&collector.output())
        .into_iter()
        .map(|span| span.trace)
        .filter(|trace| traces.contains(trace))
        .collect();
    let kept = f64::from(u32::try_from(kept.len()).unwrap());
    assert!(
        kept >= 1.0 && kept <= 45.0 + slow,
        "{kept} kept, {slow} slow"
    );
}

/// Secrets may be in Vault and keys wrapped by its transit engine, which is a choice.
///
/// Also: `e2e::server_vault::the_service_starts_from_vault_and_outlives_it`,
/// `e2e::server_runbook::kek_providers::data_keys_move_from_one_provider_to_the_next_and_back`.
#[cfg(feature = "vault")]
#[tokio::test]
async fn r7_4_secrets_and_keys_may_be_in_vault() {
    use crate::server_vault::{Bao, secrets};
    let (bao, data) = (Bao::start().await, Data::new());
    let [(_, token), ..] = data.random_secrets();
    bao.put(&secrets(&data, &token));
    let mut server = Server::start_command(&data, bao.command(&data));
    server.use_token(&token);
    assert_lead_is_kept(&server).await;
}

/// Secrets may be in AWS Secrets Manager and keys wrapped by AWS KMS, which is a choice.
///
/// Also: `e2e::server_aws::the_service_starts_from_aws_and_outlives_it`,
/// `e2e::server_runbook::kek_providers::data_keys_move_from_one_provider_to_the_next_and_back`.
#[cfg(feature = "aws-kms")]
#[tokio::test]
async fn r7_5_secrets_and_keys_may_be_in_aws() {
    use crate::server_aws::{Moto, secrets};
    let (moto, data) = (Moto::start().await, Data::new());
    let key = moto.key().await;
    let [(_, token), ..] = data.random_secrets();
    let secrets = secrets(&data, &token);
    moto.put("CreateSecret", "Name", &secrets).await;
    let mut server = Server::start_command(&data, moto.command(&data, &key));
    server.use_token(&token);
    assert_lead_is_kept(&server).await;
}

/// A lead comes back that was sealed under a data key which this process did not wrap itself.
async fn assert_lead_is_kept(server: &Server) {
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server
        .lead(&key, &json!({ "email": "ada@example.com" }))
        .await;
    let opened: Value = server.read_lead(&key, &lead).await.json().await.unwrap();
    assert_eq!(opened["email"], "ada@example.com");
    let local = "SELECT count(*) FROM keyring_data_key WHERE substr(hex(wrapped), 1, 4) = 'FA01'";
    let local: i64 = sqlx::query_scalar(local)
        .fetch_one(&mut server.data().connect().await)
        .await
        .unwrap();
    assert_eq!(local, 0, "no key is wrapped by the process itself");
}
