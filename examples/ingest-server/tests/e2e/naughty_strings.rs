//! The Big List of Naughty Strings, whole, wherever a sender can put text: an answer of the service's
//! own to each, and everything accounted for.

use futures_util::{StreamExt as _, stream};
use naughty_strings::BLNS;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderValue};
use serde_json::{Value, json};

use crate::{
    conservation::assert_balanced,
    harness::{ALL_SCOPES, Key, Server, page_view},
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
/// Headers that the service reads, and that leave a request what it is.
const HEADERS: [&str; 4] = [
    "x-access-reason",
    "traceparent",
    "accept",
    "content-encoding",
];

/// How many strings are tried beside each other.
const AT_ONCE: usize = 16;
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
    // Connections are kept, so that this takes seconds.
    let http = reqwest::Client::new();
    let request = |method, path: &str| {
        let request = http.request(method, server.public_url(path));
        request.bearer_auth(&key.text)
    };
    let send = async |request: RequestBuilder, what: &str, expected: &[u16]| {
        let got = status(request, what).await;
        assert!(expected.contains(&got), "{what}: {got}");
    };
    let each = stream::iter(BLNS).for_each_concurrent(AT_ONCE, async |text| {
        for field in LEAD {
            let lead = request(Method::POST, "/v1/leads").json(&json!({ field: text }));
            send(lead, text, &[200, 201, 422]).await;
        }
        let encoded = percent_encoded(text);
        for query in [format!("email={encoded}"), format!("{encoded}={encoded}")] {
            let leads = request(Method::GET, &format!("/v1/leads?{query}"));
            send(leads, text, &[200, 400, 414, 431]).await;
        }
        for path in [format!("/v1/leads/{encoded}"), format!("/{encoded}")] {
            let record = request(Method::GET, &path);
            send(record, text, &[200, 400, 401, 404, 405, 414]).await;
        }
        // As it is, where a header may hold it, and as CloudEvents encodes it.
        for name in HEADERS {
            for value in [text.as_bytes(), encoded.as_bytes()] {
                let Ok(value) = HeaderValue::from_bytes(value) else {
                    continue;
                };
                let event = request(Method::POST, "/v1/events").header(name, value);
                let event = event.header("content-type", "application/json");
                status(event.body(page_view("header").to_string()), text).await;
            }
        }
        for name in ["id", "source", "subject", "extension"] {
            let event = request(Method::POST, "/v1/events").json(&json!({ "url": "u" }));
            let attributes = [("specversion", "1.0"), ("type", "page.viewed")].into_iter();
            let attributes = attributes.chain([("source", "s"), ("id", "1")]);
            let others = attributes.filter(|(other, _)| *other != name);
            let event = others.fold(event, |event, (other, value)| {
                event.header(format!("ce-{other}"), value)
            });
            let event = event.header(format!("ce-{name}"), &encoded);
            send(event, text, &[202, 422]).await;
        }
    });
    each.await;
    assert_balanced(&server).await;
    assert!(!server.logs().contains("panicked"));
}
