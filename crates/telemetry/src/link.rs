//! Links between spans of different traces.

use opentelemetry::trace::{SpanContext, TraceId};
use tracing::Span;

use crate::traces;

/// Names a span, so that another one can say what it works for.
///
/// Background work that serves many requests belongs to none of their traces: it has a span of its own,
/// and links to theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanLink(SpanContext);

/// A span links to at most so many others, which is the default of the OpenTelemetry specification;
/// `OTEL_SPAN_LINK_COUNT_LIMIT` may lower it.
pub const MAX_LINKS: usize = 128;

impl SpanLink {
    /// The span that the code runs in; `None` outside every span.
    #[must_use]
    pub fn current() -> Option<Self> {
        traces::current_span_context().map(Self)
    }

    /// The trace of the span.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.0.trace_id()
    }
}

/// Makes a span name those that it works for: the first [`MAX_LINKS`] of them.
///
/// Nothing happens to a span that is disabled, or when the subscriber in force has no layer of this
/// crate.
pub fn add_links<'a>(span: &Span, links: impl IntoIterator<Item = &'a SpanLink>) {
    let links = links.into_iter().take(MAX_LINKS);
    traces::add_links(span, &mut links.map(|SpanLink(context)| context.clone()));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::{Environment, Ratio, Sampling, Telemetry, spans::Spans};

    #[test]
    fn a_span_names_the_first_128_that_it_works_for() {
        let spans = Spans::default();
        let (layer, guard) = Telemetry::builder("svc")
            .environment(Environment::empty())
            .exporter(spans.clone())
            .sampling(Sampling::head(Ratio::ALL))
            .layer()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        let links: Vec<SpanLink> = tracing::subscriber::with_default(subscriber, || {
            assert_eq!(SpanLink::current(), None);
            let request = || info_span!("request").in_scope(SpanLink::current);
            let links: Vec<_> = (0..=MAX_LINKS).filter_map(|_| request()).collect();
            let work = info_span!(parent: None, "work");
            add_links(&work, &links);
            work.in_scope(|| assert_ne!(SpanLink::current(), Some(links[0].clone())));
            links
        });
        assert_eq!(links.len(), MAX_LINKS + 1);
        guard.shutdown(Duration::from_secs(5));
        let work = spans.all().into_iter().find(|span| span.name == "work");
        let work = work.unwrap();
        let named = work.links.iter().map(|link| link.span_context.trace_id());
        let expected = links.iter().map(SpanLink::trace_id).take(MAX_LINKS);
        assert!(named.eq(expected));
        assert_eq!(work.links.dropped_count, 0);
    }
}
