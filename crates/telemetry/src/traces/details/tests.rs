//! What one span may hold, however long it stays open.

use tracing::{Span, error, field::Empty, info, info_span, subscriber::with_default};
use tracing_subscriber::{Registry, layer::SubscriberExt as _, registry::LookupSpan as _};

use super::*;
use crate::{Environment, Logs, Ratio, Sampling, Telemetry, spans::Spans, traces::open::OpenSpan};

/// What the span holds now. The layer is one of the crate's own, over a registry alone.
fn held(span: &Span) -> usize {
    span.with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>().unwrap();
        let span = registry.span(id).unwrap();
        let extensions = span.extensions();
        let details = &extensions.get::<OpenSpan>().unwrap().details;
        details.as_ref().map_or(0, |details| details.bytes())
    })
    .unwrap()
}

fn exported(act: impl FnOnce()) -> Vec<SpanData> {
    let spans = Spans::default();
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .logs(Logs::Off)
        .sampling(Sampling::head(Ratio::ALL))
        .layer()
        .unwrap();
    with_default(tracing_subscriber::registry().with(layer), act);
    guard.shutdown(Duration::from_secs(5));
    spans.all()
}

fn say_much(span: &Span, round: usize) {
    let failure = std::io::Error::other(format!("refused the {round}th time"));
    let failure: &(dyn std::error::Error + 'static) = &failure;
    span.record("text", format!("text {round:06}").as_str());
    span.record("number", round);
    span.record("error", failure);
    span.record("otel.name", format!("name {round:06}").as_str());
    span.record("otel.kind", "server");
    span.record("otel.status_code", "error");
    span.record("otel.status_description", "described");
    span.in_scope(|| {
        info!(round, value = ?Some(round), "something of some length was said");
        error!(error = %"broken", round);
        error!(error = failure, "with a message");
    });
}

#[test]
fn a_span_that_stays_open_holds_no_more_than_its_limits() {
    let spans = exported(|| {
        let span = info_span!(
            "open",
            text = Empty,
            number = Empty,
            error = Empty,
            otel.name = Empty,
            otel.kind = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty
        );
        (0..300).for_each(|round| say_much(&span, round));
        let full = held(&span);
        (300..3_000).for_each(|round| say_much(&span, round));
        assert_eq!(held(&span), full);
    });
    let [span] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    assert_eq!(span.name, "name 002999");
    assert_eq!((span.attributes.len(), span.events.len()), (128, 128));
    assert_eq!(span.events.dropped_count, 3 * 3_000 - 128);
    let last = span.events.iter().last().unwrap();
    let round = last
        .attributes
        .iter()
        .find(|one| one.key.as_str() == "round");
    assert_eq!(
        round.unwrap().value,
        Value::from("42"),
        "its own and no other's"
    );
}

const LIMITS: SpanLimits = SpanLimits {
    attributes: 3,
    events: 2,
    links: 1,
    attributes_per_event: 8,
};

fn filled(text: &str) -> Details {
    let mut details = Details::default();
    let name = details.str(text);
    details.set_name(name);
    for _ in 0..2 {
        let value = Recorded::Text(details.str(text));
        details.add_attribute(Attribute { key: "own", value }, &LIMITS);
    }
    details
}

#[test]
fn what_others_record_meanwhile_stays_within_the_limits() {
    let mut details = filled("first");
    details.absorb(filled("second"), &LIMITS);
    let full = details.texts.len();
    for _ in 0..1_000 {
        details.absorb(filled("third"), &LIMITS);
    }
    assert_eq!(details.texts.len(), full);
    assert_eq!(details.name(), Some("third"));
    let texts: Vec<_> = details
        .attributes
        .iter()
        .map(|attribute| match &attribute.value {
            Recorded::Text(text) => details.read(text),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["first", "first", "second"]);
}
