//! API keys from issue to revocation.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Key, Server, page_view};

async fn status(server: &Server, key: &Key) -> StatusCode {
    server
        .post("/v1/events", key, &page_view(1))
        .send()
        .await
        .unwrap()
        .status()
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_the_next_request() {
    let server = Server::start();
    for _ in 0..20 {
        let key = server.issue("acme", &ALL_SCOPES).await;
        assert_eq!(status(&server, &key).await, StatusCode::ACCEPTED);
        let path = format!("/admin/api-keys/{}", key.kid);
        let answer = server.admin(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(status(&server, &key).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_key_revoked_on_the_command_line_is_refused_within_a_second() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(status(&server, &key).await, StatusCode::ACCEPTED);

    let output = server.data().run(&["api-key", "revoke", &key.kid]);
    let committed = Instant::now();
    assert!(output.status.success(), "{output:?}");
    while status(&server, &key).await != StatusCode::UNAUTHORIZED {
        assert!(
            committed.elapsed() < Duration::from_secs(1),
            "still accepted after a second"
        );
    }
}

#[tokio::test]
async fn a_key_issued_on_the_command_line_works_at_once_and_is_listed_without_its_secret() {
    let server = Server::start();
    let issued = server.data().run(&[
        "api-key",
        "issue",
        "--tenant",
        "acme",
        "--scopes",
        "events:write,leads:read",
        "--json",
    ]);
    assert!(issued.status.success(), "{issued:?}");
    let issued: Value = serde_json::from_slice(&issued.stdout).unwrap();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let key = Key {
        kid: text("kid"),
        text: text("key"),
    };
    assert!(key.text.starts_with("pcl_live_"));
    assert_eq!(status(&server, &key).await, StatusCode::ACCEPTED);

    let listed = server.data().run(&["api-key", "list", "--json"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&key.kid));
    let secret = key.text.rsplit('_').next().unwrap();
    assert!(!listed.contains(secret));
    let answer = server
        .admin(Method::GET, "/admin/api-keys")
        .send()
        .await
        .unwrap();
    let answer = answer.text().await.unwrap();
    assert!(answer.contains(&key.kid) && !answer.contains(secret));
}

#[tokio::test]
async fn unknown_wrong_and_revoked_keys_get_the_same_answer() {
    let server = Server::start();
    let revoked = server.issue("acme", &ALL_SCOPES).await;
    let path = format!("/admin/api-keys/{}", revoked.kid);
    server.admin(Method::DELETE, &path).send().await.unwrap();
    let good = server.issue("acme", &ALL_SCOPES).await;
    let foreign = Server::start().issue("acme", &ALL_SCOPES).await;
    let mistyped = Key {
        text: good.text.replace("live", "l1ve"),
        ..good.clone()
    };

    let mut answers = Vec::new();
    for key in [&revoked, &foreign, &mistyped] {
        let answer = server
            .post("/v1/events", key, &page_view(1))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert!(answer.headers().contains_key("www-authenticate"));
        let mut problem: Value = answer.json().await.unwrap();
        problem.as_object_mut().unwrap().remove("trace_id");
        answers.push(problem);
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_key_without_the_scope_is_refused() {
    let server = Server::start();
    let key = server.issue("acme", &["leads:read"]).await;
    let answer = server
        .post("/v1/events", &key, &page_view(1))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        answer.json::<Value>().await.unwrap()["reason"],
        "auth.scope"
    );
}

#[tokio::test]
async fn the_admin_listener_wants_its_token_and_health_does_not() {
    let server = Server::start();
    let http = reqwest::Client::new();
    let admin = server
        .admin(Method::GET, "/healthz")
        .build()
        .unwrap()
        .url()
        .clone();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            http.get(admin.join(path).unwrap())
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
    let url = admin.join("/admin/api-keys").unwrap();
    assert_eq!(http.get(url.clone()).send().await.unwrap().status(), 401);
    let wrong = http.get(url).bearer_auth("wrong").send().await.unwrap();
    assert_eq!(wrong.status(), 401);

    for (body, part) in [
        (
            json!({ "tenant": "", "tier": "free", "scopes": ["leads:read"] }),
            "tenant",
        ),
        (
            json!({ "tenant": "a", "tier": "gold", "scopes": ["leads:read"] }),
            "tier",
        ),
        (
            json!({ "tenant": "a", "tier": "free", "scopes": ["leads:burn"] }),
            "scopes",
        ),
        (
            json!({ "tenant": "a", "tier": "free", "scopes": [] }),
            "scopes",
        ),
        (
            json!({ "tenant": "a", "tier": "free", "scopes": ["leads:read"], "expires_at": "2001-01-01T00:00:00Z" }),
            "expires_at",
        ),
        (
            json!({ "tenant": "a", "tier": "free", "scopes": ["leads:read"], "expires_at": "9999-12-31T23:59:59-01:00" }),
            "expires_at",
        ),
    ] {
        let answer = server
            .admin(Method::POST, "/admin/api-keys")
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let problem = answer.text().await.unwrap();
        assert!(problem.contains(&format!("`{part}`")), "{problem}");
    }
}
