//! What telemetry takes of a request and of a log line, beside the usual recipe: `tracing-subscriber`,
//! `tracing-opentelemetry` and `prometheus-client` put together by hand.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    io,
    num::{NonZeroU32, NonZeroUsize},
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::http::{Request, Response};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter},
};
use portcullis_benches::{
    processor_time::{self, ProcessorTime},
    threads::on_threads,
};
use portcullis_telemetry::{
    Buckets, Builder, Environment, Guard, HttpLayer, LogLimits, Ratio, Registry, Sampling, Tail,
    Telemetry,
    prometheus_client::metrics::{family::Family, gauge::Gauge, histogram::Histogram},
};
use tower::{Layer as _, Service, service_fn};
use tracing::{Dispatch, dispatcher, field::Empty, info, info_span};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt as _};

/// In one span, so that the line is what is measured.
const LINES: usize = 50;
const ROUTE: &str = "/v1/events";
const STAGES: [fn(); 4] = [
    || info_span!("authenticate").in_scope(|| black_box(())),
    || info_span!("parse").in_scope(|| black_box(())),
    || info_span!("validate").in_scope(|| black_box(())),
    || info_span!("store").in_scope(|| black_box(())),
];

/// Takes spans and forgets them.
#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        black_box(batch);
        Ok(())
    }
}

fn ours(head: Ratio) -> (Dispatch, Guard) {
    started(|builder| {
        let sampling = Sampling::head(head).with_tail(Tail::default());
        builder.exporter(Nowhere).sampling(sampling)
    })
}

fn started(configure: impl FnOnce(Builder) -> Builder) -> (Dispatch, Guard) {
    let builder = Telemetry::builder("bench").environment(Environment::empty());
    let (layer, guard) = configure(builder)
        .log_limits(unlimited())
        .writer(io::sink)
        .layer()
        .expect("nothing in the environment is wrong");
    let subscriber = tracing_subscriber::registry().with(layer);
    (Dispatch::new(subscriber), guard)
}

fn unlimited() -> LogLimits {
    let mut limits = LogLimits::default();
    limits.lines_per_second = NonZeroU32::MAX;
    limits
}

fn recipe(share: f64, flat: bool) -> (Dispatch, SdkTracerProvider) {
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::parent_based(Sampler::TraceIdRatioBased(share)))
        .with_batch_exporter(Nowhere)
        .build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(flat)
        .with_current_span(!flat)
        .with_span_list(!flat)
        .with_writer(io::sink);
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(spans)
        .with(lines);
    (Dispatch::new(subscriber), provider)
}

const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The service behind the layer: four spans in the request's own.
fn answer(_: Request<()>) -> Ready<Result<Response<()>, Infallible>> {
    STAGES.iter().for_each(|stage| stage());
    ready(Ok(Response::new(())))
}

fn request() -> Request<()> {
    Request::post(ROUTE).body(()).expect("the request is whole")
}

fn now<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the service answers at once"),
    }
}

/// What a page of code in a service does by hand: the span of the conventions, and the three metrics.
struct ByHand {
    duration: Family<[(&'static str, String); 3], Histogram>,
    active: Gauge,
}

impl ByHand {
    fn new() -> Self {
        Self {
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            active: Gauge::default(),
        }
    }

    fn call(&self, request: Request<()>) -> Response<()> {
        #[expect(clippy::disallowed_methods, reason = "as a service by hand does")]
        let start = std::time::Instant::now();
        self.active.inc();
        let method = request.method().to_string();
        let span = info_span!(
            "http.request",
            otel.name = format!("{method} {ROUTE}"),
            otel.kind = "server",
            http.request.method = method,
            http.route = ROUTE,
            http.response.status_code = Empty,
            url.scheme = "http",
            network.protocol.version = "1.1",
        );
        let Ok(response) = span.in_scope(|| now(answer(request)));
        span.record("http.response.status_code", response.status().as_u16());
        let labels = [
            ("http_request_method", method),
            ("http_route", ROUTE.to_owned()),
            ("http_response_status_code", response.status().to_string()),
        ];
        self.duration
            .get_or_create(&labels)
            .observe(start.elapsed().as_secs_f64());
        self.active.dec();
        response
    }
}

fn by_layer(guard: &Guard) -> impl FnMut() + Clone {
    let layer = HttpLayer::new(guard.registry(), |_| Some(ROUTE)).expect("it is the first");
    let mut service = layer.layer(service_fn(answer));
    move || {
        black_box(now(service.call(request())).expect("it answers"));
    }
}

fn requests(criterion: &mut Criterion<ProcessorTime>) {
    for (name, head, share) in [
        ("request_not_kept", Ratio::ONE_PERCENT, 0.01),
        ("request_kept", Ratio::ALL, 1.0),
    ] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(1));
        for threads in [1, 2] {
            let (dispatch, guard) = ours(head);
            let operation = by_layer(&guard);
            group.bench_function(format!("telemetry/{threads}"), |bencher| {
                on_threads(bencher, threads, |_| {
                    let (mut operation, dispatch) = (operation.clone(), dispatch.clone());
                    move || dispatcher::with_default(&dispatch, &mut operation)
                });
            });
            let (dispatch, _provider) = recipe(share, false);
            let by_hand = ByHand::new();
            group.bench_function(format!("recipe/{threads}"), |bencher| {
                on_threads(bencher, threads, |_| {
                    let (by_hand, dispatch) = (&by_hand, dispatch.clone());
                    move || {
                        dispatcher::with_default(&dispatch, || {
                            black_box(by_hand.call(request()));
                        });
                    }
                });
            });
        }
    }
}

/// What the tail adds to a request, and what a request takes that decides at its start alone.
fn without_tail(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("request_head_only");
    group.throughput(Throughput::Elements(1));
    let (dispatch, guard) = started(|builder| {
        builder
            .exporter(Nowhere)
            .sampling(Sampling::head(Ratio::ONE_PERCENT))
    });
    let operation = by_layer(&guard);
    group.bench_function("telemetry/1", |bencher| {
        on_threads(bencher, 1, |_| {
            let (mut operation, dispatch) = (operation.clone(), dispatch.clone());
            move || dispatcher::with_default(&dispatch, &mut operation)
        });
    });
}

/// What the ids add to a line: the same lines in a span and outside of all, without an exporter, so that
/// nothing is recorded beside the line.
fn ids(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("line_ids");
    group.throughput(Throughput::Elements(LINES as u64));
    for name in ["with", "without"] {
        let (dispatch, _guard) = started(|builder| builder);
        group.bench_function(format!("{name}/1"), |bencher| {
            on_threads(bencher, 1, |_| {
                let dispatch = dispatch.clone();
                move || {
                    dispatcher::with_default(&dispatch, || {
                        let request = info_span!(parent: None, "request");
                        let lines = || (0..LINES).for_each(|_| line("acme"));
                        if name == "with" {
                            request.in_scope(lines);
                        } else {
                            lines();
                        }
                    });
                }
            });
        });
    }
}

/// A line as the reference service writes it, inside a request's span.
fn line(tenant: &str) {
    info!(
        route = "/v1/events",
        outcome = "accepted",
        tenant,
        rows = 25,
        "the group is written"
    );
}

fn lines(criterion: &mut Criterion<ProcessorTime>) {
    let new: Vec<String> = (0..100 * LINES)
        .map(|number| format!("tenant-{number}"))
        .collect();
    for (name, tenants) in [("line", &["acme".to_owned()][..]), ("line_new_value", &new)] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(LINES as u64));
        for threads in [1, 2] {
            let (ours, _guard) = ours(Ratio::NONE);
            let (nested, _nested) = recipe(0.0, false);
            let (flat, _flat) = recipe(0.0, true);
            for (name, dispatch) in [("telemetry", ours), ("recipe", nested), ("flattened", flat)] {
                group.bench_function(format!("{name}/{threads}"), |bencher| {
                    on_threads(bencher, threads, |_| {
                        let dispatch = dispatch.clone();
                        let mut tenants = tenants.iter().cycle();
                        move || {
                            let tenants = tenants.by_ref().take(LINES);
                            dispatcher::with_default(&dispatch, || {
                                let request = info_span!(parent: None, "request");
                                request.in_scope(|| tenants.for_each(|tenant| line(tenant)));
                            });
                        }
                    });
                });
            }
        }
    }
}

fn metrics(criterion: &mut Criterion<ProcessorTime>) {
    let registry = Registry::new();
    let cap = NonZeroUsize::new(100).expect("not zero");
    let counters = registry
        .counter_family("orders", "Orders", ["shop"], cap)
        .expect("the name is free");
    let seconds = registry
        .histogram_family(
            "answer_seconds",
            "Time",
            ["route"],
            Buckets::REQUEST_SECONDS,
            cap,
        )
        .expect("the name is free");
    let exemplars = registry
        .exemplar_histogram_family(
            "named_seconds",
            "Time",
            ["route"],
            Buckets::REQUEST_SECONDS,
            cap,
        )
        .expect("the name is free");
    let (held, plain) = (
        counters.with(["acme"]),
        Family::<[(&str, String); 1], Gauge>::default(),
    );
    let mut group = criterion.benchmark_group("metric");
    group.throughput(Throughput::Elements(1));
    group.bench_function("held", |bencher| bencher.iter(|| held.inc()));
    group.bench_function("looked_up", |bencher| {
        bencher.iter(|| counters.with([black_box("acme")]).inc());
    });
    group.bench_function("family", |bencher| {
        bencher.iter(|| {
            plain
                .get_or_create(&[("shop", black_box("acme").to_owned())])
                .inc()
        });
    });
    group.bench_function("observed", |bencher| {
        bencher.iter(|| seconds.with([black_box(ROUTE)]).observe(black_box(0.11)));
    });
    // In a trace that the tail has not decided on, which is what most observations are in, and in which as many
    // values wait as may.
    let (dispatch, _guard) = ours(Ratio::NONE);
    group.bench_function("observed_in_a_span", |bencher| {
        dispatcher::with_default(&dispatch, || {
            info_span!("request").in_scope(|| {
                bencher.iter(|| exemplars.with([black_box(ROUTE)]).observe(black_box(0.11)));
            });
        });
    });
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = requests, without_tail, lines, ids, metrics
}
criterion_main!(benches);
