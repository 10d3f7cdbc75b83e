//! Which traces histograms name.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tracing::{error, info_span, subscriber::with_default};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{
    Environment, Guard, Logs, Ratio, Registry, Sampling, Tail, Telemetry,
    clock::{Clock, FakeClock},
    current_trace_id,
    spans::Spans,
};

const CAP: NonZeroUsize = NonZeroUsize::new(8).unwrap();
const OPEN_METRICS: Option<&str> = Some("application/openmetrics-text");

struct Stage {
    spans: Spans,
    guard: Guard,
    clock: Arc<FakeClock>,
    seconds: BoundedFamily<1, ExemplarHistogram>,
}

fn stage(sampling: Sampling, act: impl FnOnce(&Stage)) -> Stage {
    let (spans, clock) = (
        Spans::default(),
        Arc::new(FakeClock::new(SystemTime::UNIX_EPOCH)),
    );
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .logs(Logs::Off)
        .sampling(sampling)
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .layer()
        .unwrap();
    let buckets = Buckets::REQUEST_SECONDS;
    let family = guard
        .registry()
        .exemplar_histogram_family("s", "", ["v"], buckets, CAP);
    let stage = Stage {
        spans,
        guard,
        clock,
        seconds: family.unwrap(),
    };
    with_default(tracing_subscriber::registry().with(layer), || act(&stage));
    stage
}

impl Stage {
    /// A trace that takes so long, and its id.
    fn trace(&self, value: f64, fails: bool) -> String {
        info_span!("request").in_scope(|| {
            self.clock.advance(Duration::from_secs_f64(value));
            self.seconds.with(["a # {b} 1"]).observe(value);
            if fails {
                error!("failed");
            }
            current_trace_id().unwrap().to_string()
        })
    }

    fn exemplars(&self) -> Vec<String> {
        let body = self.guard.registry().render(OPEN_METRICS).unwrap().body;
        let lines = body.lines().filter(|line| line.contains("trace_id"));
        lines.map(str::to_owned).collect()
    }
}

#[test]
fn a_trace_that_is_chosen_at_its_start_is_named_at_once() {
    let mut id = String::new();
    let stage = stage(Sampling::head(Ratio::ALL), |stage| {
        info_span!("request").in_scope(|| {
            id = current_trace_id().unwrap().to_string();
            stage.seconds.with(["x"]).observe(0.11);
            assert_eq!(stage.exemplars().len(), 1);
        });
    });
    let line = stage.exemplars().remove(0);
    let expected = format!("s_bucket{{le=\"0.12\",v=\"x\"}} 1 # {{trace_id=\"{id}\",span_id=\"");
    assert!(line.starts_with(&expected), "{line}");
    assert!(line.ends_with("\"} 0.11"), "{line}");
    let _ = stage.guard.shutdown(Duration::from_secs(5));
    let span = stage.spans.all()[0].span_context.span_id().to_string();
    assert!(line.contains(&span), "{line}");
}

#[test]
fn a_trace_that_the_tail_keeps_is_named_then_and_no_other_ever() {
    let (mut slow, mut failed) = (String::new(), String::new());
    let stage = stage(
        Sampling::head(Ratio::NONE).with_tail(Tail::default()),
        |stage| {
            for _ in 0..100 {
                stage.trace(0.004, false);
            }
            assert_eq!(stage.exemplars(), Vec::<String>::new());
            slow = stage.trace(0.4, false);
            failed = stage.trace(0.02, true);
            info_span!("open").in_scope(|| {
                stage.seconds.with(["open"]).observe(7.0);
                assert_eq!(stage.exemplars().len(), 2, "it may not be kept");
            });
        },
    );
    let lines = stage.exemplars();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let series = |le: &str| format!("s_bucket{{le=\"{le}\",v=\"a # {{b}} 1\"}} ");
    for (line, le, count, id) in [
        (&lines[0], "0.025", 101, &failed),
        (&lines[1], "0.5", 102, &slow),
    ] {
        let expected = format!("{}{count} # {{trace_id=\"{id}\"", series(le));
        assert!(line.starts_with(&expected), "{expected} in {line}");
    }
    let kept: Vec<String> = {
        let _ = stage.guard.shutdown(Duration::from_secs(5));
        let spans = stage.spans.all();
        spans
            .iter()
            .map(|span| span.span_context.trace_id().to_string())
            .collect()
    };
    assert!(
        kept.contains(&slow) && kept.contains(&failed) && kept.len() == 2,
        "{kept:?}"
    );
}

#[test]
fn a_trace_beyond_the_rate_is_not_named() {
    let tail = Tail {
        kept_per_second: std::num::NonZeroU32::MIN,
        ..Tail::default()
    };
    let mut ids = Vec::new();
    let stage = stage(Sampling::head(Ratio::NONE).with_tail(tail), |stage| {
        ids.extend((0..3).map(|_| stage.trace(0.0, true)));
    });
    let lines = stage.exemplars();
    assert!(
        lines.len() == 1 && lines[0].contains(&ids[0]),
        "{lines:?} {ids:?}"
    );
}

#[test]
fn a_trace_holds_few_values() {
    let stage = stage(
        Sampling::head(Ratio::NONE).with_tail(Tail::default()),
        |stage| {
            info_span!("request").in_scope(|| {
                for value in [0.001, 0.006, 0.02, 0.03, 0.06, 0.08, 0.11] {
                    stage.seconds.with(["x"]).observe(value);
                }
                error!("failed");
            });
        },
    );
    assert_eq!(stage.exemplars().len(), 4);
}

#[test]
fn the_text_format_has_no_exemplars_not_even_those_of_others() {
    let stage = stage(Sampling::head(Ratio::ALL), |stage| {
        stage.trace(0.11, false);
    });
    let registry = stage.guard.registry();
    let foreign = HistogramWithExemplars::<[(&str, &str); 1]>::new([1.0].into_iter());
    registry.register("theirs", "", foreign.clone()).unwrap();
    foreign.observe(0.5, Some([("k", "v")]), None);
    let open = registry.render(OPEN_METRICS).unwrap().body;
    assert!(
        open.contains("theirs_bucket{le=\"1.0\"} 1 # {k=\"v\"} 0.5\n"),
        "{open}"
    );
    let text = registry.render(None).unwrap().body;
    assert!(
        !text.contains("trace_id") && !text.contains("k=\"v\""),
        "{text}"
    );
    assert!(text.contains("theirs_bucket{le=\"1.0\"} 1\n"), "{text}");
    assert!(
        text.contains("s_bucket{le=\"0.12\",v=\"a # {b} 1\"} 1\n"),
        "{text}"
    );
}

#[test]
fn outside_of_spans_and_without_an_exporter_values_are_counted_alone() {
    let registry = Registry::new();
    let histogram = registry
        .exemplar_histogram("alone_seconds", "", Buckets::STAGE_SECONDS)
        .unwrap();
    histogram.observe(0.5);
    let open = registry.render(OPEN_METRICS).unwrap().body;
    assert!(
        open.contains("alone_seconds_count 1\n") && !open.contains("trace_id"),
        "{open}"
    );
}
