//! Which traces are kept, and that no bound is exceeded.

mod unending;

use std::{
    borrow::Cow,
    cell::RefCell,
    num::{NonZeroU32, NonZeroUsize},
    sync::atomic::{AtomicUsize, Ordering},
    time::SystemTime,
};

use opentelemetry::{
    InstrumentationScope,
    trace::{SpanContext, SpanId, Status, TraceFlags, TraceState},
};
use opentelemetry_sdk::trace::SpanData;
use tracing::{
    error,
    field::{Empty, Visit as _},
    info_span,
    subscriber::with_default,
};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{
    Environment, Sampling, Telemetry,
    clock::FakeClock,
    environment::SpanLimits,
    movement::assert_moved,
    sampling::{Head, Ratio},
    spans::Spans,
    traces::{
        SpanLayer,
        details::Details,
        recorder::{Recorder, SpanSink, SpanStart},
        visit::SpanFields,
    },
};

/// Takes spans as the exporter's queue would.
#[derive(Clone, Debug, Default)]
struct Taken(Arc<Mutex<Vec<SpanData>>>);

impl Taken {
    fn names(&self) -> Vec<String> {
        lock(&self.0)
            .iter()
            .map(|span| span.name.to_string())
            .collect()
    }
}

impl SpanSink for Taken {
    fn take(&self, trace: &Arc<Trace>, span: EndedSpan) {
        let scope = InstrumentationScope::builder("test").build();
        let span = span.into_span_data(trace, &scope, &LIMITS);
        assert!(span.span_context.is_sampled(), "only sampled spans pass");
        lock(&self.0).push(span);
    }

    fn shut_down(&self, _: Duration) {}
}

struct Stage {
    recorder: Arc<Recorder>,
    taken: Taken,
    clock: Arc<FakeClock>,
}

const FAST: Duration = Duration::from_millis(119);
const SLOW: Duration = Duration::from_millis(121);
const LIMITS: SpanLimits = SpanLimits {
    attributes: 128,
    events: 128,
    links: 128,
    attributes_per_event: 128,
};

/// A span that has not ended.
struct Begun {
    place: SpanStart,
    id: SpanId,
    name: &'static str,
    details: RefCell<Details>,
}

impl Begun {
    fn fail(&self, description: impl Into<Cow<'static, str>>) {
        let status = Status::error(description);
        self.details.borrow_mut().raise_status(status);
    }

    /// As a field of the span: the texts of an error stand in two attributes each.
    fn record_error(&self, text: &str) {
        let mut details = self.details.borrow_mut();
        let mut fields = SpanFields {
            details: &mut details,
            limits: &LIMITS,
        };
        let registry = tracing_subscriber::registry();
        let span = with_default(registry, || info_span!("with an error", error = Empty));
        let field = span.field("error").unwrap();
        fields.record_error(&field, &std::io::Error::other(text.to_owned()));
    }

    fn write(&self, bytes: usize) {
        self.details.borrow_mut().str(&"x".repeat(bytes));
    }
}

impl Stage {
    fn new(rules: Tail, head: Ratio) -> Self {
        let taken = Taken::default();
        let clock = Arc::new(FakeClock::new(SystemTime::UNIX_EPOCH));
        let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
        let head = Head {
            ratio: head,
            ..Head::default()
        };
        let exit = Box::new(taken.clone());
        let tail = TailSampler::new(rules, as_clock());
        Self {
            recorder: Arc::new(Recorder::new(
                head,
                LIMITS,
                as_clock(),
                Some(exit),
                Some(tail),
            )),
            taken,
            clock,
        }
    }

    fn tail_only(rules: Tail) -> Self {
        Self::new(rules, Ratio::NONE)
    }

    fn tail(&self) -> &TailSampler {
        self.recorder.tail.as_ref().unwrap()
    }

    fn begun(&self, name: &'static str, place: SpanStart) -> Begun {
        Begun {
            place,
            id: self.recorder.new_span_id(),
            name,
            details: RefCell::default(),
        }
    }

    fn start(&self, name: &'static str, parent: &Begun) -> Begun {
        let trace = Arc::clone(&parent.place.trace);
        let now = self.clock.monotonic();
        self.begun(name, self.recorder.begin_inside(trace, parent.id, now))
    }

    fn root(&self, name: &'static str) -> Begun {
        self.begun(name, self.recorder.begin(None, self.clock.monotonic()))
    }

    fn end(&self, span: Begun, took: Duration) {
        let SpanStart {
            trace,
            parent,
            is_root,
            now,
        } = span.place;
        let ended = EndedSpan {
            id: span.id,
            parent,
            name: span.name,
            started: now,
            ended: now + took,
            details: Some(Box::new(span.details.into_inner())),
        };
        self.recorder.end_span(&trace, ended, is_root);
    }

    fn trace(&self, name: &'static str, took: Duration) {
        self.end(self.root(name), took);
    }

    fn held(&self) -> (usize, usize) {
        let loads = self.tail().shards.iter().map(Shard::load);
        loads.fold((0, 0), |sum, load| (sum.0 + load.0, sum.1 + load.1))
    }

    fn evicted(&self, reason: Evicted) -> u64 {
        self.tail().evicted.at(reason as usize).get()
    }
}

fn rules(change: impl FnOnce(&mut Tail)) -> Tail {
    let mut rules = Tail {
        kept_per_second: NonZeroU32::new(1_000_000).unwrap(),
        ..Tail::default()
    };
    change(&mut rules);
    rules
}

#[test]
fn every_error_and_every_slow_trace_is_kept_and_nothing_else() {
    let stage = Stage::tail_only(rules(|_| {}));
    for round in 0..3_000 {
        match round % 3 {
            0 => stage.trace("fast", FAST),
            1 => stage.trace("slow", SLOW),
            _ => {
                let root = stage.root("failed");
                root.fail("no");
                stage.end(root, FAST);
            }
        }
    }
    let names = stage.taken.names();
    assert_eq!(names.iter().filter(|name| *name == "slow").count(), 1_000);
    assert_eq!(names.iter().filter(|name| *name == "failed").count(), 1_000);
    assert_eq!(names.len(), 2_000);
    assert_eq!(stage.held(), (0, 0));
}

#[test]
fn an_error_on_a_grandchild_keeps_the_whole_trace() {
    let stage = Stage::tail_only(rules(|_| {}));
    let root = stage.root("root");
    let child = stage.start("child", &root);
    let grandchild = stage.start("grandchild", &child);
    grandchild.fail("deep");
    for span in [grandchild, child, root] {
        stage.end(span, FAST);
    }
    assert_eq!(stage.taken.names(), ["grandchild", "child", "root"]);
}

/// The registry ends a span after its children, wherever those run.
#[test]
fn work_that_outlives_the_root_is_waited_for() {
    let spans = Spans::default();
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .sampling(Sampling::head(Ratio::NONE).with_tail(Tail::default()))
        .layer()
        .unwrap();
    with_default(tracing_subscriber::registry().with(layer), || {
        let root = info_span!("root");
        let spawned = info_span!(parent: &root, "spawned");
        drop(root);
        spawned.in_scope(|| error!("late"));
    });
    guard.shutdown(Duration::from_secs(5));
    let names: Vec<_> = spans.all().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["spawned", "root"]);
}

#[test]
fn the_threshold_is_120_ms() {
    let stage = Stage::tail_only(rules(|_| {}));
    stage.trace("at", Duration::from_millis(120));
    stage.trace("above", Duration::from_micros(120_001));
    assert_eq!(stage.taken.names(), ["above"]);
}

/// Within five standard deviations, which a right sampler leaves once in 1.7 million runs.
#[test]
fn the_head_rate_is_within_binomial_bounds() {
    let (traces, share) = (20_000.0, 0.05);
    let stage = Stage::new(rules(|_| {}), Ratio::new(share).unwrap());
    for _ in 0..20_000 {
        stage.trace("fast", FAST);
    }
    let kept = stage.taken.names().len() as f64;
    let deviation = (traces * share * (1.0 - share)).sqrt();
    assert!(
        (kept - traces * share).abs() < 5.0 * deviation,
        "{kept} of {traces}"
    );
    assert_eq!(
        stage.tail().kept.iter().map(|kept| kept.get()).sum::<u64>(),
        0
    );
}

#[test]
fn memory_stays_below_its_bound() {
    let fills: [fn(&Begun); 3] = [
        |span| span.write(20_000),
        |span| span.record_error(&"x".repeat(10_000)),
        |span| span.fail("x".repeat(20_000)),
    ];
    fills
        .into_iter()
        .for_each(memory_stays_below_its_bound_with);
}

fn memory_stays_below_its_bound_with(fill: fn(&Begun)) {
    let most = NonZeroUsize::new(1 << 20).unwrap();
    let stage = Stage::tail_only(rules(|rules| rules.bytes = most));
    let mut roots = Vec::new();
    for _ in 0..500 {
        let root = stage.root("root");
        let child = stage.start("child", &root);
        fill(&child);
        let texts = stage.held().1 + 20_000;
        stage.end(child, FAST);
        assert!(stage.evicted(Evicted::Bytes) > 0 || stage.held().1 >= texts);
        assert!(stage.held().1 <= most.get());
        roots.push(root);
    }
    assert!(stage.evicted(Evicted::Bytes) > 0);
    roots.into_iter().for_each(|root| stage.end(root, FAST));
    assert_eq!(stage.held(), (0, 0), "what was added was taken away again");
}

#[test]
fn a_span_larger_than_the_bound_evicts_no_other_trace() {
    let stage = Stage::tail_only(rules(|rules| {
        rules.bytes = NonZeroUsize::new(SHARDS * 100_000).unwrap();
        rules.traces = NonZeroUsize::new(SHARDS * 100).unwrap();
    }));
    let mut roots: Vec<Begun> = (0..100).map(|_| stage.root("root")).collect();
    roots
        .iter()
        .for_each(|root| stage.end(stage.start("small", root), FAST));
    let giant = stage.start("giant", &roots[0]);
    giant.write(200_000);
    stage.end(giant, SLOW);
    assert_eq!((stage.evicted(Evicted::Bytes), stage.held().0), (1, 100));
    stage.end(roots.swap_remove(0), FAST);
    assert_eq!(stage.taken.names(), ["small", "root"]);
}

#[test]
fn a_trace_with_too_many_spans_is_cut_short_and_its_error_still_counts() {
    let stage = Stage::tail_only(rules(|rules| {
        rules.spans_per_trace = NonZeroUsize::new(3).unwrap()
    }));
    let root = stage.root("root");
    for _ in 0..10 {
        stage.end(stage.start("child", &root), FAST);
    }
    let failed = stage.start("failed", &root);
    failed.fail("beyond the bound");
    stage.end(failed, FAST);
    stage.end(root, FAST);
    assert_eq!(stage.taken.names(), ["child"; 3]);
    assert_eq!(stage.evicted(Evicted::SpansPerTrace), 1);
}

#[test]
fn a_trace_that_does_not_end_is_evicted_but_its_error_is_exported() {
    let stage = Stage::tail_only(rules(|rules| {
        rules.age = Duration::from_secs(60);
        rules.traces = NonZeroUsize::new(1).unwrap();
    }));
    let root = stage.root("root");
    let failed = stage.start("failed", &root);
    failed.fail("seen");
    stage.end(failed, FAST);
    stage.clock.advance(Duration::from_secs(59));
    stage.end(stage.start("young", &root), FAST);
    assert_eq!(stage.evicted(Evicted::Age), 0);
    stage.clock.advance(Duration::from_secs(10));
    stage.trace("other", FAST);
    assert_eq!(
        (stage.evicted(Evicted::Age), stage.taken.names()),
        (1, vec!["failed".to_owned(), "young".to_owned()])
    );
    root.fail("after all");
    stage.end(root, FAST);
    assert_eq!(stage.taken.names(), ["failed", "young", "root"]);
}

#[test]
fn no_more_traces_are_kept_in_a_second_than_allowed() {
    let stage = Stage::tail_only(rules(|rules| {
        rules.kept_per_second = NonZeroU32::new(10).unwrap()
    }));
    let registry = Registry::new();
    stage.tail().register(&registry).unwrap();
    let metrics = || registry.render(None).unwrap().body;
    let before = metrics();
    let hundred = || (0..100).for_each(|_| stage.trace("slow", SLOW));
    hundred();
    assert_moved(
        &before,
        &metrics(),
        [
            "telemetry_tail_kept_total",
            "telemetry_tail_evictions_total",
        ],
    );
    assert_eq!(
        (
            stage.taken.names().len(),
            stage.evicted(Evicted::KeptPerSecond)
        ),
        (10, 90)
    );
    stage.clock.advance(Duration::from_secs(1));
    hundred();
    assert_eq!(stage.taken.names().len(), 20);
}

#[test]
fn shutdown_exports_errors_in_unfinished_traces() {
    let stage = Stage::tail_only(rules(|_| {}));
    let root = stage.root("root");
    let failed = stage.start("failed", &root);
    failed.fail("seen");
    stage.end(failed, FAST);
    stage.recorder.shut_down(Duration::ZERO);
    assert_eq!(stage.taken.names(), ["failed"]);
    assert_eq!(stage.held(), (0, 0));
}

#[test]
fn threads_lose_and_invent_nothing() {
    let stage = Stage::tail_only(rules(|_| {}));
    let expected = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..500 {
                    let root = stage.root("root");
                    stage.end(stage.start("child", &root), FAST);
                    let slow = round % 5 == 0;
                    stage.end(root, if slow { SLOW } else { FAST });
                    expected.fetch_add(if slow { 2 } else { 0 }, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(stage.taken.names().len(), expected.into_inner());
    assert_eq!(stage.held(), (0, 0));
}

#[test]
fn a_span_with_a_value_that_panics_is_not_waited_for() {
    struct Panics;

    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("no text")
        }
    }

    let stage = Stage::tail_only(rules(|_| {}));
    let registry = tracing_subscriber::registry();
    let layer = SpanLayer::new::<tracing_subscriber::Registry>(Arc::clone(&stage.recorder));
    with_default(registry.with(layer), || {
        let begin = || info_span!("stillborn", broken = ?Panics);
        assert!(std::panic::catch_unwind(begin).is_err());
    });
    assert_eq!(stage.held(), (0, 0));
}

#[test]
fn a_trace_is_kept_when_the_last_of_its_spans_moves_away() {
    let stage = Stage::tail_only(rules(|_| {}));
    let caller = SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::default(),
        true,
        TraceState::default(),
    );
    let begin = |name| {
        let place = stage.recorder.begin(Some(&caller), stage.clock.monotonic());
        stage.begun(name, place)
    };
    let (failed, moved) = (begin("failed"), begin("moved"));
    failed.fail("no");
    stage.end(failed, FAST);
    assert!(
        stage.taken.names().is_empty(),
        "the other one is waited for"
    );
    stage.recorder.leave_trace(&moved.place.trace);
    assert_eq!(stage.taken.names(), ["failed"]);
    assert_eq!(stage.held(), (0, 0));
}

#[test]
fn traces_that_begin_after_shutdown_are_not_held() {
    let stage = Stage::tail_only(rules(|_| {}));
    stage.recorder.shut_down(Duration::ZERO);
    let late = stage.root("late");
    assert!(late.place.trace.is_ignored());
    assert_eq!(stage.held(), (0, 0));
    stage.end(late, SLOW);
    assert!(stage.taken.names().is_empty());
}
