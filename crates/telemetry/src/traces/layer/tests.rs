//! What is recorded of spans that move, and of values that panic.

use std::time::Duration;

use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::SpanData;
use tracing::{info, info_span, subscriber::with_default};
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
