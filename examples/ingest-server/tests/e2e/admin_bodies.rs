//! What operators send: objects by the names of their members, and the form that the README shows.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Server, page_view};

#[tokio::test]
async fn a_record_is_not_read_from_the_positions_of_its_members() {
    let server = Server::start();
    let positional = json!(["acme", "standard", ["events:write"], null]);
    for (method, path, body) in [
        (Method::POST, "/admin/api-keys", positional),
        (Method::PUT, "/admin/limits", json!([null, {}])),
        (Method::PUT, "/admin/limits", json!([])),
        (Method::PUT, "/admin/limits", Value::Null),
        (Method::PUT, "/admin/detection", json!([{}, {}])),
    ] {
        let answer = server.admin(method, path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path} {body}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["detail"], "the body must be a JSON object");
    }
}

/// The README's own line: 40 at once on the free tier, where 20 were.
#[tokio::test]
async fn the_policies_that_the_readme_shows_take_effect() {
    const README: &str = include_str!("../../README.md");
    let (_, line) = README.split_once("admin/limits -H").unwrap();
    let (_, body) = line.split_once("-d '").unwrap();
    let (body, _) = body.split_once('\'').unwrap();
    let server = Server::start();
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let put = server.admin(Method::PUT, "/admin/limits");
    let put = put.header("content-type", "application/json");
    let answer = put.body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let batch: Value = (0..40).map(page_view).collect();
    for status in [StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS] {
        let answer = server.post("/v1/events", &key, &batch).send().await;
        assert_eq!(answer.unwrap().status(), status);
    }
}

#[tokio::test]
async fn nothing_is_taken_that_is_called_something_else_than_json() {
    let server = Server::start();
    let body = r#"{"tenant":"acme","tier":"free","scopes":["events:write"]}"#;
    for (method, path) in [
        (Method::POST, "/admin/api-keys"),
        (Method::PUT, "/admin/limits"),
        (Method::PUT, "/admin/detection"),
    ] {
        for media_type in [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
            "text/json",
            "application/json; charset=latin1",
        ] {
            let request = server.admin(method.clone(), path).body(body);
            let request = request.header("content-type", media_type);
            let answer = request.send().await.unwrap();
            assert_eq!(
                answer.status(),
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "{media_type}"
            );
            let problem: Value = answer.json().await.unwrap();
            let reason = match media_type.split_once("charset=") {
                Some(_) => "transport.charset",
                None => "transport.content_type",
            };
            assert_eq!(problem["reason"], reason, "{media_type}");
        }
    }
    for media_type in ["application/json", "Application/JSON; charset=\"UTF-8\""] {
        let request = server.admin(Method::POST, "/admin/api-keys").body(body);
        let request = request.header("content-type", media_type);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{media_type}");
    }
}
