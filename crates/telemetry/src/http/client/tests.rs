//! Outgoing requests, as the server at the other end, exporters and scrapers see them.

use std::{
    convert::Infallible,
    future::{pending, ready},
    pin::pin,
    sync::Mutex,
    task::Waker,
    time::{Duration, SystemTime},
};

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{
    Environment, HttpLayer, Logs, Ratio, Sampling, Telemetry, clock::FakeClock, spans::Spans,
};

struct Stage {
    layer: HttpClientLayer,
    clock: Arc<FakeClock>,
    registry: Registry,
    /// The headers that reached the server.
    sent: Mutex<HeaderMap>,
}

/// What `act` does, and what becomes visible of it.
fn run(head: Ratio, act: impl FnOnce(&mut Stage)) -> (Vec<SpanData>, String, HeaderMap) {
    let spans = Spans::default();
    let (telemetry, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .logs(Logs::Off)
        .sampling(Sampling::head(head))
        .layer()
        .unwrap();
    let clock = Arc::new(FakeClock::new(SystemTime::UNIX_EPOCH));
    let layer = HttpClientLayer::new(guard.registry()).unwrap();
    let mut stage = Stage {
        layer: layer.with_clock(Arc::clone(&clock) as Arc<dyn Clock>),
        clock,
        registry: guard.registry().clone(),
        sent: Mutex::default(),
    };
    with_default(tracing_subscriber::registry().with(telemetry), || {
        act(&mut stage);
    });
    let metrics = guard.registry().render(None).unwrap().body;
    let _ = guard.shutdown(Duration::from_secs(5));
    (spans.all(), metrics, stage.sent.into_inner().unwrap())
}

impl Stage {
    fn send(&self, request: Request<()>, status: u16) {
        let server = service_fn(|request: Request<()>| {
            *self.sent.lock().unwrap() = request.headers().clone();
            self.clock.advance(Duration::from_millis(110));
            let response = Response::builder().status(status).body(()).unwrap();
            ready(Ok::<_, Infallible>(response))
        });
        let client = ServiceBuilder::new()
            .layer(self.layer.clone())
            .service(server);
        now(client.oneshot(request)).unwrap();
    }
}

fn now<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the server answers at once"),
    }
}

fn request() -> Request<()> {
    let url = "https://keys.internal/v1/keys/bob@example.com?token=secret";
    Request::post(url).body(()).unwrap()
}

fn text(span: &SpanData, key: &str) -> Option<String> {
    let mut attributes = span.attributes.iter();
    let found = attributes.find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string())
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    assert!(headers.get_all(name).iter().count() <= 1, "{name}");
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn a_request_becomes_a_client_span_of_the_conventions() {
    let (spans, metrics, _) = run(Ratio::ALL, |stage| {
        let mut request = request();
        let template = UrlTemplate::new("/v1/keys/{id}");
        request.extensions_mut().insert(template);
        stage.send(request, 204);
    });
    let span = &spans[0];
    assert_eq!((spans.len(), span.name.as_ref()), (1, "POST /v1/keys/{id}"));
    assert_eq!(
        (&span.span_kind, &span.status),
        (&SpanKind::Client, &Status::Unset)
    );
    for (key, value) in [
        ("http.request.method", Some("POST")),
        ("http.response.status_code", Some("204")),
        ("server.address", Some("keys.internal")),
        ("server.port", Some("443")),
        ("url.template", Some("/v1/keys/{id}")),
        ("network.protocol.version", Some("1.1")),
        ("error.type", None),
        ("url.full", None),
    ] {
        assert_eq!(text(span, key).as_deref(), value, "{key}");
    }
    let everything = format!("{span:?}{metrics}");
    assert!(!everything.contains("bob@example.com") && !everything.contains("secret"));
    let sample = "http_client_request_duration_seconds_bucket{le=\"0.12\",http_request_method=\"POST\",\
                  server_address=\"keys.internal\",server_port=\"443\",\
                  http_response_status_code=\"204\",error_type=\"\"} 1\n";
    assert!(metrics.contains(sample), "{metrics}");
}

#[test]
fn a_client_has_failed_when_it_did_not_get_what_it_asked_for() {
    let (spans, metrics, _) = run(Ratio::ALL, |stage| {
        stage.send(request(), 404);
        let broken = service_fn(|_: Request<()>| ready(Err::<Response<()>, _>("refused")));
        let client = ServiceBuilder::new()
            .layer(stage.layer.clone())
            .service(broken);
        assert!(now(client.oneshot(request())).is_err());
        let silent = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
        let mut client = ServiceBuilder::new()
            .layer(stage.layer.clone())
            .service(silent);
        drop(client.call(request()));
    });
    for (span, kind) in spans.iter().zip(["404", "transport", "cancelled"]) {
        assert!(matches!(span.status, Status::Error { .. }), "{kind}");
        assert_eq!(text(span, "error.type").as_deref(), Some(kind));
        let sample = format!("error_type=\"{kind}\"}} 1\n");
        assert!(metrics.contains(&sample), "{sample} in {metrics}");
    }
    assert_eq!(spans.len(), 3);
}

#[test]
fn the_server_joins_the_trace_of_the_request_sampled_or_not() {
    for (head, flags) in [(Ratio::ALL, "01"), (Ratio::NONE, "00")] {
        let mut expected = String::new();
        let (spans, _, sent) = run(head, |stage| {
            let mut request = request();
            // As a proxy would that copies what it was sent.
            for value in [
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "x",
            ] {
                request
                    .headers_mut()
                    .append("traceparent", value.parse().unwrap());
            }
            request
                .headers_mut()
                .insert("tracestate", "vendor=canary".parse().unwrap());
            info_span!("work").in_scope(|| {
                expected = crate::current_trace_id().unwrap().to_string();
                stage.send(request, 200);
            });
        });
        let parent = header(&sent, "traceparent").unwrap();
        let [version, trace, span, sampled] = parent.split('-').collect::<Vec<_>>()[..] else {
            panic!("{parent}")
        };
        assert_eq!((version, trace, sampled), ("00", expected.as_str(), flags));
        assert_eq!(header(&sent, "tracestate"), None);
        if let Some(client) = spans.iter().find(|span| span.span_kind == SpanKind::Client) {
            assert_eq!(client.span_context.span_id().to_string(), span);
        }
    }
}

#[test]
fn the_state_of_a_trace_that_was_joined_is_passed_on() {
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    };
    let (_, _, sent) = run(Ratio::ALL, |stage| {
        let state = TraceState::from_key_value([("vendor", "a1")]).unwrap();
        let caller = SpanContext::new(
            TraceId::from(7_u128),
            SpanId::from(7_u64),
            TraceFlags::SAMPLED,
            true,
            state,
        );
        let context = opentelemetry::Context::new().with_remote_span_context(caller);
        let work = info_span!("work");
        crate::set_parent(&work, &context).unwrap();
        work.in_scope(|| stage.send(request(), 200));
    });
    assert_eq!(header(&sent, "tracestate"), Some("vendor=a1"));
}

#[test]
fn where_no_span_is_the_programs_own_headers_stay() {
    let registry = Registry::new();
    let layer = HttpClientLayer::new(&registry).unwrap();
    let seen = Mutex::new(HeaderMap::new());
    let server = service_fn(|request: Request<()>| {
        *seen.lock().unwrap() = request.headers().clone();
        ready(Ok::<_, Infallible>(Response::new(())))
    });
    let mut request = request();
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request
        .headers_mut()
        .insert("traceparent", own.parse().unwrap());
    now(layer.layer(server).oneshot(request)).unwrap();
    assert_eq!(header(&seen.lock().unwrap(), "traceparent"), Some(own));
}

/// From a request that came in to one that goes out, through both layers.
fn baggage_through(inbound: BaggageKeys, outbound: BaggageKeys) -> (Option<String>, String) {
    let (spans, metrics, sent) = run(Ratio::ALL, |stage| {
        stage.layer = stage.layer.clone().with_baggage(outbound);
        let server = HttpLayer::new(&stage.registry, |_| Some("/"))
            .unwrap()
            .with_baggage(inbound);
        let stage = &*stage;
        let service = server.layer(service_fn(|_: Request<()>| async move {
            stage.send(request(), 200);
            Ok::<_, Infallible>(Response::new(()))
        }));
        let request = Request::get("/").header("baggage", "tier=kX9-tier,user=kX9-user");
        now(service.oneshot(request.body(()).unwrap())).unwrap();
    });
    let line = header(&sent, "baggage").map(str::to_owned);
    (line, format!("{spans:?}{metrics}"))
}

#[test]
fn baggage_passes_only_where_both_lists_have_it_and_is_never_recorded() {
    let (none, tier) = (BaggageKeys::default(), BaggageKeys::allow(["tier"]));
    let both = BaggageKeys::allow(["tier", "user"]);
    for (inbound, outbound, expected) in [
        (none.clone(), none.clone(), None),
        (none.clone(), both.clone(), None),
        (both.clone(), none, None),
        (both.clone(), tier.clone(), Some("tier=kX9-tier")),
        (tier, both, Some("tier=kX9-tier")),
    ] {
        let (line, recorded) = baggage_through(inbound, outbound);
        assert_eq!(line.as_deref(), expected);
        assert!(!recorded.contains("kX9"), "{recorded}");
    }
}
