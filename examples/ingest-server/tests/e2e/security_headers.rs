//! No answer of either listener is cached, sniffed or framed, whatever becomes of its request.

use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::harness::{ALL_SCOPES, Server, page_view};

fn assert_headers(answer: &Response, content_security_policy: &str) {
    let headers = answer.headers();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-security-policy", content_security_policy),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        let found: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(found, [value], "{name} of {}", answer.url());
    }
}

#[tokio::test]
async fn answers_of_both_listeners_carry_security_headers() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let lead = format!("/v1/leads/{lead}");
    let public = |method, path: &str| server.request(method, path, &key);
    let stranger = reqwest::Client::new();
    for (request, status) in [
        (
            server.post("/v1/events", &key, &page_view(1)),
            StatusCode::ACCEPTED,
        ),
        (public(Method::GET, &lead), StatusCode::OK),
        (public(Method::PUT, &lead), StatusCode::METHOD_NOT_ALLOWED),
        (public(Method::GET, "/"), StatusCode::NOT_FOUND),
        (
            stranger.get(server.public_url(&lead)),
            StatusCode::UNAUTHORIZED,
        ),
        (server.admin(Method::GET, "/readyz"), StatusCode::OK),
        (server.admin(Method::GET, "/metrics"), StatusCode::OK),
        (server.admin(Method::GET, "/admin/api-keys"), StatusCode::OK),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{}", answer.url());
        assert_headers(&answer, "default-src 'none'; frame-ancestors 'none'");
    }
    // A page for people brings its own style, and nothing else.
    let page = server.admin(Method::GET, "/admin/quality/report");
    let page = page.send().await.unwrap();
    assert_headers(&page, "default-src 'none'; style-src 'unsafe-inline'");
}
