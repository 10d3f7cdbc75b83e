//! Whatever a program does with spans, what is exported of it is what `tracing-opentelemetry` makes of it:
//! for traces that are chosen at their start, and for those that are kept at their end.

use std::{
    collections::HashMap,
    error::Error,
    slice,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use opentelemetry::{
    KeyValue,
    trace::{SpanId, TracerProvider as _},
};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use proptest::prelude::*;
use tracing::{Span, error, field::Empty, info, info_span, subscriber::with_default, warn};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{Environment, Logs, Ratio, Tail, Telemetry, spans::Spans};

#[derive(Clone, Debug)]
enum Step {
    /// Begins a span of this form and goes on in it.
    Open(u8, bool, String, i64),
    /// Ends it.
    Close,
    Event(u8, String, i64),
    Record(u8, String),
    Follow,
}

#[derive(Debug, thiserror::Error)]
#[error("not sent to {0}")]
struct Failure(String, #[source] std::io::Error);

fn failure(text: &str) -> Failure {
    Failure(text.to_owned(), std::io::Error::other("refused"))
}

fn span(form: u8, text: &str, number: i64) -> Span {
    let failure = failure(text);
    let failure: &(dyn Error + 'static) = &failure;
    match form {
        0 => info_span!("plain"),
        1 => info_span!(
            "fields",
            text,
            number,
            is_even = number % 2 == 0,
            late = Empty
        ),
        2 => info_span!(
            "server",
            otel.name = text,
            otel.kind = "SERVER",
            ratio = number as f64 / 3.0,
            size = number.unsigned_abs(),
            otel.status_code = Empty,
            otel.status_description = Empty
        ),
        3 => info_span!(parent: None, "root", ?text, otel.kind = %"client", late = Empty),
        4 => info_span!(
            "broken",
            error = failure,
            otel.status_code = Empty,
            late = Empty
        ),
        _ => info_span!("described", otel.status_description = text, otel.name = %text, number),
    }
}

fn event(form: u8, text: &str, number: i64) {
    let failure = failure(text);
    let failure: &(dyn Error + 'static) = &failure;
    match form {
        0 => info!(text, number, is_even = number % 2 == 0, "said {text}"),
        1 => error!(error = text),
        2 => error!(error = ?text, number),
        3 => warn!(error = failure, ratio = number as f64 / 7.0),
        4 => error!("no"),
        5 => error!(error = failure, "with {text}"),
        6 => info!(message = number, size = number.unsigned_abs()),
        _ => warn!(error = %text, "{text}"),
    }
}

fn record(form: u8, text: &str) {
    match form {
        0 => Span::current().record("late", text),
        1 => Span::current().record("late", format_args!("{text}!").to_string().as_str()),
        2 => Span::current().record("otel.status_code", "error"),
        3 => Span::current().record("otel.status_code", "OK"),
        _ => Span::current().record("otel.status_description", text),
    };
}

fn run(steps: &mut slice::Iter<'_, Step>, first: Option<&Span>) {
    while let Some(step) = steps.next() {
        match step {
            Step::Open(form, records_early, text, number) => {
                let span = span(*form, text, *number);
                if *records_early {
                    span.record("late", *number);
                }
                span.in_scope(|| run(steps, first.or(Some(&span))));
            }
            Step::Close => return,
            Step::Event(form, text, number) => event(*form, text, *number),
            Step::Record(form, text) => record(*form, text),
            Step::Follow => {
                let current = Span::current();
                // tracing-opentelemetry waits for itself where a span follows from itself.
                if let Some(first) = first.filter(|first| first.id() != current.id()) {
                    current.follows_from(first);
                }
            }
        }
    }
}

fn run_all(program: &[Step]) {
    let mut steps = program.iter();
    while steps.len() > 0 {
        run(&mut steps, None);
    }
}

/// What the former way exports.
fn by_tracing_opentelemetry(program: &[Step]) -> Vec<SpanData> {
    let spans = Spans::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(spans.clone())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("test"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false);
    with_default(tracing_subscriber::registry().with(layer), || {
        run_all(program)
    });
    spans.all()
}

fn by_records(program: &[Step], sampling: Sampling) -> Vec<SpanData> {
    let spans = Spans::default();
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .redaction(crate::Redaction::dangerous_off())
        .sampling(sampling)
        .logs(Logs::Off)
        .clock(Arc::new(Ticking::default()))
        .layer()
        .unwrap();
    with_default(tracing_subscriber::registry().with(layer), || {
        run_all(program)
    });
    guard.shutdown(Duration::from_secs(5));
    spans.all()
}

/// Each look at it is a microsecond later, so that each span takes some time.
#[derive(Debug, Default)]
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// All that is the same in two runs: ids are numbers in the order of the trees, times are left out.
fn trees(spans: &[SpanData]) -> Vec<String> {
    let is_known = |id: SpanId| spans.iter().any(|span| span.span_context.span_id() == id);
    let roots = spans.iter().filter(|span| !is_known(span.parent_span_id));
    let (mut order, mut depths) = (Vec::new(), Vec::new());
    roots.for_each(|root| walk(spans, root, 0, &mut order, &mut depths));
    let numbers: HashMap<SpanId, usize> = order
        .iter()
        .enumerate()
        .map(|(number, span)| (span.span_context.span_id(), number))
        .collect();
    let attributes = |attributes: &[KeyValue]| format!("{attributes:?}");
    let described = order.iter().zip(depths).map(|(span, depth)| {
        let events: Vec<String> = span
            .events
            .iter()
            .map(|event| format!("{} {}", event.name, attributes(&event.attributes)))
            .collect();
        let links: Vec<_> = span
            .links
            .iter()
            .map(|link| numbers.get(&link.span_context.span_id()))
            .collect();
        format!(
            "{depth} {} {:?} {:?} {} -{} {events:?} -{} {links:?} {} {}",
            span.name,
            span.span_kind,
            span.status,
            attributes(&span.attributes),
            span.dropped_attributes_count,
            span.events.dropped_count,
            span.parent_span_is_remote,
            span.span_context.is_sampled(),
        )
    });
    described.collect()
}

fn walk<'s>(
    spans: &'s [SpanData],
    span: &'s SpanData,
    depth: usize,
    order: &mut Vec<&'s SpanData>,
    depths: &mut Vec<usize>,
) {
    assert!(span.start_time <= span.end_time);
    order.push(span);
    depths.push(depth);
    let children = spans.iter().filter(|child| {
        child.parent_span_id == span.span_context.span_id()
            && child.span_context.trace_id() == span.span_context.trace_id()
    });
    children.for_each(|child| walk(spans, child, depth + 1, order, depths));
}

fn step() -> impl Strategy<Value = Step> {
    let text = || "[a-zé\" ]{0,12}";
    prop_oneof![
        3 => (0..6_u8, any::<bool>(), text(), any::<i64>())
            .prop_map(|(form, early, text, number)| Step::Open(form, early, text, number)),
        3 => Just(Step::Close),
        3 => (0..8_u8, text(), any::<i64>()).prop_map(|(form, text, n)| Step::Event(form, text, n)),
        2 => (0..5_u8, text()).prop_map(|(form, text)| Step::Record(form, text)),
        1 => Just(Step::Follow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_exported_is_what_it_was(program in proptest::collection::vec(step(), 0..60)) {
        let expected = trees(&by_tracing_opentelemetry(&program));
        let chosen = by_records(&program, Sampling::head(Ratio::ALL));
        prop_assert_eq!(&trees(&chosen), &expected);
        let every_trace = Tail {
            slower_than: Duration::ZERO,
            ..Tail::default()
        };
        let kept = by_records(&program, Sampling::head(Ratio::NONE).with_tail(every_trace));
        prop_assert_eq!(&trees(&kept), &expected);
    }
}
