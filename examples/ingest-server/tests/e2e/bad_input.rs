//! Whatever is sent, the answer says what is wrong with it, repeats nothing of it, and the server
//! keeps serving.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ADMIN_TOKEN, ALL_SCOPES, Key, Server, page_view};

const CANARY: &str = "canary7Q";

/// A body, its media type, and the answer it deserves.
pub(crate) struct Case {
    name: &'static str,
    media_type: &'static str,
    body: Vec<u8>,
    status: u16,
    pub(crate) reason: &'static str,
}

fn case(name: &'static str, body: impl Into<Vec<u8>>, status: u16, reason: &'static str) -> Case {
    Case {
        name,
        media_type: "application/json",
        body: body.into(),
        status,
        reason,
    }
}

fn event(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut event = page_view("1");
    change(&mut event);
    event.to_string().into_bytes()
}

pub(crate) fn cases() -> Vec<Case> {
    let nested = format!("{}{CANARY}{}", "{\"a\":".repeat(100), "}".repeat(100));
    let mut invalid_utf8 = event(|event| event["id"] = json!("X"));
    let at = invalid_utf8.iter().position(|byte| *byte == b'X').unwrap();
    invalid_utf8[at] = 0xff;
    let large = event(|event| event["data"]["url"] = json!(CANARY.repeat(262_144)));
    vec![
        case(
            "not JSON",
            format!("{CANARY} is not JSON"),
            400,
            "parse.json",
        ),
        case("truncated JSON", &event(|_| {})[..60], 400, "parse.json"),
        case("an empty body", "", 400, "parse.json"),
        case("a body of 2 MiB", large, 413, "transport.too_large"),
        case("depth 100", nested, 400, "parse.depth"),
        case("invalid UTF-8", invalid_utf8, 400, "parse.utf8"),
        Case {
            media_type: "text/canary7Q",
            ..case(
                "a wrong content type",
                event(|_| {}),
                415,
                "transport.content_type",
            )
        },
        case(
            "an unknown type",
            event(|event| event["type"] = json!(CANARY)),
            422,
            "schema.unplanned_event",
        ),
        case(
            "an unknown version",
            event(|event| event["dataschema"] = json!("https://canary7Q.example/99")),
            422,
            "schema.unknown_version",
        ),
        case(
            "a missing field",
            event(|event| event["data"] = json!({})),
            422,
            "schema.required_missing",
        ),
        case(
            "a wrong type of field",
            event(|event| event["data"]["url"] = json!({ CANARY: CANARY })),
            422,
            "schema.type_mismatch",
        ),
        case(
            "an unknown field",
            event(|event| event["data"][CANARY] = json!(CANARY)),
            422,
            "schema.additional_property",
        ),
        case(
            "the year 9999",
            event(|event| event["time"] = json!("9999-12-31T23:59:59Z")),
            422,
            "semantic.time_future",
        ),
        case(
            "the year 1999",
            event(|event| event["time"] = json!("1999-12-31T23:59:59Z")),
            422,
            "semantic.time_past",
        ),
        case(
            "a broken time",
            event(|event| event["time"] = json!(CANARY)),
            422,
            "envelope.invalid_time",
        ),
        case(
            "no id",
            event(|event| drop(event.as_object_mut().unwrap().remove("id"))),
            422,
            "envelope.missing_id",
        ),
        case(
            "a wrong id",
            event(|event| event["id"] = json!([CANARY])),
            422,
            "envelope.invalid_id",
        ),
        case(
            "a wrong source",
            event(|event| event["source"] = json!("a canary7Q")),
            422,
            "envelope.invalid_source",
        ),
        case(
            "a wrong envelope version",
            event(|event| event["specversion"] = json!(CANARY)),
            422,
            "envelope.invalid_version",
        ),
        case(
            "no data",
            event(|event| drop(event.as_object_mut().unwrap().remove("data"))),
            422,
            "envelope.missing_data",
        ),
        case(
            "a name that no attribute has",
            event(|event| event[CANARY] = json!(CANARY)),
            422,
            "envelope.invalid_attribute",
        ),
        case(
            "data twice",
            event(|event| event["data_base64"] = json!(CANARY)),
            422,
            "envelope.invalid_data",
        ),
        case(
            "a number out of range",
            String::from_utf8(event(|event| event["data"]["url"] = json!(7)))
                .unwrap()
                .replace(":7", ":1e999"),
            400,
            "parse.number",
        ),
        case(
            "a name twice",
            String::from_utf8(event(|_| {}))
                .unwrap()
                .replace("{\"url\"", "{\"canary7Q\":1,\"canary7Q\":2,\"url\""),
            400,
            "parse.repeated_name",
        ),
        case(
            "an e-mail that is none",
            json!({
                "type": "form.submitted", "source": "test/web", "id": "1",
                "data": { "form": "f", "email": CANARY }
            })
            .to_string(),
            422,
            "schema.constraint",
        ),
    ]
}

pub(crate) async fn send(server: &Server, key: &Key, case: Case) -> Response {
    server
        .request(Method::POST, "/v1/events", key)
        .header("content-type", case.media_type)
        .body(case.body)
        .send()
        .await
        .unwrap()
}

async fn assert_serves(server: &Server, key: &Key) {
    let answer = server
        .post("/v1/events", key, &page_view("good"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn each_bad_input_has_its_own_problem_and_repeats_nothing() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut reasons = BTreeSet::new();
    for case in cases() {
        let (name, status, reason) = (case.name, case.status, case.reason);
        let answer = send(&server, &key, case).await;
        assert_eq!(answer.status().as_u16(), status, "{name}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{name}"
        );
        let text = answer.text().await.unwrap();
        assert!(!text.contains(CANARY), "{name}: {text}");
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(problem["reason"], reason, "{name}: {text}");
        assert_eq!(problem["status"], status, "{name}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{name}");
        reasons.insert(reason);
        assert_serves(&server, &key).await;
    }
    assert!(reasons.len() >= 18, "{reasons:?}");
    assert!(!server.logs().contains(CANARY));
}

#[tokio::test]
async fn packed_bodies_are_read_and_bombs_are_not() {
    use std::io::Write as _;
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let good = gzip(page_view(1).to_string().as_bytes());
    let bomb = gzip(&vec![b' '; 100 << 20]);
    for (encoding, body, status) in [
        ("gzip", good.clone(), 202),
        ("gzip", bomb, 413),
        ("gzip", b"not gzip".to_vec(), 400),
        ("gzip", good[..good.len() / 2].to_vec(), 400),
        // Two texts are no text; one text in two members is.
        ("gzip", good.repeat(2), 400),
        ("gzip", [&*good, b"{}"].concat(), 400),
        ("gzip", [gzip(b"[7"), gzip(b"]")].concat(), 422),
        ("br", good, 415),
    ] {
        let answer = server
            .request(Method::POST, "/v1/events", &key)
            .header("content-type", "application/json")
            .header("content-encoding", encoding)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{encoding}");
    }
    assert_serves(&server, &key).await;
}

#[tokio::test]
async fn leads_are_checked_like_events() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (body, reason) in [
        (json!({}), "schema.constraint"),
        (json!({ "email": CANARY }), "schema.constraint"),
        (json!({ "phone": CANARY }), "schema.constraint"),
        (
            json!({ "national_id": "111.111.111-11" }),
            "schema.constraint",
        ),
        (json!({ "email": 7 }), "schema.type_mismatch"),
        (json!({ CANARY: 1 }), "schema.additional_property"),
    ] {
        let answer = server.post("/v1/leads", &key, &body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains(CANARY), "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap()["reason"],
            reason,
            "{text}"
        );
    }
    for path in [
        "/v1/leads",
        "/v1/leads?email=canary7Q",
        "/v1/leads?shoe=42",
        "/v1/leads?email=%FF",
        "/v1/leads?email=a@b.example&after=canary7Q",
    ] {
        let answer = server
            .request(Method::GET, path, &key)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{path}"
        );
        assert!(!answer.text().await.unwrap().contains(CANARY));
    }
    for (method, path, status) in [
        (Method::GET, "/v1/leads/canary7Q", 404),
        (Method::GET, "/canary7Q", 404),
        (Method::PUT, "/v1/events", 405),
    ] {
        let answer = server.request(method, path, &key).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{path}"
        );
        assert!(!answer.text().await.unwrap().contains(CANARY));
    }
}

#[tokio::test]
async fn every_error_is_a_problem_and_a_stranger_learns_nothing_but_that_a_key_is_missing() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let large = vec![b' '; 3 << 20];
    let stranger = reqwest::Client::new();
    for (name, request, status) in [
        (
            "a path of a stranger",
            stranger.get(server.public_url("/v1/leads/%FF")),
            401,
        ),
        (
            "a query of a stranger",
            stranger.get(server.public_url("/v1/leads?shoe=42")),
            401,
        ),
        (
            "a path",
            server.request(Method::GET, "/v1/leads/%FF", &key),
            404,
        ),
        (
            "a kid",
            server.admin(Method::GET, "/admin/api-keys/%FF"),
            404,
        ),
        (
            "a kid to revoke",
            server.admin(Method::DELETE, "/admin/api-keys/%FF"),
            404,
        ),
        (
            "a page",
            server.admin(Method::GET, "/admin/api-keys?limit=0"),
            400,
        ),
        (
            "large limits",
            server
                .admin(Method::PUT, "/admin/limits")
                .body(large.clone()),
            413,
        ),
        (
            "a large key",
            server.admin(Method::POST, "/admin/api-keys").body(large),
            413,
        ),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{name}");
        let media_type = &answer.headers()["content-type"];
        assert_eq!(media_type, "application/problem+json", "{name}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], status, "{name}");
    }
}

#[tokio::test]
async fn slow_heads_and_slow_bodies_are_ended_with_a_problem() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n",
        key.text
    );
    let admin = format!(
        "PUT /admin/limits HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n\
         content-length: 1000\r\n\r\n{{"
    );
    let [public, operators] = [server.public_address(), server.admin_address()];
    let requests = [
        ("head", public, head.clone()),
        ("body", public, format!("{head}\r\n{{")),
        ("admin body", operators, admin),
    ];
    let answers = requests.map(|(name, address, sent)| {
        let mut stream = TcpStream::connect(address).unwrap();
        let timeout = Some(Duration::from_secs(20));
        stream.set_read_timeout(timeout).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let answer = tokio::task::spawn_blocking(move || {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        (name, answer)
    });
    for (name, answer) in answers {
        let answer = answer.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{name}: {answer}");
        for part in [
            "application/problem+json",
            "transport.timeout",
            "\"trace_id\":\"",
        ] {
            assert!(answer.contains(part), "{name}: {answer}");
        }
    }
    assert_serves(&server, &key).await;
    let metrics = server.metrics().await;
    let rejected = metrics.get("dq_rejected_total{reason=\"transport.timeout\"}");
    assert_eq!(rejected, Some(&2.0));
}
