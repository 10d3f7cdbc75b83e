//! A panic says what it likes, and may hold what its request held: none of it is in the answer, the log, the spans or
//! the metrics. With redaction off it is in the log and the spans, which shows that the search would have found it.

use std::{
    fmt::Write as _,
    io,
    panic::take_hook,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, extract::MatchedPath, routing::post};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use portcullis_telemetry::{
    Environment, HttpLayer, Ratio, Redaction, Report, Sampling, Telemetry, log_panics,
    opentelemetry_sdk::{
        error::OTelSdkResult,
        trace::{SpanData, SpanExporter},
    },
};
use tower::ServiceExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::super::guarded;
use crate::{
    clock::SystemClock,
    http::{guards::Guards, run_detached::finish},
    pipeline::RequestsInFlight,
};

/// In the body, the query and a header; the last is in the panic alone.
const CANARIES: [&str; 4] = [
    "canary.body@q7x-sealed.example",
    "canary.query@q7x-sealed.example",
    "canary.header@q7x-sealed.example",
    "+442079460958",
];

/// Log lines and spans, caught in memory.
#[derive(Clone, Debug, Default)]
struct Caught(Arc<Mutex<Vec<u8>>>);

impl Caught {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SpanExporter for Caught {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let mut text = String::new();
        write!(text, "{spans:?}").unwrap();
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Where a panic may be seen.
struct Seen {
    /// Of the request whose handler panicked.
    status: StatusCode,
    report: Report,
    answer: String,
    logs: String,
    spans: String,
    metrics: String,
}

async fn bug(headers: HeaderMap, request: Request<Body>) -> String {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    panic!(
        "no room for {} of {headers:?}, asked for {query}, to be called at {}",
        String::from_utf8_lossy(&body),
        CANARIES[3]
    )
}

/// The same in work that is finished also when its sender is gone.
async fn detached_bug(headers: HeaderMap, request: Request<Body>) -> String {
    let finished = finish(bug(headers, request)).await;
    finished.unwrap_or_else(|problem| format!("{problem:?}"))
}

async fn panics(redaction: Redaction) -> Seen {
    let (logs, spans) = (Caught::default(), Caught::default());
    let writer = logs.clone();
    let (layer, telemetry) = Telemetry::builder("test")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .sampling(Sampling::head(Ratio::ALL))
        .writer(move || writer.clone())
        .redaction(redaction)
        .layer()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let _active = tracing::subscriber::set_default(subscriber);
    let trace = HttpLayer::new(telemetry.registry(), |extensions| {
        extensions.get::<MatchedPath>().map(MatchedPath::as_str)
    });
    let (in_flight, clock) = (RequestsInFlight::new(1), Arc::new(SystemClock));
    let guards = Guards::new(in_flight, clock, trace.unwrap());
    let routes = Router::new()
        .route("/bug", post(bug))
        .route("/detached", post(detached_bug));
    let router = guarded(routes, guards);
    let [body, query, header, _] = CANARIES;
    let (mut answer, mut statuses) = (String::new(), Vec::new());
    for path in ["/bug", "/detached"] {
        let request = Request::post(format!("{path}?email={query}"))
            .header("host", "x")
            .header("user-agent", header)
            .body(Body::from(body))
            .unwrap();
        let answered = router.clone().oneshot(request).await.unwrap();
        let (head, body) = answered.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        statuses.push(head.status);
        write!(answer, "{head:?} {}", String::from_utf8_lossy(&body)).unwrap();
    }
    let metrics = telemetry.registry().render(None).unwrap().body;
    Seen {
        status: statuses[0],
        report: telemetry.shutdown(Duration::from_secs(10)),
        answer,
        logs: logs.text(),
        spans: spans.text(),
        metrics,
    }
}

fn found_in(text: &str) -> Vec<&'static str> {
    let found = CANARIES.iter().filter(|canary| text.contains(**canary));
    found.copied().collect()
}

#[tokio::test]
async fn a_panic_that_says_what_the_request_held_is_told_without_it() {
    // What production shows of fields changes nothing about the message of a panic.
    let listed = Redaction::allow_list(["error"]);
    log_panics();
    let runs = [
        panics(Redaction::standard()).await,
        panics(listed).await,
        panics(Redaction::dangerous_off()).await,
    ];
    // From here on a panic is a test that fails, and is told as such.
    drop(take_hook());
    let none = Vec::<&str>::new();
    for seen in &runs {
        assert_eq!(seen.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!((seen.report.flushed, seen.report.dropped), (2, 0));
    }
    let [standard, listed, control] = runs;
    for seen in [&standard, &listed] {
        for text in [&seen.answer, &seen.logs, &seen.spans, &seen.metrics] {
            assert_eq!(found_in(text), none, "{text}");
        }
        assert_eq!(
            seen.logs.matches("panic.location").count(),
            2,
            "{}",
            seen.logs
        );
    }
    // What is hidden is what was recognised, and not the message with it.
    assert_eq!(
        standard.logs.matches("no room for [email]").count(),
        2,
        "{}",
        standard.logs
    );
    assert_eq!(found_in(&control.logs), CANARIES);
    assert_eq!(found_in(&control.spans), CANARIES);
    assert_eq!(found_in(&control.answer), none);
    assert_eq!(found_in(&control.metrics), none);
}
