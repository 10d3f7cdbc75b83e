//! Secrets that are tried: logged, counted, slowed by client network, without shutting out who has the
//! right one.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::{
    harness::{ADMIN_TOKEN, ALL_SCOPES, Server, page_view},
    movement::assert_moved,
};

const WRONG_TOKEN: &str = "wrong-canary-token-0123456789-abcdefghij";

/// Attempts that fail, and as what.
const ATTEMPTS: [(Option<&str>, &str); 5] = [
    (None, "missing"),
    (Some("Basic d3Jvbmc6Y2FuYXJ5"), "malformed"),
    (Some("wrong-canary-token"), "malformed"),
    (Some("Bearer"), "malformed"),
    (
        Some("Bearer wrong-canary-token-0123456789-abcdefghij"),
        "wrong",
    ),
];

/// A client at an address of its own.
fn client(last: u8) -> Client {
    Client::builder()
        .local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

async fn failures(server: &Server, family: &str, reason: &str) -> f64 {
    server.metrics().await[&format!("{family}{{reason=\"{reason}\"}}")]
}

#[tokio::test]
async fn wrong_admin_tokens_are_logged_counted_and_slowed_by_network() {
    let server = Server::start();
    for reason in ["missing", "malformed", "wrong"] {
        let count = failures(&server, "admin_auth_failures_total", reason).await;
        assert_eq!(count, 0.0);
    }
    // Each from a network of its own.
    let url = |path: &str| format!("http://{}{path}", server.admin_address());
    let routes = [
        (Method::GET, "/metrics", "/metrics"),
        (Method::GET, "/admin/limits", "/admin/limits"),
        (
            Method::DELETE,
            "/admin/api-keys/some",
            "/admin/api-keys/{kid}",
        ),
        (Method::POST, "/admin/api-keys", "/admin/api-keys"),
        (Method::GET, "/admin/quality", "/admin/quality"),
    ];
    for ((authorization, reason), (number, (method, path, route))) in
        ATTEMPTS.into_iter().zip((10..).zip(routes))
    {
        let before = failures(&server, "admin_auth_failures_total", reason).await;
        let mut request = client(number).request(method, url(path));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{reason}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        let count = failures(&server, "admin_auth_failures_total", reason).await;
        assert_eq!(count, before + 1.0, "{reason}");
        let logs = server.logs();
        let line = logs
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .find(|line| line["address"] == format!("127.0.0.{number}"));
        let line = line.unwrap_or_else(|| panic!("{reason}: {logs}"));
        assert_eq!(line["reason"], reason, "{line}");
        assert_eq!(line["route"], route, "{line}");
        assert_eq!(line["what"], "admin_token", "{line}");
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
        assert!(!logs.contains("wrong-canary"), "{logs}");
    }

    let before = server.metrics().await;
    // Five at once; a further one has to wait, up to ten seconds.
    let attacker = client(9);
    let mut answers = Vec::new();
    for _ in 0..20 {
        let wrong = attacker.get(url("/metrics")).bearer_auth(WRONG_TOKEN);
        answers.push(wrong.send().await.unwrap());
    }
    let (refused, slowed): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.status() == StatusCode::UNAUTHORIZED);
    assert!((5..=7).contains(&refused.len()), "{}", refused.len());
    for answer in &slowed {
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait = answer.headers()["retry-after"].to_str().unwrap();
        assert!((1..=15).contains(&wait.parse::<u64>().unwrap()), "{wait}");
    }
    // Health is open, and the right token is let in, from there and from elsewhere.
    for path in ["/healthz", "/readyz"] {
        let answer = attacker.get(url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    for client in [&attacker, &client(8)] {
        let right = client.get(url("/metrics")).bearer_auth(ADMIN_TOKEN);
        assert_eq!(right.send().await.unwrap().status(), StatusCode::OK);
    }
    let wrong = client(8).get(url("/metrics")).bearer_auth(WRONG_TOKEN);
    let answer = wrong.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let metrics = server.metrics().await;
    let slowed = u32::try_from(slowed.len()).unwrap();
    assert_eq!(
        metrics[r#"auth_failures_slowed_total{secret="admin_token"}"#],
        f64::from(slowed)
    );
    assert_moved(
        &before,
        &metrics,
        ["admin_auth_failures_total", "auth_failures_slowed_total"],
    );
    // What is slowed is counted and no longer logged one by one.
    let lines = server.logs().matches(r#""address":"127.0.0.9""#).count();
    assert_eq!(lines, refused.len());
}

#[tokio::test]
async fn wrong_api_keys_are_slowed_and_the_good_ones_beside_them_are_not() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let http = client(9);
    let url = server.public_url("/v1/events");
    let post = |authorization: &str| {
        let request = http.post(&url).json(&page_view("1"));
        request.header("authorization", authorization.to_owned())
    };
    // Right in form: all but the last characters of a key are another's.
    let wrong = format!(
        "Bearer {}",
        key.text.replace(&key.text[10..20], "0000000000")
    );
    let before = server.metrics().await;
    let mut slowed = 0_u32;
    for round in 0..8 {
        for answer in join_all((0..50).map(|_| post(&wrong).send())).await {
            let answer = answer.unwrap();
            match answer.status() {
                StatusCode::UNAUTHORIZED => {}
                StatusCode::TOO_MANY_REQUESTS => {
                    assert!(answer.headers().contains_key("retry-after"));
                    slowed += 1;
                }
                status => panic!("{round}: {status}"),
            }
        }
        // A tenant behind the same address goes on as it did.
        let right = post(&format!("Bearer {}", key.text)).send().await.unwrap();
        assert_eq!(right.status(), StatusCode::ACCEPTED, "{round}");
    }
    assert!(slowed > 0);
    let metrics = server.metrics().await;
    let count =
        |reason: &str| metrics[&format!("apikey_auth_failures_total{{reason=\"{reason}\"}}")];
    assert_eq!(
        count("missing") + count("malformed") + count("wrong"),
        400.0
    );
    assert_eq!(
        metrics[r#"auth_failures_slowed_total{secret="api_key"}"#],
        f64::from(slowed)
    );
    assert_moved(&before, &metrics, ["apikey_auth_failures_total"]);
    let logs = server.logs();
    assert!(logs.contains(r#""what":"api_key""#), "{logs}");
    assert!(!logs.contains(&key.text[20..]), "{logs}");
    // Another network is not slowed.
    let other = client(8).post(&url).header("authorization", &wrong);
    let answer = other.json(&page_view("1")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}
