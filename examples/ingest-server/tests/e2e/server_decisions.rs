//! What was decided about a request stands in its trace: how its key was checked, what its limits said, and
//! what was sealed and opened of it. In production, so that no attribute is hidden for its name.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    collected::Span,
    counters::forge,
    harness::{ALL_SCOPES, Data, Key, page_view},
    tier_limits::limit_for_good,
    traced::{Traced, one},
};

#[tokio::test]
async fn a_key_that_is_checked_says_what_answered_and_what_came_of_it() {
    let data = Data::new();
    let traced = Traced::start_on(&data).await;
    let server = &traced.server;
    let key = server.issue("acme", &ALL_SCOPES).await;
    let writer = server.issue("acme", &["leads:write"]).await;
    let forged = Key {
        kid: String::new(),
        text: forge(&key.text),
    };
    let revoked = server.issue("acme", &ALL_SCOPES).await;
    let delete = server.admin(Method::DELETE, &format!("/admin/api-keys/{}", revoked.kid));
    assert_eq!(
        delete.send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let post = |key| server.post("/v1/events", key, &page_view(1));
    let memory = Some("memory");
    // It is loaded by the first that brings it.
    traced.send(post(&key)).await;
    traced.send(post(&writer)).await;
    for (request, outcome, source) in [
        (post(&key), "accepted", memory),
        (post(&writer), "scope_missing", memory),
        (post(&forged), "wrong_secret", memory),
        (post(&revoked), "revoked", Some("store")),
        (post(&revoked), "revoked", Some("negative")),
    ] {
        let (_, spans) = traced.send(request).await;
        let expected = [("apikey.outcome", Some(outcome)), ("apikey.source", source)];
        one(&spans, "authenticate").assert_attributes(&expected);
    }
    let client = reqwest::Client::new();
    let request = || client.post(server.public_url("/v1/events"));
    for (request, outcome) in [
        (request(), "missing"),
        (request().bearer_auth("no key"), "malformed"),
    ] {
        let (answer, spans) = traced.send(request).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let expected = [("apikey.outcome", Some(outcome)), ("apikey.source", None)];
        one(&spans, "authenticate").assert_attributes(&expected);
        let slowed = [
            ("ratelimit.outcome", Some("admitted")),
            ("ratelimit.policy", Some("client-address")),
        ];
        one(&spans, "limit_failed_attempts").assert_attributes(&slowed);
    }
    let output = traced.collector.output();
    for key in [&key, &writer, &forged, &revoked] {
        let (_, secret) = key.text.split_at(key.text.len() - 20);
        assert!(!output.contains(secret), "a key in a span");
    }
}

#[tokio::test]
async fn a_check_of_limits_says_who_decided_what_it_cost_and_when_to_come_back() {
    let data = Data::new();
    let traced = Traced::start_on(&data).await;
    let server = &traced.server;
    // A batch of 15 leaves 5, and a second one is refused whole.
    limit_for_good(server, [("ingest", 20)]).await;
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let batch = |from: u32| -> Value { (from..from + 15).map(page_view).collect() };
    let (answer, spans) = traced
        .send(server.post("/v1/events", &key, &batch(0)))
        .await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    for (span, policy, cost) in [
        ("limit_address", "client-address", "1"),
        ("charge_request", "free/ingest", "1"),
        ("charge_content", "free/ingest", "14"),
    ] {
        one(&spans, span).assert_attributes(&[
            ("ratelimit.outcome", Some("admitted")),
            ("ratelimit.source", Some("memory")),
            ("ratelimit.policy", Some(policy)),
            ("ratelimit.cost", Some(cost)),
            ("ratelimit.limit", None),
            ("ratelimit.retry_after_seconds", None),
        ]);
    }
    let (answer, spans) = traced
        .send(server.post("/v1/events", &key, &batch(15)))
        .await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let retry_after = answer.headers()["retry-after"].to_str().unwrap().to_owned();
    let refused = spans
        .iter()
        .find(|span| span.attribute("ratelimit.outcome") == Some("refused"))
        .unwrap_or_else(|| panic!("{spans:#?}"));
    refused.assert_attributes(&[
        ("ratelimit.policy", Some("free/ingest")),
        ("ratelimit.source", Some("memory")),
        ("ratelimit.limit", Some("category")),
        ("ratelimit.retry_after_seconds", Some(&retry_after)),
    ]);

    let reads = server.request(Method::GET, "/v1/leads?email=a%40b.example", &key);
    let (answer, spans) = traced.send(reads).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for (span, policy, cost) in [
        ("charge_read", "free/read", "1"),
        ("charge_search", "free/search", "1"),
        ("charge_found", "free/read", "0"),
    ] {
        one(&spans, span).assert_attributes(&[
            ("ratelimit.policy", Some(policy)),
            ("ratelimit.cost", Some(cost)),
        ]);
    }
    let (_, spans) = traced
        .send(server.admin(Method::GET, "/admin/limits"))
        .await;
    one(&spans, "limit_operator").assert_attributes(&[("ratelimit.outcome", Some("admitted"))]);
}

#[tokio::test]
async fn each_charge_of_a_request_has_a_span_of_its_own() {
    let data = Data::new();
    let traced = Traced::start_on(&data).await;
    let server = &traced.server;
    let assert_charged = |spans: &[Span], name: &str, policy: &str, cost: &str| {
        one(spans, name).assert_attributes(&[
            ("ratelimit.outcome", Some("admitted")),
            ("ratelimit.policy", Some(policy)),
            ("ratelimit.cost", Some(cost)),
        ]);
    };
    let key = server.issue("acme", &ALL_SCOPES).await;
    let (answer, _) = traced
        .send(server.post("/v1/leads", &key, &json!({ "email": "canary@b.example" })))
        .await;
    let lead: Value = answer.json().await.unwrap();
    let path = format!("/v1/leads/{}", lead["id"].as_str().unwrap());
    let erase = server.request(Method::DELETE, &path, &key);
    let (answer, spans) = traced.send(erase.header("x-access-reason", "test")).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    assert_charged(&spans, "charge_erasure", "enterprise/ingest", "1");

    let event = |name: &str| {
        json!({
            "type": "lead.created", "source": "test/crm", "id": "1",
            "data": { "email": "canary@b.example", "name": name }
        })
    };
    traced
        .send(server.post("/v1/events", &key, &event("Q7x")))
        .await;
    let (answer, spans) = traced
        .send(server.post("/v1/events", &key, &event("Q7y")))
        .await;
    assert_eq!(answer.json::<Value>().await.unwrap()["duplicates"], 1);
    assert_charged(&spans, "charge_conflict", "enterprise/search", "1");

    // The limits are looked at again before much is worked on, and all of it is charged: 4 KiB a token, on credit.
    let small = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let spaces = " ".repeat(21 * 4_096);
    let body = format!("{}{spaces}", page_view(1));
    let request = server.request(Method::POST, "/v1/events", &small);
    let request = request
        .header("content-type", "application/json")
        .body(body);
    let (answer, spans) = traced.send(request).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_charged(&spans, "charge_body", "free/ingest", "0");
    assert_charged(&spans, "charge_content", "free/ingest", "21");
}

#[tokio::test]
async fn sealing_and_opening_say_how_much_of_which_kinds_under_which_keys() {
    let data = Data::new();
    let lead =
        json!({ "email": "canary@b.example", "phone": "+442079460958", "name": "Canary Q7x" });
    let fresh = |email: &str| json!({ "email": email, "phone": "+442079460959", "name": "Q7x" });
    let traced = Traced::start_on(&data).await;
    let key = traced.server.issue("acme", &ALL_SCOPES).await;
    let post = |body: &Value| traced.server.post("/v1/leads", &key, body);
    let (answer, _) = traced.send(post(&lead)).await;
    let id: Value = answer.json().await.unwrap();
    let id = id["id"].as_str().unwrap().to_owned();
    let (_, spans) = traced.send(post(&fresh("canary2@b.example"))).await;
    one(&spans, "seal").assert_attributes(&[
        ("pii.values", Some("3")),
        ("pii.keys_cached", Some("3")),
        ("pii.keys_unwrapped", Some("0")),
        ("pii.failed_values", None),
        ("pii.outcome", Some("ok")),
    ]);
    let (_, spans) = traced
        .send(traced.server.post("/v1/events", &key, &page_view(1)))
        .await;
    one(&spans, "seal").assert_attributes(&[
        ("pii.values", Some("0")),
        ("pii.kinds", None),
        ("pii.outcome", Some("ok")),
    ]);
    assert!(traced.server.terminate().success());

    // A new process has none of the keys in memory.
    let traced = Traced::start_on(&data).await;
    let path = format!("/v1/leads/{id}");
    let read = || {
        let request = traced.server.request(Method::GET, &path, &key);
        request.header("x-access-reason", "test")
    };
    let (_, spans) = traced.send(read()).await;
    let opened = one(&spans, "open");
    opened.assert_attributes(&[
        ("pii.values", Some("3")),
        ("pii.keys_cached", Some("0")),
        ("pii.keys_unwrapped", Some("3")),
        ("pii.outcome", Some("ok")),
    ]);
    let mut kinds: Vec<_> = opened.attribute("pii.kinds").unwrap().split(',').collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["email", "name", "phone"]);
    sqlx::query("UPDATE lead SET phone_enc = x'00' WHERE id = ?")
        .bind(&id)
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let (_, spans) = traced.send(read()).await;
    let opened = one(&spans, "open");
    opened.assert_attributes(&[
        ("pii.values", Some("3")),
        ("pii.failed_values", Some("1")),
        ("pii.outcome", Some("rejected")),
    ]);
    assert_eq!(opened.status, "STATUS_CODE_ERROR", "{}", opened.text);
}
