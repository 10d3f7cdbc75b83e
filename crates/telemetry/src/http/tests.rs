//! Spans, propagation and metrics of requests through the layer.

use std::{
    convert::Infallible,
    future::{pending, ready},
    task::Waker,
    time::Duration,
};

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::dispatcher::{Dispatch, with_default};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::{
    Environment, Guard, Logs, Ratio, Sampling, Telemetry, clock::FakeClock, current_trace_id,
    movement::assert_moved, spans::Spans,
};

#[derive(Clone)]
struct Template(&'static str);

struct Stage {
    spans: Spans,
    guard: Guard,
    layer: HttpLayer,
    clock: Arc<FakeClock>,
    dispatch: Dispatch,
}

impl Stage {
    fn new(sampling: Sampling) -> Self {
        let spans = Spans::default();
        let (telemetry, guard) = Telemetry::builder("svc")
            .environment(Environment::empty())
            .exporter(spans.clone())
            .sampling(sampling)
            .logs(Logs::Off)
            .layer()
            .unwrap();
        let clock = Arc::new(FakeClock::new(std::time::SystemTime::UNIX_EPOCH));
        let layer = HttpLayer::new(guard.registry(), |extensions| {
            extensions.get::<Template>().map(|template| template.0)
        })
        .unwrap()
        .with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(telemetry));
        Self {
            spans,
            guard,
            layer,
            clock,
            dispatch,
        }
    }

    /// Sends a request through the layer to a service that answers with `status`.
    fn send(&self, request: Request<()>, status: u16) -> (Response<()>, Option<String>) {
        let mut seen = None;
        let service = service_fn(|_: Request<()>| {
            seen = current_trace_id().map(|id| id.to_string());
            self.clock.advance(Duration::from_millis(110));
            let response = Response::builder().status(status).body(()).unwrap();
            ready(Ok::<_, Infallible>(response))
        });
        let service = ServiceBuilder::new()
            .layer(self.layer.clone())
            .service(service);
        let response = with_default(&self.dispatch, || now(service.oneshot(request)));
        (response.unwrap(), seen)
    }

    fn metrics(&self) -> String {
        self.guard.registry().render(None).unwrap().body
    }

    fn finish(self) -> Vec<SpanData> {
        let _ = self.guard.shutdown(Duration::from_secs(5));
        self.spans.all()
    }
}

fn now<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the service answers at once"),
    }
}

fn request(method: &str) -> Request<()> {
    let request = Request::builder()
        .method(method)
        .uri("/v1/leads/bob@example.com?q=secret");
    request
        .extension(Template("/v1/leads/{id}"))
        .body(())
        .unwrap()
}

fn text(span: &SpanData, key: &str) -> Option<String> {
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string())
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_request_becomes_a_server_span_of_the_conventions() {
    let stage = Stage::new(Sampling::head(Ratio::ALL));
    stage.send(request("POST"), 202);
    let spans = stage.finish();
    let span = &spans[0];
    assert_eq!(
        (spans.len(), span.name.as_ref()),
        (1, "POST /v1/leads/{id}")
    );
    assert_eq!(
        (&span.span_kind, &span.status),
        (&SpanKind::Server, &Status::Unset)
    );
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/leads/{id}"),
        ("http.response.status_code", "202"),
        ("url.scheme", "http"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(text(span, key).as_deref(), Some(value), "{key}");
    }
    let everything = format!("{span:?}");
    assert!(!everything.contains("bob@example.com") && !everything.contains("secret"));
}

#[test]
fn only_the_servers_own_failures_are_errors() {
    let stage = Stage::new(Sampling::head(Ratio::ALL));
    stage.send(request("GET"), 404);
    stage.send(request("GET"), 503);
    let spans = stage.finish();
    assert_eq!(
        (&spans[0].status, text(&spans[0], "error.type")),
        (&Status::Unset, None)
    );
    assert!(matches!(spans[1].status, Status::Error { .. }));
    assert_eq!(text(&spans[1], "error.type").as_deref(), Some("503"));
}

#[test]
fn requests_are_counted_and_timed_by_method_route_and_status() {
    let stage = Stage::new(Sampling::head(Ratio::NONE));
    stage.send(request("GET"), 200);
    stage.send(request("BREW"), 418);
    stage.send(Request::new(()), 404);
    let metrics = stage.metrics();
    for sample in [
        "_bucket{le=\"0.1\",http_request_method=\"GET\",http_route=\"/v1/leads/{id}\",http_response_status_code=\"200\"} 0",
        "_bucket{le=\"0.12\",http_request_method=\"GET\",http_route=\"/v1/leads/{id}\",http_response_status_code=\"200\"} 1",
        "_count{http_request_method=\"_OTHER\",http_route=\"/v1/leads/{id}\",http_response_status_code=\"418\"} 1",
        "_count{http_request_method=\"GET\",http_route=\"\",http_response_status_code=\"404\"} 1",
    ] {
        let sample = format!("http_server_request_duration_seconds{sample}\n");
        assert!(metrics.contains(&sample), "{sample} in {metrics}");
    }
    assert!(metrics.contains("http_server_active_requests 0\n"));
}

#[test]
fn the_callers_trace_continues() {
    let stage = Stage::new(Sampling::head(Ratio::NONE));
    let mut request = request("GET");
    request
        .headers_mut()
        .insert("traceparent", PARENT.parse().unwrap());
    request
        .headers_mut()
        .insert("tracestate", "k=bob@example.com".parse().unwrap());
    let (_, seen) = stage.send(request, 200);
    assert_eq!(seen.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    let metrics = stage.metrics();
    assert!(metrics.contains("telemetry_parents_lost_total 0\n"));
    let spans = stage.finish();
    assert_eq!(spans[0].parent_span_id.to_string(), "b7ad6b7169203331");
    assert_eq!(spans[0].span_context.trace_state().header(), "");
}

#[test]
fn a_linked_caller_does_not_decide_what_is_exported() {
    let mut stage = Stage::new(Sampling::head(Ratio::ALL));
    stage.layer = stage.layer.with_remote_parent(RemoteParent::Link);
    let mut request = request("GET");
    request
        .headers_mut()
        .insert("traceparent", PARENT.parse().unwrap());
    let (_, seen) = stage.send(request, 200);
    assert_ne!(seen.unwrap(), "0af7651916cd43dd8448eb211c80319c");
    let span = &stage.finish()[0];
    let linked = span.links.links[0].span_context.trace_id().to_string();
    assert_eq!(linked, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span.parent_span_id, opentelemetry::trace::SpanId::INVALID);
}

#[test]
fn a_broken_parent_starts_a_new_trace() {
    for value in [
        "",
        "00-0-0-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "\u{1}",
    ] {
        let stage = Stage::new(Sampling::head(Ratio::NONE));
        let mut request = request("GET");
        let Ok(value) = value.parse() else { continue };
        request.headers_mut().insert("traceparent", value);
        let (_, seen) = stage.send(request, 200);
        assert_ne!(seen.unwrap(), "0af7651916cd43dd8448eb211c80319c");
    }
}

#[test]
fn the_trace_id_is_there_sampled_or_not_and_in_the_answer() {
    for ratio in [Ratio::NONE, Ratio::ALL] {
        let mut stage = Stage::new(Sampling::head(ratio));
        stage.layer = stage
            .layer
            .with_trace_id_header(HeaderName::from_static("trace-id"));
        let (response, seen) = stage.send(request("GET"), 200);
        assert_eq!(response.headers()["trace-id"], seen.as_deref().unwrap());
    }
    assert_eq!(current_trace_id(), None);
}

#[test]
fn a_cancelled_request_is_counted_and_no_longer_active() {
    let stage = Stage::new(Sampling::head(Ratio::NONE));
    let service = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
    let mut service = ServiceBuilder::new()
        .layer(stage.layer.clone())
        .service(service);
    let before = stage.metrics();
    let running = service.call(request("GET"));
    assert!(stage.metrics().contains("http_server_active_requests 1\n"));
    drop(running);
    let metrics = stage.metrics();
    assert!(metrics.contains("http_server_active_requests 0\n"));
    assert!(metrics.contains("http_server_requests_aborted_total{reason=\"cancelled\"} 1\n"));
    assert_moved(&before, &metrics, ["http_server_requests_aborted_total"]);
}

#[test]
fn a_service_that_fails_or_panics_is_counted() {
    let stage = Stage::new(Sampling::head(Ratio::NONE));
    let failing = service_fn(|_: Request<()>| ready(Err::<Response<()>, _>("broken")));
    let failing = ServiceBuilder::new()
        .layer(stage.layer.clone())
        .service(failing);
    assert_eq!(now(failing.oneshot(request("GET"))).unwrap_err(), "broken");

    let panicking = service_fn(|request: Request<()>| async move {
        assert!(request.uri().path().is_empty(), "no path");
        Ok::<_, Infallible>(Response::new(()))
    });
    let panicking = ServiceBuilder::new()
        .layer(stage.layer.clone())
        .service(panicking);
    let panicked = std::panic::AssertUnwindSafe(|| now(panicking.oneshot(request("GET"))));
    assert!(std::panic::catch_unwind(panicked).is_err());

    let metrics = stage.metrics();
    for reason in ["failed", "panicked"] {
        let sample = format!("http_server_requests_aborted_total{{reason=\"{reason}\"}} 1\n");
        assert!(metrics.contains(&sample), "{sample}");
    }
    assert!(metrics.contains("http_server_active_requests 0\n"));
}

#[test]
fn a_layer_that_hides_ours_is_noticed() {
    let stage = Stage::new(Sampling::head(Ratio::NONE));
    let (hidden, _reload) = tracing_subscriber::reload::Layer::new(
        tracing_opentelemetry::layer().with_tracer(opentelemetry::trace::noop::NoopTracer::new()),
    );
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(hidden));
    let stage = Stage { dispatch, ..stage };
    let mut request = request("GET");
    request
        .headers_mut()
        .insert("traceparent", PARENT.parse().unwrap());
    let before = stage.metrics();
    stage.send(request, 200);
    let after = stage.metrics();
    assert_moved(&before, &after, ["telemetry_parents_lost_total"]);
    assert!(after.contains("telemetry_parents_lost_total 1\n"));
}

#[test]
fn one_registry_takes_one_layer() {
    let registry = Registry::new();
    HttpLayer::new(&registry, |_| None).unwrap();
    let second = HttpLayer::new(&registry, |_| None);
    assert!(matches!(second, Err(MetricError::Duplicate(_))));
}
