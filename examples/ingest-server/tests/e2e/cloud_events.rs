//! The JSON format of CloudEvents 1.0.2: attributes, and the data.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder, header::HeaderValue};
use serde_json::{Value, json};

use crate::{
    conservation::assert_balanced,
    forms,
    harness::{ALL_SCOPES, Key, Server, count, page_view},
};

pub(crate) const ONE: &str = "application/cloudevents+json";
pub(crate) const MANY: &str = "application/cloudevents-batch+json";
pub(crate) const PLAIN: &str = "application/json";

pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

pub(crate) async fn post(
    server: &Server,
    key: &Key,
    media_type: &str,
    body: impl Into<Vec<u8>>,
) -> (u16, Value) {
    let request = server.request(Method::POST, "/v1/events", key);
    answer(request.header("content-type", media_type).body(body.into())).await
}

/// Sends an event in binary mode; attributes of one name twice are two headers.
pub(crate) async fn binary(
    server: &Server,
    key: &Key,
    attributes: &[(&str, &str)],
    data: impl Into<Vec<u8>>,
) -> (u16, Value) {
    let mut request = server
        .request(Method::POST, "/v1/events", key)
        .header("content-type", PLAIN);
    for (name, value) in attributes {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request = request.header(format!("CE-{name}"), value);
    }
    answer(request.body(data.into())).await
}

/// An event with other members, null ones too; one that is `"absent"` is left out.
pub(crate) fn with(id: &str, change: &Value) -> Value {
    let mut event = page_view(id);
    for (name, value) in change.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
        .as_object_mut()
        .unwrap()
        .retain(|_, value| value != "absent");
    event
}

/// Each event by itself, once as it is and once in a batch, and what is said of it.
async fn assert_outcomes(cases: Vec<(Value, Option<&str>)>) {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (at, (change, reason)) in cases.into_iter().enumerate() {
        let event = with(&at.to_string(), &change);
        let (status, single) = post(&server, &key, ONE, event.to_string()).await;
        let good = page_view(format!("good {at}"));
        let (_, batch) = post(&server, &key, MANY, json!([event, good]).to_string()).await;
        match reason {
            None => {
                assert_eq!(
                    (status, &single["accepted"]),
                    (202, &json!(1)),
                    "{change}: {single}"
                );
                assert_eq!(batch["duplicates"], 1, "{change}: {batch}");
            }
            Some(reason) => {
                assert_eq!(
                    (status, &single["reason"]),
                    (422, &json!(reason)),
                    "{change}: {single}"
                );
                assert!(
                    !single["detail"].as_str().unwrap().contains("canary7Q"),
                    "{single}"
                );
                assert_eq!(batch["rejected"][0]["reason"], reason, "{change}: {batch}");
            }
        }
        assert_eq!(batch["accepted"], 1, "{change}: {batch}");
    }
    assert_balanced(&server).await;
    assert!(!server.logs().contains("canary7Q"));
}

#[tokio::test]
async fn a_null_attribute_is_absent() {
    assert_outcomes(vec![
        (
            json!({ "time": null, "dataschema": null, "subject": null, "datacontenttype": null }),
            None,
        ),
        (json!({ "specversion": null }), None),
        (
            json!({ "data_base64": null, "unsetextension": null, "NOT_A_NAME": null }),
            None,
        ),
        (json!({ "id": null }), Some("envelope.missing_id")),
        (json!({ "source": null }), Some("envelope.invalid_source")),
        (json!({ "type": null }), Some("envelope.invalid_type")),
        (
            json!({ "data": "absent", "data_base64": null }),
            Some("envelope.missing_data"),
        ),
        // `data` is no attribute: its null is a value, which this type does not have.
        (json!({ "data": null }), Some("schema.type_mismatch")),
    ])
    .await;
}

#[tokio::test]
async fn attributes_are_of_the_type_system() {
    let date = "2026-05-01";
    let mut cases: Vec<(Value, Option<&str>)> = vec![
        (
            json!({ "subject": "orders/17", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }),
            None,
        ),
        (
            json!({ "flag": true, "count": -7, "text": "", "averylongnameofmorethantwentysigns": "x" }),
            None,
        ),
        (
            json!({ "dataschema": "https://shop.example/page.viewed/1" }),
            None,
        ),
        (json!({ "dataschema": "1" }), None),
        (
            json!({ "datacontenttype": "Application/Vnd.Shop+JSON; charset=utf-8" }),
            None,
        ),
        (
            json!({ "specversion": "0.3" }),
            Some("envelope.invalid_version"),
        ),
        (
            json!({ "specversion": 1.0 }),
            Some("envelope.invalid_version"),
        ),
        (
            json!({ "specversion": "" }),
            Some("envelope.invalid_version"),
        ),
        (json!({ "type": "" }), Some("envelope.invalid_type")),
        (
            json!({ "type": "canary7Q\u{1}" }),
            Some("envelope.invalid_type"),
        ),
        (json!({ "id": "" }), Some("envelope.invalid_id")),
        (json!({ "id": 7 }), Some("envelope.invalid_id")),
        (
            json!({ "id": "canary7Q\u{9f}" }),
            Some("envelope.invalid_id"),
        ),
        (
            json!({ "id": "canary7Q\u{ffff}" }),
            Some("envelope.invalid_id"),
        ),
        (
            json!({ "dataschema": "page.viewed/1" }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "dataschema": "https://shop.example/canary7Q" }),
            Some("schema.unknown_version"),
        ),
        (
            json!({ "dataschema": "https://shop.example/7" }),
            Some("schema.unknown_version"),
        ),
        (json!({ "subject": "" }), Some("envelope.invalid_attribute")),
        (
            json!({ "subject": ["canary7Q"] }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "datacontenttype": "canary7Q" }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "canary7Q": "x" }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "trace_parent": "x" }),
            Some("envelope.invalid_attribute"),
        ),
        (json!({ "": "x" }), Some("envelope.invalid_attribute")),
        (
            json!({ "extension": { "canary7Q": 1 } }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "extension": ["canary7Q"] }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "extension": 1.5 }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "extension": 2_147_483_648_i64 }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "extension": "canary7Q\u{0}" }),
            Some("envelope.invalid_attribute"),
        ),
        (
            json!({ "traceparent": "00-00000000000000000000000000000001-4111111111111111-01" }),
            None,
        ),
        (
            json!({ "traceparent": "4111111111111111" }),
            Some("policy.undeclared_pii"),
        ),
        (
            json!({ "data": { "url": "git@github.com:example-org/example-repo.git" } }),
            None,
        ),
        // What anybody may read holds no personal data.
        (
            json!({ "subject": "ada@person.example" }),
            Some("policy.undeclared_pii"),
        ),
        (
            json!({ "extension": "ada@person.example" }),
            Some("policy.undeclared_pii"),
        ),
        (
            json!({ "id": "ada@person.example" }),
            Some("policy.undeclared_pii"),
        ),
        (
            json!({ "source": "mailto:ada@person.example" }),
            Some("policy.undeclared_pii"),
        ),
        (
            json!({ "dataschema": "https://shop.example/ada@person.example/1" }),
            Some("policy.undeclared_pii"),
        ),
    ];
    for source in [
        "arn:aws:sqs:eu-central-1:043455440429:antoineco",
        "/a",
        "urn:a:b",
        "a%C3%BC",
        "https://[::1]/",
    ] {
        cases.push((json!({ "source": source }), None));
    }
    for source in [
        "http://[::1",
        "",
        "canary7Q x",
        "a%zz",
        "a%2",
        "ü",
        "canary7Q|",
        "1:a",
        "http://a:b",
    ] {
        cases.push((json!({ "source": source }), Some("envelope.invalid_source")));
    }
    for time in [
        "T12:00:00Z",
        "t12:00:00z",
        "T12:00:00.123456789+05:30",
        "T12:00:00.5000000000000-00:00",
    ] {
        cases.push((json!({ "time": format!("{date}{time}") }), None));
    }
    for time in [
        "_12:00:00Z",
        " 12:00:00Z",
        "T12:00:00",
        "T12:00:00.Z",
        "T12:00:60Z",
        "T24:00:00Z",
        "T12:00:00+0200",
        "T12:00:00.1234567891Z",
    ] {
        cases.push((
            json!({ "time": format!("{date}{time}") }),
            Some("envelope.invalid_time"),
        ));
    }
    cases.push((
        json!({ "time": 1_777_636_800 }),
        Some("envelope.invalid_time"),
    ));
    assert_outcomes(cases).await;
}

#[tokio::test]
async fn data_is_there_once_and_is_json() {
    let base64 = |text: &str| json!(STANDARD.encode(text));
    let good = base64(r#"{"url":"u"}"#);
    assert_outcomes(vec![
        (json!({ "data": "absent", "data_base64": good }), None),
        (json!({ "data": "absent", "data_base64": good, "datacontenttype": "text/JSON;charset=\"UTF-8\"" }), None),
        (json!({ "data_base64": good }), Some("envelope.invalid_data")),
        (json!({ "data": null, "data_base64": good }), Some("envelope.invalid_data")),
        (json!({ "data": "absent", "data_base64": good, "datacontenttype": "image/png" }), Some("envelope.invalid_data")),
        (json!({ "data": "absent", "data_base64": format!(" {}", good.as_str().unwrap()) }), Some("envelope.invalid_data")),
        (json!({ "data": "absent", "data_base64": good.as_str().unwrap().trim_end_matches('=') }), Some("envelope.invalid_data")),
        (json!({ "data": "absent", "data_base64": "_-8=" }), Some("envelope.invalid_data")),
        (json!({ "data": "absent", "data_base64": { "canary7Q": 1 } }), Some("envelope.invalid_data")),
        (json!({ "data": { "url": "u" }, "datacontenttype": "text/plain" }), Some("envelope.invalid_data")),
        (json!({ "data": "absent", "data_base64": base64(r#"{"url":7}"#) }), Some("schema.type_mismatch")),
        (json!({ "data": "absent", "data_base64": base64(r#"{"url":"mail ada@person.example"}"#) }), Some("policy.undeclared_pii")),
        (json!({ "data": "absent", "data_base64": base64("canary7Q") }), Some("parse.json")),
        (json!({ "data": "absent", "data_base64": "" }), Some("parse.json")),
        (json!({ "data": "absent", "data_base64": base64(&"[".repeat(100_000)) }), Some("parse.depth")),
        (json!({ "data": "absent", "data_base64": base64(r#"{"url":"a","url":"b"}"#) }), Some("parse.repeated_name")),
        (json!({ "data": "absent", "data_base64": base64(r#"{"url":1e999}"#) }), Some("parse.number")),
        // A string is a JSON string, whatever it looks like.
        (json!({ "data": "{\"url\":\"u\"}", "datacontenttype": PLAIN }), Some("schema.type_mismatch")),
        (json!({ "data": "{\"url\":\"u\"}" }), Some("schema.type_mismatch")),
    ])
    .await;
}

#[tokio::test]
async fn personal_data_in_base64_is_sealed() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let email = "canary.q7x@person.example";
    let data = json!({ "form": "f", "email": email });
    let event = json!({
        "type": "form.submitted", "source": "test/web", "id": "1",
        "data_base64": STANDARD.encode(data.to_string())
    });
    let (status, _) = post(&server, &key, ONE, event.to_string()).await;
    assert_eq!(status, 202);
    // The same in the other two ways is the same event.
    let plain = json!({ "type": "form.submitted", "source": "test/web", "id": "1", "data": data });
    let (_, again) = post(&server, &key, PLAIN, plain.to_string()).await;
    assert_eq!(
        again,
        json!({ "accepted": 0, "duplicates": 1, "rejected": [] })
    );
    let headers = [
        ("specversion", "1.0"),
        ("type", "form.submitted"),
        ("source", "test/web"),
        ("id", "1"),
    ];
    let (_, again) = binary(&server, &key, &headers, data.to_string()).await;
    assert_eq!(
        again,
        json!({ "accepted": 0, "duplicates": 1, "rejected": [] })
    );
    assert_eq!(count(server.data(), "event").await, 1);
    for (path, bytes) in server.data().files() {
        assert_eq!(forms::find(&bytes, email), None, "{}", path.display());
    }
}

#[tokio::test]
async fn a_number_of_thousands_of_digits_rejects_its_event_alone() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let digits = "7".repeat(5_000);
    let large = page_view("1")
        .to_string()
        .replace("\"https://shop.example/shoes\"", &digits);
    let batch = format!("[{},{large},{}]", page_view("2"), page_view("3"));
    let (status, answer) = post(&server, &key, MANY, batch).await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(2)), "{answer}");
    assert_eq!(answer["rejected"][0]["index"], 1);
    assert_eq!(answer["rejected"][0]["reason"], "parse.number");
    let (status, answer) = post(&server, &key, ONE, large).await;
    assert_eq!((status, &answer["reason"]), (400, &json!("parse.number")));
}
