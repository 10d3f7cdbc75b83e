//! The Big List of Naughty Strings, whole, wherever a sender can put text: an answer of the service's
//! own to each, and everything accounted for.

use naughty_strings::BLNS;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderValue};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Key, Server, page_view},
    untrusted_json::assert_balanced,
};

/// A place for text in an event, and in a lead.
const EVENT: [&str; 10] = [
    "id",
    "source",
    "type",
    "specversion",
    "time",
    "dataschema",
    "subject",
    "datacontenttype",
    "data_base64",
    "extension",
];
const LEAD: [&str; 5] = ["email", "phone", "national_id", "name", "address"];

/// The status of an answer, which is one of the service's own.
async fn status(request: RequestBuilder, what: &str) -> u16 {
    let answer = request
        .send()
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let status = answer.status();
    assert!(!status.is_server_error(), "{what}: {status}");
    assert_ne!(status, StatusCode::TOO_MANY_REQUESTS, "{what}");
    let is_json = answer
        .headers()
        .get("content-type")
        .is_some_and(|media_type| {
            [&b"application/json"[..], b"application/problem+json"].contains(&media_type.as_bytes())
        });
    assert!(is_json, "{what}: {:?}", answer.headers());
    let body = answer.bytes().await.unwrap();
    let body: Value =
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(body.is_object(), "{what}");
    status.as_u16()
}

/// The list in a batch, each string where `place` puts it.
async fn post_all(server: &Server, key: &Key, place: impl Fn(&mut Value, &str)) {
    let events: Vec<Value> = BLNS
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let mut event = page_view(format!("{at}"));
            place(&mut event, text);
            event
        })
        .collect();
    let statuses = [202, 422];
    let got = status(server.post("/v1/events", key, &json!(events)), "a batch").await;
    assert!(statuses.contains(&got), "{got}");
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn no_string_in_an_event_makes_the_service_fail() {
    assert!(BLNS.len() > 400, "{}", BLNS.len());
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for name in EVENT {
        post_all(&server, &key, |event, text| event[name] = json!(text)).await;
    }
    post_all(&server, &key, |event, text| event[text] = json!(text)).await;
    post_all(&server, &key, |event, text| event["data"] = json!(text)).await;
    post_all(&server, &key, |event, text| {
        event["data"]["url"] = json!(text)
    })
    .await;
    post_all(&server, &key, |event, text| {
        event["data"] = json!({ text: text })
    })
    .await;
    for (event_type, field) in [
        ("form.submitted", "form"),
        ("lead.created", "notes"),
        ("lead.created", "email"),
        ("lead.updated", "lead"),
    ] {
        post_all(&server, &key, |event, text| {
            event["type"] = json!(event_type);
            event["data"] = json!({ "form": "f", field: text });
        })
        .await;
    }
    // As a whole body, each by itself.
    for text in BLNS {
        let request = server.request(Method::POST, "/v1/events", &key);
        let request = request
            .header("content-type", "application/json")
            .body(*text);
        let got = status(request, text).await;
        assert!([202, 400, 422].contains(&got), "{text}: {got}");
    }
    assert_balanced(&server).await;
    assert!(!server.logs().contains("panicked"));
}

#[tokio::test]
async fn no_string_in_a_lead_a_query_a_path_or_a_header_makes_the_service_fail() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for text in BLNS {
        for field in LEAD {
            let body = json!({ field: text });
            let got = status(server.post("/v1/leads", &key, &body), text).await;
            assert!([200, 201, 422].contains(&got), "{field} {text}: {got}");
        }
        let encoded = percent_encoded(text);
        for query in [
            format!("email={encoded}"),
            format!("phone={encoded}"),
            format!("{encoded}={encoded}"),
            encoded.clone(),
        ] {
            let path = format!("/v1/leads?{query}");
            let got = status(server.request(Method::GET, &path, &key), text).await;
            assert!([200, 400, 414, 431].contains(&got), "{path}: {got}");
        }
        for path in [format!("/v1/leads/{encoded}"), format!("/{encoded}")] {
            let got = status(server.request(Method::GET, &path, &key), text).await;
            assert!(
                [200, 400, 401, 404, 405, 414].contains(&got),
                "{path}: {got}"
            );
        }
        // As it is, where a header may hold it, and as CloudEvents encodes it.
        for value in [text.as_bytes(), encoded.as_bytes()] {
            let Ok(value) = HeaderValue::from_bytes(value) else {
                continue;
            };
            let event = page_view("header").to_string();
            for name in [
                "x-access-reason",
                "traceparent",
                "ce-subject",
                "ce-id",
                "accept",
                "content-encoding",
            ] {
                let mut request = server
                    .request(Method::POST, "/v1/events", &key)
                    .header("content-type", "application/json")
                    .header(name, value.clone());
                request = if name.starts_with("ce-") {
                    let data = json!({ "url": "u" }).to_string();
                    let request = request
                        .header("ce-specversion", "1.0")
                        .header("ce-type", "page.viewed")
                        .header("ce-source", "s");
                    let request = if name == "ce-id" {
                        request
                    } else {
                        request.header("ce-id", "1")
                    };
                    request.body(data)
                } else {
                    request.body(event.clone())
                };
                status(request, text).await;
            }
        }
    }
    assert_balanced(&server).await;
    assert!(!server.logs().contains("panicked"));
}
