//! The modes in which the HTTP binding of CloudEvents 1.0.2 brings events: one, many, and as headers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cloud_events::{MANY, ONE, PLAIN, answer, binary, post, with},
    conservation::assert_balanced,
    harness::{ALL_SCOPES, Server, page_view},
};

#[tokio::test]
async fn batches_are_arrays_of_events_and_may_be_empty() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = page_view("1");
    let nothing = json!({ "accepted": 0, "duplicates": 0, "rejected": [] });
    for (media_type, body) in [
        (MANY, "[]"),
        (MANY, " [ ] "),
        (PLAIN, "[]"),
        ("Application/CloudEvents-Batch+JSON; charset=utf-8", "[]"),
    ] {
        assert_eq!(
            post(&server, &key, media_type, body).await,
            (202, nothing.clone()),
            "{media_type}"
        );
    }
    for (media_type, body, status) in [
        (
            "application/cloudevents+json; charset=utf-8",
            event.to_string(),
            202,
        ),
        ("APPLICATION/CLOUDEVENTS+JSON", event.to_string(), 202),
        (MANY, json!([event]).to_string(), 202),
        (ONE, json!([event]).to_string(), 400),
        (ONE, "[]".to_owned(), 400),
        (MANY, event.to_string(), 400),
        (MANY, "{}".to_owned(), 400),
        ("application/cloudevents+avro", event.to_string(), 415),
        ("application/cloudevents", event.to_string(), 415),
        ("text/json", event.to_string(), 415),
    ] {
        assert_eq!(
            post(&server, &key, media_type, body).await.0,
            status,
            "{media_type}"
        );
    }
    let batch = json!([7, "x", null, [event], [], event, {}]);
    let (status, answer) = post(&server, &key, MANY, batch.to_string()).await;
    assert_eq!(
        (status, &answer["duplicates"]),
        (202, &json!(1)),
        "{answer}"
    );
    let rejected = answer["rejected"].as_array().unwrap().iter();
    let reasons: Vec<(u64, &str)> = rejected
        .map(|one| {
            (
                one["index"].as_u64().unwrap(),
                one["reason"].as_str().unwrap(),
            )
        })
        .collect();
    let no_object = |index| (index, "parse.json");
    let expected = [
        no_object(0),
        no_object(1),
        no_object(2),
        no_object(3),
        no_object(4),
        (6, "envelope.missing_id"),
    ];
    assert_eq!(reasons, expected);
    assert_balanced(&server).await;
}

#[tokio::test]
async fn an_event_that_conflicts_is_named() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let other = with("1", &json!({ "data": { "url": "other" } }));
    let batch = json!([page_view("1"), page_view("2"), page_view("1"), other]);
    let (_, answer) = post(&server, &key, MANY, batch.to_string()).await;
    assert_eq!(
        answer,
        json!({ "accepted": 2, "duplicates": 2, "rejected": [], "conflicts": [{ "index": 3, "id": "1" }] })
    );
    let (status, answer) = post(&server, &key, ONE, other.to_string()).await;
    assert_eq!(status, 202);
    assert_eq!(
        answer,
        json!({ "accepted": 0, "duplicates": 1, "rejected": [], "conflicts": [{ "index": 0, "id": "1" }] })
    );
}

#[tokio::test]
async fn an_event_in_binary_mode_is_the_event() {
    const DATA: &str = r#"{"url":"u"}"#;
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let head = |id| {
        [
            ("specversion", "1.0"),
            ("type", "page.viewed"),
            ("source", "/a"),
            ("id", id),
        ]
    };
    // Encoded or not, with anything else that CloudEvents knows.
    let id = "Euro%20%E2%82%AC%20%F0%9F%98%80";
    for (attributes, outcome) in [
        (
            [
                &head(id)[..],
                &[("time", "2026-05-01t12:00:00Z"), ("flag", "true")],
            ]
            .concat(),
            "accepted",
        ),
        (
            [
                &head("%45uro %e2%82%ac %f0%9f%98%80")[..],
                &[("time", "2026-05-01T12:00:00z")],
            ]
            .concat(),
            "duplicates",
        ),
        (
            [
                &head("\"Euro \u{25}E2%82%AC %F0%9F%98%80\"")[..],
                &[("time", "\"2026-05-01T12:00:00Z\"")],
            ]
            .concat(),
            "duplicates",
        ),
    ] {
        let (status, answer) = binary(&server, &key, &attributes, DATA).await;
        assert_eq!(
            (status, &answer[outcome]),
            (202, &json!(1)),
            "{attributes:?} {answer}"
        );
        assert_eq!(answer.get("conflicts"), None);
    }
    let structured = json!({
        "specversion": "1.0", "type": "page.viewed", "source": "/a", "id": "Euro € 😀",
        "time": "2026-05-01T12:00:00Z", "data": { "url": "u" }
    });
    let (_, answer) = post(&server, &key, ONE, structured.to_string()).await;
    assert_eq!(
        answer,
        json!({ "accepted": 0, "duplicates": 1, "rejected": [] })
    );

    let invalid = "envelope.invalid_attribute";
    let with = |more: (&'static str, &'static str)| [&head("x")[..], &[more]].concat();
    for (attributes, data, status, reason) in [
        (with(("id", "x")), DATA, 422, invalid),
        (with(("canary7q", "%zz")), DATA, 422, invalid),
        (with(("subject", "%2")), DATA, 422, invalid),
        (with(("subject", "%C0%A0")), DATA, 422, invalid),
        (with(("subject", "é")), DATA, 422, invalid),
        (with(("subject", "\"a")), DATA, 422, invalid),
        (with(("subject", "")), DATA, 422, invalid),
        (with(("subject", "a%00")), DATA, 422, invalid),
        (with(("my_ext", "a")), DATA, 422, invalid),
        (with(("", "a")), DATA, 422, invalid),
        (with(("datacontenttype", "text/plain")), DATA, 422, invalid),
        (with(("data", "a")), DATA, 422, invalid),
        (with(("data_base64", "a")), DATA, 422, invalid),
        (
            with(("subject", "ada@person.example")),
            DATA,
            422,
            "policy.undeclared_pii",
        ),
        (
            with(("time", "yesterday")),
            DATA,
            422,
            "envelope.invalid_time",
        ),
        (
            with(("dataschema", "https://a.example/2")),
            DATA,
            422,
            "schema.required_missing",
        ),
        (with(("a", "b")), "", 422, "envelope.missing_data"),
        (with(("a", "b")), "null", 422, "schema.type_mismatch"),
        (with(("a", "b")), "[]", 422, "schema.type_mismatch"),
        (with(("a", "b")), "canary7Q", 400, "parse.json"),
        (
            with(("a", "b")),
            "{\"url\":1,\"url\":2}",
            400,
            "parse.repeated_name",
        ),
        (
            vec![("specversion", "1.0")],
            DATA,
            422,
            "envelope.missing_id",
        ),
        (
            vec![("specversion", "2.0")],
            DATA,
            422,
            "envelope.invalid_version",
        ),
        (
            vec![("specversion", "")],
            DATA,
            422,
            "envelope.invalid_version",
        ),
    ] {
        let (got, answer) = binary(&server, &key, &attributes, data).await;
        assert_eq!(
            (got, &answer["reason"]),
            (status, &json!(reason)),
            "{attributes:?} {answer}"
        );
        let text = answer.to_string().to_lowercase();
        assert!(!text.contains("canary7q"), "{text}");
    }
    assert_balanced(&server).await;
}

#[tokio::test]
async fn the_media_type_says_which_mode_it_is() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let send = async |path: &str, media_type: Option<&str>, body: &Value| {
        let mut request = server.request(Method::POST, path, &key);
        for (name, value) in [
            ("specversion", "1.0"),
            ("type", "page.viewed"),
            ("source", "s"),
            ("id", "header"),
        ] {
            request = request.header(format!("ce-{name}"), value);
        }
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        answer(request.body(body.to_string())).await
    };
    let event = page_view("body");
    let events = "/v1/events";
    // What stands in the body counts, if it is an event or a batch; else the headers do.
    for (media_type, body, accepted) in [
        (ONE, event.clone(), 1),
        (MANY, json!([page_view("a"), page_view("b")]), 2),
        (
            "application/vnd.shop+json; charset=UTF-8",
            json!({ "url": "u" }),
            1,
        ),
    ] {
        let (status, answer) = send(events, Some(media_type), &body).await;
        assert_eq!(
            (status, &answer["accepted"]),
            (202, &json!(accepted)),
            "{media_type} {answer}"
        );
    }
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM event ORDER BY id")
        .fetch_all(&mut server.data().connect().await)
        .await
        .unwrap();
    assert_eq!(ids, ["a", "b", "body", "header"]);
    for media_type in [
        Some("text/plain"),
        Some("application/cloudevents+xml"),
        Some("application/octet-stream"),
        None,
    ] {
        let (status, answer) = send(events, media_type, &event).await;
        assert_eq!(
            (status, &answer["reason"]),
            (415, &json!("transport.content_type")),
            "{media_type:?}"
        );
    }
    // A lead is no event.
    let (status, _) = send(
        "/v1/leads",
        Some(PLAIN),
        &json!({ "email": "ada@person.example" }),
    )
    .await;
    assert_eq!(status, 201);
    // Without the mark, they are headers like any other.
    let request = server
        .request(Method::POST, events, &key)
        .header("ce-id", "%zz")
        .header("content-type", PLAIN);
    let (status, _) = answer(request.body(page_view("unmarked").to_string())).await;
    assert_eq!(status, 202);
    assert_balanced(&server).await;
}
