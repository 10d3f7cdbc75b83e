//! What header fields may say, in whatever form RFC 9110 lets them say it.

use std::io::Write as _;

use crate::{
    harness::{ADMIN_TOKEN, ALL_SCOPES, Key, Server, page_view},
    raw::{Answer, ask},
};

/// An event under these fields.
fn post_event(server: &Server, key: &Key, fields: &str, body: &[u8]) -> Answer {
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\ncontent-length: {}\r\n{fields}\r\n",
        key.text,
        body.len()
    );
    ask(server.public_address(), [head.as_bytes(), body].concat())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn media_types_are_read_with_their_quotes() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = page_view(1).to_string();
    let (content_type, charset) = ("transport.content_type", "transport.charset");
    for (fields, reason) in [
        ("content-type: application/json\r\n", ""),
        ("content-type: APPLICATION/Json\r\n", ""),
        ("content-type: application/json;\r\n", ""),
        ("content-type: application/json ; Charset=UTF-8\r\n", ""),
        ("content-type: application/json; charset=\"utf-8\"\r\n", ""),
        (
            "content-type: application/json; x=\"a;charset=latin1\"\r\n",
            "",
        ),
        (
            "content-type: application/json; x=\"\\\";charset=latin1\"\r\n",
            "",
        ),
        (
            "content-type: application/CloudEvents+json; charset=utf-8\r\n",
            "",
        ),
        (
            "content-type: application/json; charset=latin1\r\n",
            charset,
        ),
        (
            "content-type: application/json; charset=\"utf-16\"\r\n",
            charset,
        ),
        (
            "content-type: application/json; x=\"\\\\\";charset=latin1\r\n",
            charset,
        ),
        (
            "content-type: application/json; charset=utf-8; charset=latin1\r\n",
            charset,
        ),
        ("", content_type),
        ("content-type:\r\n", content_type),
        ("content-type: text/json\r\n", content_type),
        ("content-type: application/jsonx\r\n", content_type),
        (
            "content-type: application/json charset=utf-8\r\n",
            content_type,
        ),
        ("content-type: application/json; x=\"open\r\n", content_type),
        (
            "content-type: application/json, application/json\r\n",
            content_type,
        ),
        (
            "content-type: application/json\r\ncontent-type: application/json\r\n",
            content_type,
        ),
    ] {
        let answer = post_event(&server, &key, fields, event.as_bytes());
        if reason.is_empty() {
            assert_eq!(answer.status, 202, "{fields}: {answer:?}");
            continue;
        }
        assert_eq!(answer.status, 415, "{fields}: {answer:?}");
        assert_eq!(answer.json()["reason"], reason, "{fields}");
        let accept = answer.field("accept").unwrap_or_default();
        let names_media_types = accept.contains("application/cloudevents+json");
        assert_eq!(
            names_media_types,
            reason == content_type,
            "{fields}: {answer:?}"
        );
        assert_eq!(answer.field("accept-encoding"), None, "{fields}");
    }
    let lead = ask(
        server.public_address(),
        format!(
            "POST /v1/leads HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\ncontent-length: 2\r\n\r\n{{}}",
            key.text
        ),
    );
    assert_eq!(
        (lead.status, lead.field("accept")),
        (415, Some("application/json"))
    );
}

#[tokio::test]
async fn content_codings_are_a_list_and_an_unknown_one_names_the_known() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = page_view(1).to_string().into_bytes();
    let limits = b"{}".to_vec();
    for (fields, packed, is_known) in [
        ("", false, true),
        ("content-encoding:\r\n", false, true),
        ("content-encoding: identity\r\n", false, true),
        ("content-encoding: Identity, ,\r\n", false, true),
        ("content-encoding: gzip\r\n", true, true),
        ("content-encoding: GZIP\r\n", true, true),
        ("content-encoding: x-gzip\r\n", true, true),
        ("content-encoding: X-GZip\r\n", true, true),
        ("content-encoding: gzip, identity\r\n", true, true),
        ("content-encoding: ,gzip,,\r\n", true, true),
        (
            "content-encoding: identity\r\ncontent-encoding: gzip\r\n",
            true,
            true,
        ),
        ("content-encoding: br\r\n", true, false),
        ("content-encoding: gzip, br\r\n", true, false),
        (
            "content-encoding: gzip\r\ncontent-encoding: zstd\r\n",
            true,
            false,
        ),
        ("content-encoding: gzip, x-gzip\r\n", true, false),
        ("content-encoding: gzip;q=1\r\n", true, false),
    ] {
        let body = if packed { gzip(&event) } else { event.clone() };
        let json = format!("content-type: application/json\r\n{fields}");
        let public = post_event(&server, &key, &json, &body);
        let body = if packed {
            gzip(&limits)
        } else {
            limits.clone()
        };
        let head = format!(
            "PUT /admin/limits HTTP/1.1\r\nhost: a\r\nauthorization: BEARER   {ADMIN_TOKEN}\r\n\
             content-length: {}\r\n{fields}\r\n",
            body.len()
        );
        let admin = ask(server.admin_address(), [head.as_bytes(), &body].concat());
        for (answer, done) in [(public, 202), (admin, 204)] {
            if is_known {
                assert_eq!(answer.status, done, "{fields}: {answer:?}");
            } else {
                assert_eq!(answer.status, 415, "{fields}: {answer:?}");
                assert_eq!(answer.json()["reason"], "transport.encoding", "{fields}");
                let codings = answer.field("accept-encoding");
                assert_eq!(codings, Some("gzip, identity"), "{fields}: {answer:?}");
                assert_eq!(answer.field("accept"), None, "{fields}");
            }
        }
    }
}

#[tokio::test]
async fn credentials_are_of_any_case_and_one_key_may_stand_there_twice() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await.text;
    let other = server.issue("acme", &ALL_SCOPES).await.text;
    for (fields, status) in [
        (format!("authorization: Bearer {key}\r\n"), 404),
        (format!("authorization: bearer {key}\r\n"), 404),
        (format!("Authorization: BEARER    {key}\r\n"), 404),
        (format!("X-API-KEY: {key}\r\n"), 404),
        (
            format!("x-api-key: {key}\r\nauthorization: bearer  {key}\r\n"),
            404,
        ),
        (
            format!("x-api-key: {key}\r\nauthorization: Basic eDp5\r\n"),
            404,
        ),
        (
            format!("x-api-key: {other}\r\nauthorization: Bearer {key}\r\n"),
            401,
        ),
        (format!("x-api-key: {key}\r\nx-api-key: {other}\r\n"), 401),
        (format!("authorization: {key}\r\n"), 401),
        (format!("authorization: Basic {key}\r\n"), 401),
        (String::new(), 401),
    ] {
        let head = format!("GET /v1/leads/none HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
        let answer = ask(server.public_address(), head);
        assert_eq!(answer.status, status, "{fields}: {answer:?}");
        let challenge = answer.field("www-authenticate");
        assert_eq!(challenge.is_some(), status == 401, "{fields}");
    }
    for (fields, status) in [
        (format!("authorization: bearer {ADMIN_TOKEN}\r\n"), 200),
        (format!("authorization: BEARER {ADMIN_TOKEN}\r\n"), 200),
        (format!("authorization: Bearer     {ADMIN_TOKEN}\r\n"), 200),
        (
            format!("authorization: Basic eDp5\r\nauthorization: bEARER {ADMIN_TOKEN}\r\n"),
            200,
        ),
        (
            format!("authorization: Bearer {ADMIN_TOKEN}\r\nauthorization: Bearer x\r\n"),
            401,
        ),
        (
            format!("authorization: Bearer x\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n"),
            401,
        ),
        (format!("authorization: Bearer{ADMIN_TOKEN}\r\n"), 401),
        (format!("authorization: Basic {ADMIN_TOKEN}\r\n"), 401),
        (format!("authorization: {ADMIN_TOKEN}\r\n"), 401),
        (String::new(), 401),
    ] {
        // A network that fails more often than five times is told to wait.
        let fresh;
        let server = if status == 200 {
            &server
        } else {
            fresh = Server::start();
            &fresh
        };
        for path in ["/metrics", "/admin/api-keys", "/admin/quality"] {
            let head =
                format!("GET {path} HTTP/1.1\r\nhost: a\r\n{fields}connection: close\r\n\r\n");
            let answer = ask(server.admin_address(), head);
            assert_eq!(answer.status, status, "{path} {fields}");
        }
    }
}

#[tokio::test]
async fn several_accept_lines_are_one_list() {
    let server = Server::start();
    for (fields, is_open_metrics) in [
        ("", false),
        (
            "accept: text/plain\r\naccept: application/openmetrics-text\r\n",
            true,
        ),
        (
            "accept: application/openmetrics-text;q=0.5\r\naccept: text/plain\r\n",
            false,
        ),
        (
            "accept: */*\r\nAccept: Application/OpenMetrics-Text;version=\"1.0.0\"\r\n",
            true,
        ),
        (
            "accept: text/html;x=\",\"\r\naccept: application/openmetrics-text;q=0\r\n",
            false,
        ),
    ] {
        let head = format!(
            "GET /metrics HTTP/1.1\r\nhost: a\r\nauthorization: bearer {ADMIN_TOKEN}\r\n{fields}\r\n"
        );
        let answer = ask(server.admin_address(), head);
        let media_type = answer.field("content-type").unwrap();
        let found = media_type.starts_with("application/openmetrics-text");
        assert_eq!(found, is_open_metrics, "{fields}: {media_type}");
    }
}

#[tokio::test]
async fn a_malformed_traceparent_starts_a_trace_of_its_own() {
    let server = Server::start();
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let good = format!("00-{trace}-{parent}-01");
    for lines in [
        vec![format!("00-{trace}-{parent}-1")],
        vec![format!("00-{trace}-{parent}-001")],
        vec![format!("00-{trace}-{parent}-01-")],
        vec![format!("0-{trace}-{parent}-01")],
        vec![format!("000-{trace}-{parent}-01")],
        vec![format!("ff-{trace}-{parent}-01")],
        vec![format!("00-{}-{parent}-01", trace.to_uppercase())],
        vec![format!("00-{}-{parent}-01", "0".repeat(32))],
        vec![format!("00-{trace}-{}-01", "0".repeat(16))],
        vec![good.clone(), format!("00-{}-{parent}-01", "1".repeat(32))],
        vec![good],
    ] {
        let lines: String = lines
            .iter()
            .map(|line| format!("traceparent: {line}\r\n"))
            .collect();
        let head = format!("GET /none HTTP/1.1\r\nhost: a\r\n{lines}tracestate: a=b\r\n\r\n");
        for address in [server.public_address(), server.admin_address()] {
            let answer = ask(address, &head);
            assert_eq!(answer.status, 404, "{lines}");
            let id = answer.json()["trace_id"].as_str().unwrap().to_owned();
            assert!(
                id.len() == 32 && id != trace && id != "1".repeat(32),
                "{lines}: {id}"
            );
        }
    }
}
