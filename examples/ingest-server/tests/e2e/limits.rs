//! A tenant over its limit waits; nobody else notices.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Server, page_view},
    tier_limits::limit_for_good,
};

#[tokio::test]
async fn a_tenant_over_its_limit_gets_429_while_another_passes() {
    let server = Server::start();
    limit_for_good(&server, [("ingest", 20)]).await;
    let free = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let other = server.issue_tier("large", "standard", &ALL_SCOPES).await;

    let mut refused = 0;
    for n in 0..60 {
        let answer = server
            .post("/v1/events", &free, &page_view(n))
            .send()
            .await
            .unwrap();
        let fields = answer.headers().clone();
        assert!(fields.contains_key("ratelimit"), "{fields:?}");
        assert!(fields.contains_key("ratelimit-policy"), "{fields:?}");
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            let retry = fields["retry-after"]
                .to_str()
                .unwrap()
                .parse::<u64>()
                .unwrap();
            assert!(retry >= 1);
            assert_eq!(fields["content-type"], "application/problem+json");
            let problem: Value = answer.json().await.unwrap();
            assert!(
                problem["type"]
                    .as_str()
                    .unwrap()
                    .ends_with("#quota-exceeded"),
                "{problem}"
            );
            assert_eq!(problem["status"], 429);
            assert!(
                !problem["violated-policies"].as_array().unwrap().is_empty(),
                "{problem}"
            );
            refused += 1;
        } else {
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
        }
        let answer = server
            .post("/v1/events", &other, &page_view(n))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    assert_eq!(refused, 40);

    let answer = server
        .admin(Method::GET, "/admin/limits")
        .send()
        .await
        .unwrap();
    let limited: Value = answer.json().await.unwrap();
    assert_eq!(limited["limited"][0]["tenant"], "small", "{limited}");
    assert_eq!(limited["limited"].as_array().unwrap().len(), 1, "{limited}");
    assert_eq!(limited["limited"][0]["refusals"], refused);
}

#[tokio::test]
async fn a_batch_costs_its_events_and_reading_has_limits_of_its_own() {
    let server = Server::start();
    limit_for_good(&server, [("ingest", 20), ("read", 10)]).await;
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let batch: Value = (0..15).map(page_view).collect();
    let answer = server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let batch: Value = (15..30).map(page_view).collect();
    let answer = server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    // Reading is counted apart, and refused apart.
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let request = server.request(Method::GET, "/v1/leads?email=a@b.example", &key);
        let answer = request.send().await.unwrap();
        for field in ["ratelimit", "ratelimit-policy"] {
            assert!(answer.headers().contains_key(field), "{answer:?}");
        }
        statuses.push(answer.status());
    }
    let [taken, refused] = [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS];
    assert_eq!(statuses, [[taken; 10].as_slice(), &[refused; 30]].concat());
}

#[tokio::test]
async fn limits_can_be_replaced_while_the_service_runs() {
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let policies = json!({ "client-address": { "per-hour": 1, "burst": 2 } });
    let nonsense = json!({ "tiers": 7 });
    let put = |body: Value| {
        server
            .admin(Method::PUT, "/admin/limits")
            .json(&body)
            .send()
    };
    assert_eq!(
        put(nonsense).await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
    let answer = put(policies).await.unwrap();
    assert_eq!(
        answer.status(),
        StatusCode::NO_CONTENT,
        "{}",
        answer.text().await.unwrap()
    );
    let mut statuses = Vec::new();
    for n in 0..3 {
        let answer = server
            .post("/v1/events", &key, &page_view(n))
            .send()
            .await
            .unwrap();
        statuses.push(answer.status());
    }
    // Tiers that were not given keep their limits: they do not lose the service.
    let expected = [
        StatusCode::ACCEPTED,
        StatusCode::ACCEPTED,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    assert_eq!(statuses, expected);
}
