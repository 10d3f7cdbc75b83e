//! Requests that bring canaries in wherever a request has room for something.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{canaries::Canaries, surface::Route};
use crate::{
    harness::{Key, Server},
    raw::ask,
};

/// Header fields that senders, browsers, proxies and tracing agents send, and some that nobody does.
const HEADERS: [&str; 36] = [
    "accept",
    "accept-language",
    "b3",
    "baggage",
    "cache-control",
    "ce-id",
    "ce-source",
    "ce-subject",
    "ce-type",
    "ce-whatever",
    "cookie",
    "forwarded",
    "from",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "origin",
    "pragma",
    "proxy-authorization",
    "range",
    "referer",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "user-agent",
    "via",
    "x-access-reason",
    "x-api-key",
    "x-b3-traceid",
    "x-correlation-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "x-request-id",
    "x-whatever",
];

/// More than any body may have.
const TOO_LARGE: usize = 3 << 20;

/// What is sent to a server, and what it answers.
pub(super) struct Traffic<'a> {
    pub(super) server: &'a Server,
    pub(super) key: Key,
    pub(super) canaries: &'a mut Canaries,
    /// To what, and the answer with its head.
    pub(super) answers: Vec<(String, Vec<u8>)>,
    /// The trace of a caller, which spans link to.
    pub(super) traceparent: String,
}

impl Traffic<'_> {
    /// A request to a route by who may make it.
    pub(super) fn ask(&self, route: &Route, path_and_query: &str) -> RequestBuilder {
        let method = route.method.clone();
        if route.is_admin {
            self.server.admin(method, path_and_query)
        } else {
            self.server.request(method, path_and_query, &self.key)
        }
    }

    /// Sends a request, keeps its answer, and gives it.
    pub(super) async fn send(&mut self, to: &str, request: RequestBuilder) -> (StatusCode, String) {
        // A body that is refused early may end the connection before it was sent.
        let Ok(mut answer) = request.send().await else {
            return (StatusCode::REQUEST_TIMEOUT, String::new());
        };
        let (status, head) = (answer.status(), format!("{:?}", answer.headers()));
        let kind = answer.headers().get("content-type");
        let is_stream = kind.is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream {
            // What has no end is not read to it.
            let first = answer.chunk().await.ok().flatten().unwrap_or_default();
            String::from_utf8_lossy(&first).into_owned()
        } else {
            answer.text().await.unwrap_or_default()
        };
        self.answers.push((
            to.to_owned(),
            format!("{status} {head}\n{body}").into_bytes(),
        ));
        (status, body)
    }

    /// Canaries in all that this route looks at and in all that it does not.
    pub(super) async fn try_route(&mut self, route: &Route) {
        let name = route.name();
        let mut request = self.ask(route, &route.with("none"));
        for header in HEADERS {
            let value = match header {
                "traceparent" => self.traceparent.clone(),
                "baggage" => format!(
                    "user={}",
                    self.canaries.word(&format!("{header} of {name}"))
                ),
                "tracestate" => format!("q={}", self.canaries.word(&format!("{header} of {name}"))),
                _ => self.canaries.text(&format!("{header} of {name}")),
            };
            request = request.header(header, value);
        }
        let called = self
            .canaries
            .word(&format!("the name of a header of {name}"));
        request = request.header(called, "1");
        let large = self.canaries.word(&format!("a large header of {name}"));
        request = request.header("x-large", large.repeat(500));
        if route.takes_a_body() {
            let body = self.object(&format!("a body of {name}"));
            request = request.json(&body);
        }
        self.send(&name, request).await;

        if route.has_parameter() {
            let in_path = self.canaries.email(&format!("the path of {name}"));
            let request = self.ask(route, &route.with(&in_path));
            self.send(&name, request).await;
        }

        let [key, value, known] = ["a parameter's name", "a parameter", "a known parameter"]
            .map(|what| self.canaries.word(&format!("{what} of {name}")));
        let email = self.canaries.email(&format!("a parameter of {name}"));
        for query in [
            format!("{key}={value}"),
            format!("email={email}&email={email}"),
            format!("phone=%FF{known}"),
            format!("tenant={email}&limit={known}"),
            format!("after={known}&email={email}"),
            format!("days={known}"),
            format!("wait={known}"),
        ] {
            let request = self.ask(route, &format!("{}?{query}", route.with("none")));
            self.send(&name, request).await;
        }
        self.try_credentials(route).await;
        if route.takes_a_body() {
            self.try_bodies(route).await;
        }
    }

    /// With credentials that are none.
    async fn try_credentials(&mut self, route: &Route) {
        let name = route.name();
        let (word, text) = (
            self.canaries.word(&format!("a token of {name}")),
            self.canaries.text(&format!("credentials of {name}")),
        );
        let base = if route.is_admin {
            format!("http://{}", self.server.admin_address())
        } else {
            self.server.public_url("")
        };
        let client = reqwest::Client::new();
        for credentials in [
            format!("Bearer {word}"),
            format!("Basic {text}"),
            text.clone(),
        ] {
            let url = format!("{base}{}", route.with("none"));
            let request = client.request(route.method.clone(), url);
            let request = request.header("authorization", credentials);
            self.send(&name, request).await;
        }
    }

    /// Bodies that are not what they should be.
    async fn try_bodies(&mut self, route: &Route) {
        let name = route.name();
        let body = |what: &str| format!("{what} of {name}");
        let object = self.object(&body("a packed body")).to_string();
        let cut = self.object(&body("a body that is cut off")).to_string();
        let large = self.canaries.text(&body("a body that is too large"));
        let form = self.canaries.text(&body("a form"));
        let [media_type, encoding] = ["a media type", "a content encoding"]
            .map(|what| self.canaries.word(&format!("{what} of {name}")));
        let invalid = self.canaries.text(&body("a body that is no text"));
        let scalar = self.canaries.text(&body("a body that is one text"));
        let deep = self.canaries.text(&body("a body that is too deep"));
        let deep = format!("{}\"{deep}\"{}", "[".repeat(200), "]".repeat(200));
        let repeated = self.canaries.text(&body("a body with a name twice"));
        let repeated = format!("{{\"{repeated}\":1,\"{repeated}\":\"{repeated}\"}}");
        let json = "application/json";
        for (content_type, content_encoding, bytes) in [
            (json, None, cut.as_bytes()[..cut.len() - 2].to_vec()),
            (
                json,
                None,
                large.repeat(TOO_LARGE / large.len()).into_bytes(),
            ),
            (json, None, [invalid.as_bytes(), b"\xff\xfe"].concat()),
            (json, None, json!(scalar).to_string().into_bytes()),
            (json, None, deep.into_bytes()),
            (json, None, repeated.into_bytes()),
            (json, Some("gzip"), packed(object.as_bytes())),
            (json, Some("gzip"), object.clone().into_bytes()),
            (json, Some(&*encoding), object.clone().into_bytes()),
            ("application/x-www-form-urlencoded", None, form.into_bytes()),
            (&*format!("text/{media_type}"), None, object.into_bytes()),
        ] {
            let mut request = self.ask(route, &route.with("none"));
            if let Some(encoding) = content_encoding {
                request = request.header("content-encoding", encoding);
            }
            let request = request.header("content-type", content_type).body(bytes);
            self.send(&name, request).await;
        }
    }

    /// An object with canaries in names and values of all kinds, and in the members that records have.
    fn object(&mut self, place: &str) -> Value {
        let mut text = |what: &str| self.canaries.text(&format!("{what} of {place}"));
        let mut object = json!({
            "id": text("the id"), "source": text("the source"), "subject": text("the subject"),
            "type": text("the type"), "dataschema": text("the schema"), "time": text("the time"),
            "data": { "url": text("the URL"), "nested": [{ "deep": text("a deep member") }] },
            "tenant": text("the tenant"), "lead": text("the lead"), "purpose": text("the purpose"),
            "email": text("the e-mail address"), "phone": text("the phone number"),
            "name": text("the name"), "national_id": text("the national id"),
        });
        let called = text("the name of a member");
        object[called] = json!(text("an unknown member"));
        object
    }

    /// What no HTTP library sends.
    pub(super) fn try_heads(&mut self) {
        for (listener, address) in [
            ("public", self.server.public_address().to_owned()),
            ("admin", self.server.admin_address().to_owned()),
        ] {
            let mut word = |what: &str| self.canaries.word(&format!("{what}, {listener}"));
            let heads = [
                (
                    "a method",
                    format!("{} / HTTP/1.1\r\nhost: a\r\n", word("a method")),
                ),
                (
                    "a version",
                    format!("GET / HTTP/{}\r\nhost: a\r\n", word("a version")),
                ),
                (
                    "a target",
                    format!("GET http://{}@a/ HTTP/1.1\r\nhost: a\r\n", word("a target")),
                ),
                (
                    "a host",
                    format!("GET / HTTP/1.1\r\nhost: {}.example\r\n", word("a host")),
                ),
                (
                    "a bad host",
                    format!("GET / HTTP/1.1\r\nhost: a b {}\r\n", word("a bad host")),
                ),
                (
                    "a bad line",
                    format!(
                        "GET / HTTP/1.1\r\nhost: a\r\n{} is no field\r\n",
                        word("a bad line")
                    ),
                ),
                (
                    "a control character",
                    format!(
                        "GET / HTTP/1.1\r\nhost: a\r\nx: {}\x01\r\n",
                        word("a control character")
                    ),
                ),
                (
                    "an expectation",
                    format!(
                        "GET / HTTP/1.1\r\nhost: a\r\nexpect: {}\r\n",
                        word("an expectation")
                    ),
                ),
                (
                    "a transfer coding",
                    format!(
                        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: {}\r\n",
                        word("a transfer coding")
                    ),
                ),
                (
                    "a length",
                    format!(
                        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n",
                        word("a length")
                    ),
                ),
                (
                    "a path",
                    format!("GET /{} HTTP/1.1\r\nhost: a\r\n", word("a path")),
                ),
            ];
            for (what, head) in heads {
                let answer = ask(&address, format!("{head}connection: close\r\n\r\n"));
                let answer = format!("{answer:?}").into_bytes();
                self.answers.push((format!("{what}, {listener}"), answer));
            }
        }
    }

    /// Sends something that is to be taken.
    pub(super) async fn accept(&mut self, method: Method, path: &str, body: &Value) -> Value {
        let request = self
            .server
            .request(method.clone(), path, &self.key)
            .json(body);
        let (status, answer) = self.send(&format!("{method} {path}"), request).await;
        assert!(status.is_success(), "{method} {path}: {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
