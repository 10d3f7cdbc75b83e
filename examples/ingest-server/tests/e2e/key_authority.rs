//! What a key may do, and when: each scope where it is documented, the limits of its tier, its dates.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Key, Server, page_view};

#[tokio::test]
async fn each_scope_is_demanded_where_it_is_documented() {
    let server = Server::start();
    let all = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&all, &json!({ "email": "a@b.example" })).await;
    let read = format!("/v1/leads/{lead}");
    let requests = async |key: &Key| {
        let requests = [
            server.post("/v1/events", key, &page_view(1)),
            server.post("/v1/leads", key, &json!({ "email": "a@b.example" })),
            server.request(Method::GET, "/v1/leads?email=a@b.example", key),
            server.request(Method::GET, &read, key),
        ];
        let mut statuses = Vec::new();
        for request in requests {
            let answer = request.send().await.unwrap();
            let status = answer.status();
            if status == StatusCode::FORBIDDEN {
                let problem: Value = answer.json().await.unwrap();
                assert_eq!(problem["reason"], "auth.scope");
            }
            statuses.push(status != StatusCode::FORBIDDEN);
            assert!(!status.is_server_error() && status != StatusCode::UNAUTHORIZED);
        }
        statuses
    };
    let allowed = [
        ("events:write", [true, false, false, false]),
        ("leads:write", [false, true, false, false]),
        ("leads:read", [false, false, true, true]),
        ("pii:read", [false, false, false, false]),
    ];
    for (scope, alone) in allowed {
        let key = server.issue("acme", &[scope]).await;
        assert_eq!(requests(&key).await, alone, "{scope} alone");
        let others: Vec<_> = ALL_SCOPES
            .into_iter()
            .filter(|other| *other != scope)
            .collect();
        let key = server.issue("acme", &others).await;
        let without: Vec<_> = alone.iter().map(|allowed| !allowed).collect();
        assert_eq!(requests(&key).await, without, "all but {scope}");
    }
    // In the clear with this scope alone, and with a purpose.
    for (scopes, masked) in [
        (&["leads:read"][..], true),
        (&["leads:read", "pii:read"], false),
    ] {
        let key = server.issue("acme", scopes).await;
        let request = server.request(Method::GET, &read, &key);
        let request = request.header("x-access-reason", "test");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["masked"], masked, "{scopes:?}: {answer}");
    }
}

#[tokio::test]
async fn a_key_of_each_tier_has_its_limits() {
    let server = Server::start();
    // As the README has them: tokens a second and burst, of a tenant that sends.
    for (tier, rate, burst) in [
        ("free", 10, 20),
        ("standard", 200, 400),
        ("enterprise", 5_000, 10_000),
    ] {
        let issued = server.issue_tier(tier, tier, &ALL_SCOPES).await;
        let path = format!("/admin/api-keys/{}/rotate", issued.kid);
        let rotated = server.admin(Method::POST, &path).send().await.unwrap();
        let rotated: Value = rotated.json().await.unwrap();
        let text = |name: &str| rotated[name].as_str().unwrap().to_owned();
        let rotated = Key {
            kid: text("kid"),
            text: text("key"),
        };
        for key in [&issued, &rotated] {
            let request = server.post("/v1/events", key, &page_view(1));
            let answer = request.send().await.unwrap();
            let policy = answer.headers()["ratelimit-policy"].to_str().unwrap();
            let expected = format!(";q={burst};w={}", burst / rate);
            assert!(policy.contains(&expected), "{tier}: {policy}");
        }
    }
}

#[tokio::test]
async fn a_key_is_refused_before_its_first_day() {
    let server = Server::start();
    let issue = async |not_before: &str, expires_at: Option<&str>| {
        let body = json!({
            "tenant": "acme", "tier": "standard", "scopes": ["events:write"],
            "not_before": not_before, "expires_at": expires_at
        });
        let request = server.admin(Method::POST, "/admin/api-keys").json(&body);
        request.send().await.unwrap()
    };
    let answer = issue("2100-01-01T00:00:00Z", None).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let issued: Value = answer.json().await.unwrap();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let key = Key {
        kid: text("kid"),
        text: text("key"),
    };
    let request = server.post("/v1/events", &key, &page_view(1));
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let path = format!("/admin/api-keys/{}", key.kid);
    let described = server.admin(Method::GET, &path).send().await.unwrap();
    let described: Value = described.json().await.unwrap();
    assert_eq!(described["not_before"], "2100-01-01T00:00:00.000Z");
    assert_eq!(described["status"], "not_yet_valid");

    assert_eq!(
        issue("2001-01-01T00:00:00Z", None).await.status(),
        StatusCode::CREATED
    );
    for (not_before, expires_at, named) in [
        ("soon", None, "`not_before`"),
        ("2100-01-01", None, "`not_before`"),
        (
            "2100-01-01T00:00:00Z",
            Some("2100-01-01T00:00:00Z"),
            "`not_before`",
        ),
        (
            "2100-01-01T00:00:00Z",
            Some("2099-01-01T00:00:00Z"),
            "`not_before`",
        ),
    ] {
        let answer = issue(not_before, expires_at).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let problem = answer.text().await.unwrap();
        assert!(problem.contains(named), "{problem}");
    }

    let issue = [
        "api-key",
        "issue",
        "--tenant",
        "acme",
        "--scopes",
        "events:write",
    ];
    let from = ["--not-before", "2100-01-01T00:00:00Z", "--json"];
    let output = server.data().run(&[&issue[..], &from].concat());
    assert!(output.status.success(), "{output:?}");
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed = server.data().run(&["api-key", "list", "--json"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let line = listed
        .lines()
        .find(|line| line.contains(issued["kid"].as_str().unwrap()));
    assert!(
        line.unwrap()
            .contains("\"not_before\":\"2100-01-01T00:00:00.000Z\"")
    );
}
