//! Heads that HTTP/1.1 does not allow are refused by both listeners, in the same way as everything
//! else: a problem, a trace, a count, an entry in the accounting (RFC 9110, RFC 9112).

use serde_json::Value;

use crate::{
    conservation::Conservation,
    harness::{ADMIN_TOKEN, ALL_SCOPES, Server, page_view, wait_for},
    raw::{Answer, Raw, ask},
};

const CANARY: &str = "canary7Q";

/// A head without its end, what is answered, and why.
struct Case {
    head: String,
    status: u16,
    reason: &'static str,
}

fn refused(head: impl Into<String>, status: u16, reason: &'static str) -> Case {
    Case {
        head: head.into(),
        status,
        reason,
    }
}

/// A request for what both listeners have not: whatever is refused, is refused before the route.
fn with(fields: &str) -> String {
    format!("POST /v1/events HTTP/1.1\r\n{fields}\r\n")
}

fn refused_heads() -> Vec<Case> {
    let malformed = |head: &str| refused(head, 400, "transport.malformed");
    let unknown = |head: &str| refused(head, 501, "transport.not_implemented");
    // No host, several, and what is none.
    let mut cases = vec![
        malformed(&with("")),
        malformed(&with("host: a\r\nhost: a\r\n")),
        malformed(&with("host: a\r\nHost: b\r\n")),
        malformed("GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n"),
    ];
    for host in [
        "a b",
        "a/b",
        "a@b",
        "http://a",
        "a:b",
        "a:80:80",
        "a:99999",
        "[::1",
        "::1",
        "a\\b",
        "a%4",
        "a?canary7Q",
        "a#b",
        "caf\u{e9}",
        "<script>",
    ] {
        cases.push(malformed(&with(&format!("host: {host}\r\n"))));
        cases.push(malformed(&format!(
            "GET / HTTP/1.0\r\nhost: {host}\r\n\r\n"
        )));
    }
    // A target that names its host does not stand for `Host`, and its own host has to be one.
    cases.push(malformed("GET http://a/healthz HTTP/1.1\r\n\r\n"));
    for target in [
        "http://u:p@a/",
        "ftp://a/",
        "a",
        "a:80",
        "*",
        "/a#canary7Q",
        "http://a:b/",
        "http://[::1/",
    ] {
        cases.push(malformed(&format!(
            "GET {target} HTTP/1.1\r\nhost: a\r\n\r\n"
        )));
    }
    // How the body ends.
    for fields in [
        "content-length: 1\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 1\r\n",
        "content-length: 1\r\ncontent-length: 2\r\n",
        "content-length: 1, 2\r\n",
        "content-length: +1\r\n",
        "content-length: -1\r\n",
        "content-length: canary7Q\r\n",
        "content-length:\r\n",
        "transfer-encoding: gzip\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: canary7Q\r\n",
        "transfer-encoding:\r\n",
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: chunked, gzip\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: chunked;a=b\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    ] {
        cases.push(malformed(&with(&format!("host: a\r\n{fields}"))));
    }
    for fields in [
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: identity, chunked\r\n",
        "transfer-encoding: canary7Q, chunked\r\n",
        "transfer-encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    ] {
        cases.push(unknown(&with(&format!("host: a\r\n{fields}"))));
    }
    cases.push(malformed(
        "POST /v1/events HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
    ));
    cases.push(refused(
        with(&format!(
            "host: a\r\ncontent-length: {}\r\n",
            "9".repeat(40)
        )),
        413,
        "transport.too_large",
    ));
    // Methods and expectations.
    for method in ["BREW", "get", "CANARY7Q", "PROPFIND"] {
        cases.push(unknown(&format!("{method} / HTTP/1.1\r\nhost: a\r\n\r\n")));
    }
    cases.push(unknown("CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n"));
    for expected in ["canary7Q", "100-continue, canary7Q", "200-ok"] {
        let head = with(&format!("host: a\r\nexpect: {expected}\r\n"));
        cases.push(refused(head, 417, "transport.expectation"));
    }
    // Too long, whole or endless.
    let long = "a".repeat(9 << 10);
    let head = format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n");
    cases.push(refused(head, 414, "transport.target_too_long"));
    cases.push(refused(
        format!("GET /{long}"),
        414,
        "transport.target_too_long",
    ));
    cases.push(unknown(&"A".repeat(2 << 10)));
    let large = "a".repeat(17 << 10);
    for fields in [
        format!("host: a\r\nx: {large}\r\n"),
        format!("host: a\r\n{}", "x: y\r\n".repeat(101)),
    ] {
        cases.push(refused(with(&fields), 431, "transport.head_too_large"));
    }
    // Versions.
    for version in ["0.9", "1.2", "1.9", "2.0", "3.0"] {
        let head = format!("GET / HTTP/{version}\r\nhost: a\r\n\r\n");
        cases.push(refused(head, 505, "transport.http_version"));
    }
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    cases.push(refused(preface, 505, "transport.http_version"));
    // No request at all.
    for head in [
        "canary7Q\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nhost: a\r\n\r\n",
        "GET / canary7Q HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1\r\nhost: a\r\n\r\n",
        "GET / http/1.1\r\nhost: a\r\n\r\n",
        "G@T / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /\u{1} HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\rhost: a\r\n\r\n",
    ] {
        cases.push(malformed(head));
    }
    for line in [
        " folded: first",
        "name : blank",
        "no colon",
        ": no name",
        "n(me: canary7Q",
        "name: a\r\n folded",
        "name: a\rb",
        "name: a\u{0}canary7Q",
        "name: \u{7f}",
        "\rname: a",
    ] {
        cases.push(malformed(&with(&format!("{line}\r\nhost: a\r\n"))));
    }
    cases
}

fn assert_problem(answer: &Answer, status: u16, reason: &str, what: &str) -> String {
    assert_eq!(answer.status, status, "{what:?}: {answer:?}");
    let media_type = answer.field("content-type");
    assert_eq!(media_type, Some("application/problem+json"), "{what:?}");
    assert_eq!(answer.field("connection"), Some("close"), "{what:?}");
    assert_eq!(answer.field("cache-control"), Some("no-store"), "{what:?}");
    assert!(answer.body.ends_with("}\n"), "{what:?}: {answer:?}");
    assert!(!answer.body.contains(CANARY), "{what:?}: {answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{what:?}: {answer:?}");
    assert_eq!(problem["reason"], reason, "{what:?}: {answer:?}");
    assert!(problem["detail"].as_str().unwrap().len() > 10, "{answer:?}");
    problem["trace_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_refused_head_has_a_problem_a_log_line_a_metric_and_an_outcome() {
    let server = Server::start();
    let mut traces = vec![];
    for address in [server.public_address(), server.admin_address()] {
        for case in refused_heads() {
            let mut raw = Raw::connect(address);
            raw.send(&case.head);
            let answer = raw.answer(false);
            traces.push(assert_problem(
                &answer,
                case.status,
                case.reason,
                &case.head,
            ));
            assert!(raw.ends(), "{:?}", case.head);
        }
    }
    // A flood of them is not written whole, and what is left out is counted.
    wait_for("a log line of each", async || {
        let logs = server.logs();
        let logged = traces.iter().filter(|id| logs.contains(*id)).count();
        let dropped = &server.metrics().await["telemetry_log_lines_dropped_total{reason=\"rate\"}"];
        let logged = f64::from(u32::try_from(logged).unwrap());
        (logged >= 100.0 && logged + dropped >= f64::from(u32::try_from(traces.len()).unwrap()))
            .then_some(())
    })
    .await;
    let logs = server.logs();
    assert!(!logs.contains(CANARY));
    for id in traces {
        let mut lines = logs.lines().filter(|line| line.contains(&id));
        assert!(lines.all(|line| line.contains("transport.")), "{id}");
    }
    let metrics = server.metrics().await;
    let cases = refused_heads();
    for status in [400, 413, 414, 417, 431, 501, 505] {
        let expected = cases.iter().filter(|case| case.status == status).count();
        let counted: f64 = metrics
            .iter()
            .filter(|(name, _)| {
                name.starts_with("http_server_request_duration_seconds_count{")
                    && name.contains(&format!("http_response_status_code=\"{status}\""))
            })
            .map(|(_, value)| value)
            .sum();
        // Of both listeners.
        assert_eq!(
            counted,
            f64::from(u32::try_from(2 * expected).unwrap()),
            "{status}"
        );
    }
    // Only the public listener takes records in.
    let expected = Conservation::balanced(f64::from(u32::try_from(cases.len()).unwrap()));
    assert_eq!(Conservation::of(&server).await, expected);
    assert!(metrics.keys().all(|name| !name.contains(CANARY)));
}

#[tokio::test]
async fn what_http_allows_is_served() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let admin = server.admin_address();
    for head in [
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHOST: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost:\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: [::1]:9090\r\n\r\n",
        "GET http://other.example/healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET HTTP://other.example:80/healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        "\r\n\r\nGET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\nhost: a\n\n",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nexpect: ,100-continue,\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
    ] {
        assert_eq!(ask(admin, head).status, 200, "{head:?}");
    }
    let event = page_view(1).to_string();
    let chunks = format!(
        "{:x};ext=\"1\"\r\n{event}\r\n0\r\nx-trailer: 1\r\n\r\n",
        event.len()
    );
    let head = |fields: &str| {
        format!(
            "POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\n{fields}\r\n",
            key.text
        )
    };
    // One after the other on one connection, sent at once.
    let (sized, chunked) = (
        head(&format!("content-length: {}\r\n", event.len())),
        head("transfer-encoding: Chunked\r\n"),
    );
    let mut raw = Raw::connect(server.public_address());
    raw.send(format!(
        "{sized}{event}{chunked}{chunks}{sized}{event}bad\r\n\r\n"
    ));
    for _ in 0..3 {
        let answer = raw.answer(false);
        assert_eq!(answer.status, 202, "{answer:?}");
        assert!(answer.body.ends_with("}\n"), "{answer:?}");
    }
    // What is refused is answered last.
    let answer = raw.answer(false);
    assert_problem(&answer, 400, "transport.malformed", "bad");
    assert!(raw.ends());

    let mut raw = Raw::connect(server.public_address());
    raw.send(head(&format!(
        "expect: 100-continue\r\ncontent-length: {}\r\n",
        event.len()
    )));
    raw.send(&event);
    assert_eq!(raw.answer(false).status, 202);
}

#[tokio::test]
async fn chunks_that_are_none_are_told_as_such() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let public = format!(
        "POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        key.text
    );
    let admin = format!(
        "PUT /admin/limits HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {ADMIN_TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    for (address, head) in [
        (server.public_address(), public),
        (server.admin_address(), admin),
    ] {
        for chunks in [
            "x\r\n",
            "-1\r\n",
            "0x1\r\n",
            "1\n{",
            "1\r\n{}",
            "1\r\n{\n",
            "1;\n",
            "ffffffffffffffffff\r\n",
            "1\r\n{\r\n0\r\nx\n",
        ] {
            let mut raw = Raw::connect(address);
            raw.send(format!("{head}{chunks}"));
            let answer = raw.answer(false);
            assert_eq!(answer.status, 400, "{chunks:?}: {answer:?}");
            assert_eq!(answer.json()["reason"], "transport.malformed", "{chunks:?}");
            assert!(raw.ends(), "{chunks:?}");
        }
    }
}

#[tokio::test]
async fn a_head_that_ends_early_is_answered() {
    let server = Server::start();
    for address in [server.public_address(), server.admin_address()] {
        let mut raw = Raw::connect(address);
        raw.send("GET /healthz HTTP/1.1\r\nhost: ");
        raw.end();
        let answer = raw.answer(false);
        assert_problem(&answer, 400, "transport.incomplete", "half a head");
        assert!(raw.ends());
    }
    let problem: Value = ask(server.public_address(), "HEAD\r\n\r\n").json();
    assert_eq!(problem["reason"], "transport.malformed");
}
