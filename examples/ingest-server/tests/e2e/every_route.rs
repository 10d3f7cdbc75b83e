//! What holds on every route of both listeners: queries, methods, other sites, the form of JSON.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ADMIN_TOKEN, ALL_SCOPES, Server, page_view},
    raw::{Raw, ask},
    recorded_routes::ample_limits,
};

#[tokio::test]
async fn a_query_has_known_parameters_once_each() {
    let server = Server::start();
    let limits = server.admin(Method::PUT, "/admin/limits");
    let limits = limits.json(&ample_limits()).send().await.unwrap();
    assert_eq!(limits.status(), StatusCode::NO_CONTENT);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let public = |method, path: &str| server.request(method, path, &key);
    let admin = |method, path: &str| server.admin(method, path);
    let event = page_view(1);
    let lead = json!({ "email": "a@b.example" });
    for (request, parts) in [
        (
            public(Method::GET, "/v1/leads?shoe=canary7Q"),
            vec!["`shoe`", "`email`", "`after`"],
        ),
        (
            public(Method::GET, "/v1/leads?email=a@b.example&email=a@b.example"),
            vec!["`email`", "more than once"],
        ),
        (
            public(Method::GET, "/v1/leads?email=a@b.example&after=1&after=2"),
            vec!["`after`", "more than once"],
        ),
        (
            public(Method::GET, "/v1/leads?email=canary7Q%"),
            vec!["`email`", "percent-encoding"],
        ),
        (
            public(Method::GET, "/v1/leads?email=canary7Q%4x"),
            vec!["`email`", "percent-encoding"],
        ),
        (
            public(Method::GET, "/v1/leads?phone=canary7Q%FF"),
            vec!["`phone`", "percent-encoding"],
        ),
        (
            public(Method::GET, "/v1/leads?email=a+canary7Q@b.example"),
            vec!["`email`", "%2B"],
        ),
        (
            public(Method::GET, "/v1/leads?email=a%20canary7Q@b.example"),
            vec!["`email`", "%2B"],
        ),
        (
            public(Method::GET, "/v1/leads?email=+a@b.example"),
            vec!["`email`", "%2B"],
        ),
        (
            public(Method::GET, "/v1/leads?phone=+14155552671"),
            vec!["`phone`", "%2B"],
        ),
        (
            public(Method::GET, "/v1/leads/none?shoe=canary7Q"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            public(Method::POST, "/v1/events?shoe=canary7Q").json(&event),
            vec!["`shoe`", "no parameter"],
        ),
        (
            public(Method::POST, "/v1/leads?canary7Q=1").json(&lead),
            vec!["a parameter", "`on_conflict`"],
        ),
        (
            public(Method::POST, "/v1/leads?on_conflict=canary7Q").json(&lead),
            vec!["`on_conflict`", "`update`"],
        ),
        (
            public(Method::PATCH, "/v1/leads/none?shoe=canary7Q").json(&lead),
            vec!["`shoe`", "no parameter"],
        ),
        (
            public(Method::DELETE, "/v1/leads/none?shoe=canary7Q"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            public(Method::GET, "/v1/status?shoe=canary7Q"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/healthz?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/health?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/readyz?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/metrics?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/limits?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::PUT, "/admin/limits?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/slo?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/detection?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::PUT, "/admin/detection?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/api-keys?shoe=1"),
            vec!["`shoe`", "`tenant`", "`after`", "`limit`"],
        ),
        (
            admin(Method::GET, "/admin/api-keys?limit=1&limit=2"),
            vec!["`limit`", "more than once"],
        ),
        (
            admin(Method::GET, "/admin/api-keys?limit=canary7Q"),
            vec!["`limit`"],
        ),
        (
            admin(Method::POST, "/admin/api-keys?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/api-keys/none?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::DELETE, "/admin/api-keys/none?shoe=1"),
            vec!["`shoe`", "`wait`"],
        ),
        (
            admin(Method::DELETE, "/admin/api-keys/none?wait=canary7Q"),
            vec!["`wait`", "`effective`"],
        ),
        (
            admin(Method::GET, "/admin/cache?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/cache?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/cache/invalidate?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/keys?shoe=1"),
            vec!["`shoe`", "`tenant`", "`purpose`", "`state`", "`limit`"],
        ),
        (
            admin(Method::GET, "/admin/keys?limit=canary7Q"),
            vec!["`limit`"],
        ),
        (
            admin(Method::POST, "/admin/keys/rotate?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/keys/rewrap?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/keys/verify?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/keys/none/disable?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/keys/none/destroy?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/keys/none/restore?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/reencryption?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/reencryption?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/index?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/index/rotate?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/index/abandon?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/erasures?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/api-keys/none/rotate?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/audit/events/0/proof?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/audit/report?from=2026-01-01&shoe=1"),
            vec!["`shoe`", "`from`", "`to`", "`format`"],
        ),
        (
            admin(Method::GET, "/admin/audit/report?to=2026-01-01"),
            vec!["`from`", "must be there"],
        ),
        (
            admin(Method::GET, "/admin/audit/report?from=canary7Q"),
            vec!["`from`", "RFC 3339"],
        ),
        (
            admin(
                Method::GET,
                "/admin/audit/report?from=2026-01-02&to=2026-01-01",
            ),
            vec!["`to`", "later"],
        ),
        (
            admin(
                Method::GET,
                "/admin/audit/report?from=2026-01-01&format=canary7Q",
            ),
            vec!["`format`", "markdown"],
        ),
        (
            admin(Method::GET, "/admin/audit/stream?shoe=1"),
            vec!["`shoe`", "`tenant`", "`outcome`"],
        ),
        (
            admin(Method::GET, "/admin/audit/stream?outcome=canary7Q"),
            vec!["`outcome`", "success"],
        ),
        (
            admin(Method::GET, "/admin/audit/stream").header("last-event-id", "canary7Q"),
            vec!["`Last-Event-ID`"],
        ),
        (
            admin(Method::GET, "/admin/audit/stream").header("last-event-id", "1000000"),
            vec!["`Last-Event-ID`"],
        ),
        (
            admin(Method::POST, "/admin/audit/verify?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/audit/findings/0/close?shoe=1"),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::POST, "/admin/audit/erasures?shoe=1").json(&json!({})),
            vec!["`shoe`", "no parameter"],
        ),
        (
            admin(Method::GET, "/admin/audit/erasures?shoe=1"),
            vec!["`shoe`", "`limit`", "`cursor`"],
        ),
        (
            admin(Method::GET, "/admin/quality?shoe=1"),
            vec!["`shoe`", "`tenant`"],
        ),
        (
            admin(Method::GET, "/admin/quality?tenant=canary7Q&tenant=b"),
            vec!["`tenant`", "more than once"],
        ),
        (
            admin(Method::GET, "/admin/quality/report?tenant=%ff"),
            vec!["`tenant`", "percent-encoding"],
        ),
        (
            admin(Method::GET, "/admin/quality/samples?tenan=a"),
            vec!["`tenan`", "`tenant`"],
        ),
    ] {
        let answer = request.send().await.unwrap();
        let place = answer.url().clone();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{place}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains("canary7Q"), "{place}: {text}");
        let problem: Value = serde_json::from_str(&text).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            parts.iter().all(|part| detail.contains(part)),
            "{place}: {detail}"
        );
    }
    // A plus that is written as one finds the lead.
    server
        .lead(
            &key,
            &json!({ "email": "a+b@c.example", "phone": "+14155552671" }),
        )
        .await;
    for query in [
        "email=a%2Bb@c.example",
        "phone=%2B14155552671",
        "phone=%2B1+415+555+2671&",
    ] {
        let answer = public(Method::GET, &format!("/v1/leads?{query}"))
            .send()
            .await
            .unwrap();
        let found: Value = answer.json().await.unwrap();
        assert_eq!(
            found["leads"].as_array().map(Vec::len),
            Some(1),
            "{query}: {found}"
        );
    }
    let metrics = server.metrics().await;
    assert_eq!(
        metrics["dq_rejected_total{reason=\"transport.query\"}"],
        4.0
    );
    assert_eq!(metrics["dq_unaccounted"], 0.0);
}

#[tokio::test]
async fn browsers_of_other_sites_are_given_nothing() {
    let server = Server::start();
    let lines = "host: a\r\norigin: https://other.example\r\n";
    for (address, path, allowed) in [
        (server.public_address(), "/v1/events", "POST"),
        (server.public_address(), "/v1/leads", "GET,HEAD,POST"),
        (
            server.public_address(),
            "/v1/leads/1",
            "DELETE,GET,HEAD,PATCH",
        ),
        (server.admin_address(), "/healthz", "GET,HEAD"),
        (server.admin_address(), "/health", "GET,HEAD"),
        (server.admin_address(), "/metrics", "GET,HEAD"),
    ] {
        let preflight = format!(
            "OPTIONS {path} HTTP/1.1\r\n{lines}access-control-request-method: POST\r\n\
             access-control-request-headers: authorization\r\n\r\n"
        );
        let answer = ask(address, preflight);
        assert_eq!(answer.status, 405, "{path}: {answer:?}");
        let mut found: Vec<&str> = answer
            .field("allow")
            .unwrap()
            .split(',')
            .map(str::trim)
            .collect();
        found.sort_unstable();
        assert_eq!(found.join(","), allowed, "{path}");
        let plain = ask(address, format!("GET {path} HTTP/1.1\r\n{lines}\r\n"));
        for answer in [answer, plain] {
            let names = answer.fields.iter().map(|(name, _)| name);
            let found: Vec<_> = names
                .filter(|name| name.starts_with("access-control-"))
                .collect();
            assert!(found.is_empty(), "{path}: {found:?}");
        }
        let refused = ["TRACE", "PATCH"].into_iter();
        for method in refused.filter(|method| !allowed.contains(method)) {
            let answer = ask(
                address,
                format!("{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n"),
            );
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(answer.field("allow").is_some(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn json_ends_with_a_line_and_head_is_get_without_a_body() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let authorization = format!("authorization: Bearer {}\r\n", key.text);
    let admin = format!("authorization: Bearer {ADMIN_TOKEN}\r\n");
    for (address, path, fields, status) in [
        (
            server.public_address(),
            format!("/v1/leads/{lead}"),
            &authorization,
            200,
        ),
        (
            server.public_address(),
            "/v1/leads?email=a@b.example".to_owned(),
            &authorization,
            200,
        ),
        (
            server.public_address(),
            "/v1/leads".to_owned(),
            &authorization,
            400,
        ),
        (
            server.public_address(),
            "/none".to_owned(),
            &authorization,
            404,
        ),
        (
            server.admin_address(),
            "/health".to_owned(),
            &String::new(),
            200,
        ),
        (
            server.admin_address(),
            "/healthz".to_owned(),
            &String::new(),
            200,
        ),
        (
            server.admin_address(),
            "/readyz".to_owned(),
            &String::new(),
            200,
        ),
        (
            server.admin_address(),
            "/admin/api-keys".to_owned(),
            &admin,
            200,
        ),
        (
            server.admin_address(),
            "/admin/cache".to_owned(),
            &admin,
            200,
        ),
        (
            server.admin_address(),
            "/admin/limits".to_owned(),
            &admin,
            200,
        ),
        (
            server.admin_address(),
            "/admin/detection".to_owned(),
            &admin,
            200,
        ),
        (server.admin_address(), "/admin/slo".to_owned(), &admin, 200),
        (
            server.admin_address(),
            "/admin/quality".to_owned(),
            &admin,
            200,
        ),
        (
            server.admin_address(),
            "/admin/quality/samples".to_owned(),
            &admin,
            200,
        ),
        (
            server.admin_address(),
            "/admin/quality".to_owned(),
            &String::new(),
            401,
        ),
    ] {
        let get = ask(
            address,
            format!("GET {path} HTTP/1.1\r\nhost: a\r\n{fields}\r\n"),
        );
        assert_eq!(get.status, status, "{path}: {get:?}");
        assert!(get.body.ends_with("}\n"), "{path}: {get:?}");
        get.json();
        let mut raw = Raw::connect(address);
        raw.send(format!(
            "HEAD {path} HTTP/1.1\r\nhost: a\r\n{fields}connection: close\r\n\r\n"
        ));
        let head = raw.answer(true);
        assert_eq!(head.status, status, "{path}");
        assert_eq!(
            head.field("content-type"),
            get.field("content-type"),
            "{path}"
        );
        assert!(head.field("content-length").is_some(), "{path}");
        assert!(raw.ends(), "{path}");
    }
}
