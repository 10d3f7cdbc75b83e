//! What is recorded of spans that move, and of values that panic.

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    trace::{SpanId, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::SpanData;
use tracing::{field::Empty, info, info_span, subscriber::with_default};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{Environment, Logs, Ratio, Sampling, Telemetry, spans::Spans};

fn exported(sampling: Sampling, act: impl FnOnce()) -> Vec<SpanData> {
    let spans = Spans::default();
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .logs(Logs::Off)
        .sampling(sampling)
        .layer()
        .unwrap();
    with_default(tracing_subscriber::registry().with(layer), act);
    guard.shutdown(Duration::from_secs(5));
    spans.all()
}

#[test]
fn a_span_that_moves_to_a_sampled_trace_takes_along_what_it_said() {
    let remote = SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    let spans = exported(Sampling::head(Ratio::NONE), || {
        info_span!("outer").in_scope(|| {
            let message = info_span!("message", topic = "orders");
            info!(parent: &message, "arrived");
            set_parent(&message, &remote).unwrap();
            info_span!("not moved", topic = "orders").in_scope(|| {});
        });
    });
    let [span] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    assert_eq!(span.parent_span_id, remote.span_id());
    let attributes: Vec<_> = span.attributes.iter().map(|one| one.key.as_str()).collect();
    assert_eq!((attributes, span.events.len()), (vec!["topic"], 1));
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("begun")?;
        panic!("no text")
    }
}

fn unwinds<T>(act: impl FnOnce() -> T) {
    assert!(panic::catch_unwind(AssertUnwindSafe(act)).is_err());
}

#[test]
fn a_value_that_panics_takes_nothing_else_along() {
    let spans = exported(Sampling::head(Ratio::ALL), || {
        let span = info_span!("span", first = 1, broken = Empty, last = Empty);
        span.in_scope(|| {
            info!("before");
            unwinds(|| info!(first = 1, broken = ?Panics));
            unwinds(|| span.record("broken", tracing::field::debug(Panics)));
            info!(own = 2, "after");
        });
        span.record("last", 3);
        unwinds(|| info_span!("stillborn", first = 1, broken = ?Panics));
    });
    let names = |attributes: &[KeyValue]| {
        let names = attributes.iter().map(|one| one.key.to_string());
        names.collect::<Vec<_>>()
    };
    let [stillborn, span] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    assert_eq!(names(&span.attributes), ["first", "last"]);
    let events: Vec<_> = span.events.iter().collect();
    assert_eq!(events.len(), 3);
    assert_eq!(names(&events[1].attributes), ["level", "target", "first"]);
    assert_eq!(events[2].name, "after");
    assert_eq!(names(&events[2].attributes), ["level", "target", "own"]);
    assert_eq!(names(&stillborn.attributes), ["first"]);
}
