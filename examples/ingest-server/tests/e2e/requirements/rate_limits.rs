//! Requirements 2: limits of rates.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Key, Server, page_view},
    tier_limits::{limit, limit_for_good},
};

async fn send(server: &Server, key: &Key, id: u32) -> reqwest::Response {
    let request = server.post("/v1/events", key, &page_view(id));
    request.send().await.unwrap()
}

/// Each tenant has buckets of its own: who uses up theirs takes nothing from another.
///
/// Also: `e2e::limits::a_tenant_over_its_limit_gets_429_while_another_passes`,
/// `e2e::limits::limits_can_be_replaced_while_the_service_runs`.
#[tokio::test]
async fn r2_1_each_tenant_has_buckets_of_its_own() {
    let server = Server::start();
    limit_for_good(&server, [("ingest", 5)]).await;
    for tenant in ["acme", "globex"] {
        let key = server.issue_tier(tenant, "free", &ALL_SCOPES).await;
        for id in 0..7 {
            let expected = if id < 5 {
                StatusCode::ACCEPTED
            } else {
                StatusCode::TOO_MANY_REQUESTS
            };
            assert_eq!(
                send(&server, &key, id).await.status(),
                expected,
                "{id} of {tenant}"
            );
        }
    }
}

/// What is refused is 429 with `RateLimit`, `RateLimit-Policy` and `Retry-After`, and names the limit.
///
/// Also: `e2e::debt::a_batch_above_the_burst_is_owed_in_full_and_the_answers_say_so`.
#[tokio::test]
async fn r2_4_a_refusal_says_which_limit_and_when_to_come_back() {
    let server = Server::start();
    limit(&server, "ingest", json!({ "per-second": 1, "burst": 1 })).await;
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    // A second may pass between two.
    let mut refused = send(&server, &key, 0).await;
    for id in 1..100 {
        if refused.status() == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        refused = send(&server, &key, id).await;
    }
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    for field in ["ratelimit", "ratelimit-policy", "retry-after"] {
        assert!(
            refused.headers().contains_key(field),
            "{field} in {refused:?}"
        );
    }
    let seconds: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    let problem: Value = refused.json().await.unwrap();
    assert!(
        !problem["violated-policies"].as_array().unwrap().is_empty(),
        "{problem}"
    );
}

/// Of several limits all are charged or none, what is above a burst is owed, and operators see who was refused most.
///
/// Also: `e2e::debt::no_mix_of_batches_gets_in_more_than_the_rate`,
/// `e2e::counters::a_shadow_limit_refuses_nothing_and_counts_what_it_would_have_refused`.
#[tokio::test]
async fn r2_5_all_limits_are_charged_or_none_and_operators_see_who_is_refused() {
    let server = Server::start();
    let burst = |burst: u32| json!({ "per-hour": 1, "burst": burst });
    let read = json!({ "tenant": burst(5), "key": burst(2) });
    let policies = json!({ "tier": { "free": { "category": { "read": read } } } });
    let put = server.admin(Method::PUT, "/admin/limits").json(&policies);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    // Had what the limit of a key refused been charged to the tenant, the last key would get nothing.
    for (key, passes) in [("first", 2), ("second", 2), ("third", 1)] {
        let issued = server.issue_tier("small", "free", &ALL_SCOPES).await;
        let mut passed = 0;
        for _ in 0..6 {
            let path = "/v1/leads/01890a5d-ac96-774b-bcce-b302099a8057";
            let answer = server.request(Method::GET, path, &issued).send().await;
            passed += u32::from(answer.unwrap().status() == StatusCode::NOT_FOUND);
        }
        assert_eq!(passed, passes, "of the {key} key");
    }
    let limits = server.admin(Method::GET, "/admin/limits").send().await;
    let limits: Value = limits.unwrap().json().await.unwrap();
    let most = &limits["limited"][0];
    assert_eq!(
        (&most["tenant"], &most["refusals"]),
        (&json!("small"), &json!(13))
    );
}
