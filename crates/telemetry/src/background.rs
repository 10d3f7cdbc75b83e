//! Spans of work that no request waits for.

use tracing::{Instrument as _, Span, info_span};

use crate::link::{SpanLink, add_links};

/// Work in the background: a loop, a sweep, a refresh. Each turn of it is a trace of its own, so that its log
/// lines have ids, and a turn that fails or is slow can be kept.
///
/// A span around the whole loop would end with the process: the tail would give it up for its age, and all
/// lines of weeks would have one id.
///
/// ```
/// use portcullis_telemetry::BackgroundTask;
///
/// const CENSUS: BackgroundTask = BackgroundTask::new("census");
///
/// CENSUS.turn().in_scope(|| tracing::info!(keys = 3, "counted")); // with trace_id and span_id
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackgroundTask(&'static str);

impl BackgroundTask {
    /// The task that spans and operators know under this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The span of a turn that begins now. It is the root of a trace, whatever span the code runs in.
    #[must_use]
    pub fn turn(self) -> Span {
        info_span!(parent: None, "background", otel.name = self.0, task = self.0)
    }

    /// The span of a turn for requests that wait no longer, or that share it: it links to theirs.
    #[must_use]
    pub fn turn_for<'l>(self, served: impl IntoIterator<Item = &'l SpanLink>) -> Span {
        let span = self.turn();
        add_links(&span, served);
        span
    }

    /// Reports something in the span that the code runs in, and where it runs in none, in a turn of its own:
    /// what requests and background work call alike gives its log lines ids in either.
    pub fn within<T>(self, report: impl FnOnce() -> T) -> T {
        if SpanLink::current().is_some() {
            report()
        } else {
            self.turn().in_scope(report)
        }
    }

    /// A turn that is waited for.
    pub async fn run<T>(self, turn: impl Future<Output = T>) -> T {
        turn.instrument(self.turn()).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry::trace::SpanId;
    use tracing::{error, info};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::{
        Environment, Ratio, Sampling, Tail, Telemetry, current_trace_id, lines::Lines, spans::Spans,
    };

    const TASK: BackgroundTask = BackgroundTask::new("sweep");

    #[test]
    fn each_turn_is_a_trace_whose_lines_have_its_ids() {
        let (lines, spans) = (Lines::default(), Spans::default());
        let (layer, guard) = Telemetry::builder("svc")
            .environment(Environment::empty())
            .exporter(spans.clone())
            .sampling(Sampling::head(Ratio::NONE).with_tail(Tail::default()))
            .writer(lines.clone())
            .layer()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        let ids: Vec<String> = tracing::subscriber::with_default(subscriber, || {
            let turn = |span: Span, fails: bool| {
                span.in_scope(|| {
                    info!("swept");
                    if fails {
                        error!("not swept");
                    }
                    current_trace_id().unwrap().to_string()
                })
            };
            info_span!("request").in_scope(|| {
                let served = SpanLink::current();
                let request = current_trace_id().unwrap().to_string();
                vec![
                    request,
                    turn(TASK.turn(), false),
                    turn(TASK.turn_for(&served), true),
                ]
            })
        });
        let text = lines.text();
        for (line, id) in text.lines().zip([&ids[1], &ids[2], &ids[2]]) {
            assert!(line.contains(&format!(r#""trace_id":"{id}""#)), "{line}");
            assert!(line.contains(r#""span_id":""#), "{line}");
        }
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        let _ = guard.shutdown(Duration::from_secs(5));
        let kept = spans.all();
        assert_eq!(
            (kept.len(), kept[0].name.as_ref()),
            (1, "sweep"),
            "the one that failed"
        );
        assert_eq!(kept[0].parent_span_id, SpanId::INVALID);
        assert_eq!(
            kept[0].links.links[0].span_context.trace_id().to_string(),
            ids[0]
        );
    }

    #[test]
    fn a_report_is_in_the_span_of_who_calls_or_in_one_of_its_own() {
        let (layer, guard) = Telemetry::builder("svc")
            .environment(Environment::empty())
            .exporter(Spans::default())
            .layer()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let (called, reported) = info_span!("request")
                .in_scope(|| (current_trace_id(), TASK.within(current_trace_id)));
            assert!(called.is_some());
            assert_eq!(reported, called);
            let reported = TASK.within(current_trace_id);
            assert!(reported.is_some());
            assert_ne!(reported, called);
        });
        drop(guard);
    }

    #[test]
    fn a_turn_that_is_waited_for_is_in_its_span() {
        let spans = Spans::default();
        let (layer, guard) = Telemetry::builder("svc")
            .environment(Environment::empty())
            .exporter(spans)
            .layer()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let turn = TASK.run(async { current_trace_id() });
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let id = std::pin::pin!(turn).poll(&mut context);
            assert!(matches!(id, std::task::Poll::Ready(Some(_))), "{id:?}");
            assert_eq!(current_trace_id(), None);
        });
        drop(guard);
    }
}
