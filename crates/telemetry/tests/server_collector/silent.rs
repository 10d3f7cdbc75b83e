//! A collector that hangs, and one that refuses: memory is flat, drops are counted, nobody waits, and the end
//! comes in time.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use portcullis_telemetry::{Environment, Guard, Logs, Otlp, Ratio, Registry, Sampling, Telemetry};
use tracing::{Dispatch, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    install_provider,
    peers::{GrpcStatus, collector, hangs, refuses, speaks_grpc},
    resident::resident,
};

const QUEUE_BYTES: usize = 4 << 20;
const ROUND: usize = 100_000;

fn start(otlp: Otlp) -> (Dispatch, Guard) {
    install_provider();
    let (layer, guard) = Telemetry::builder("silent")
        .environment(Environment::from_pairs([
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100000"),
        ]))
        .otlp(otlp)
        .queue_bytes(QUEUE_BYTES.try_into().unwrap())
        .sampling(Sampling::head(Ratio::ALL))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    (
        Dispatch::new(tracing_subscriber::registry().with(layer)),
        guard,
    )
}

/// 500 bytes each; the slowest of them.
fn spans(dispatch: &Dispatch, count: usize) -> Duration {
    let text = "x".repeat(400);
    let mut slowest = Duration::ZERO;
    tracing::dispatcher::with_default(dispatch, || {
        for _ in 0..count {
            let began = now();
            drop(info_span!("request", text = text.as_str()).entered());
            slowest = slowest.max(began.elapsed());
        }
    });
    slowest
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long others are kept waiting"
    )]
    Instant::now()
}

fn metric(registry: &Registry, sample: &str) -> f64 {
    let body = registry.render(None).unwrap().body;
    let mut lines = body.lines();
    let value = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value
        .unwrap_or_else(|| panic!("{sample} in {body}"))
        .parse()
        .unwrap()
}

/// Spans that were dropped for this reason.
fn dropped(registry: &Registry, reason: &str) -> f64 {
    let sample = format!("telemetry_spans_dropped_total{{reason=\"{reason}\"}}");
    metric(registry, &sample)
}

/// When a batch is known to be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// Not within the minute that the exporter has.
    Never,
    /// After the exporter has tried again and again: most spans find no room meanwhile.
    Late,
    AtOnce,
}

/// The memory that is looked at is that of all in this process.
static ALONE: Mutex<()> = Mutex::new(());

fn does_no_harm(otlp: Otlp, refused: Refused) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (dispatch, guard) = start(otlp);
    let registry = guard.registry().clone();
    // Until the queue is full.
    spans(&dispatch, ROUND);
    let before = resident();
    let slowest = (0..4).map(|_| spans(&dispatch, ROUND)).max().unwrap();
    let grown = resident() - before;
    assert!(
        grown < 24e6,
        "memory grew by {grown} bytes with 200 MB of spans"
    );
    assert!(slowest < Duration::from_secs(1), "a span took {slowest:?}");
    assert!(metric(&registry, "telemetry_export_queue_bytes") <= QUEUE_BYTES as f64);
    if refused == Refused::Never {
        assert_eq!(dropped(&registry, "export"), 0.0);
    } else {
        wait_for_a_refusal(&registry);
    }
    if refused != Refused::AtOnce {
        let without_room = dropped(&registry, "queue_bytes");
        assert!(without_room > 400_000.0, "{without_room} by the bound");
    }

    let began = now();
    let report = guard.shutdown(Duration::from_millis(500));
    let took = began.elapsed();
    // And what a busy machine takes to wake a thread.
    assert!(took < Duration::from_secs(2), "the end took {took:?}");
    assert_eq!((report.flushed, report.dropped), (0, 5 * ROUND as u64));
    // But for the batch that the exporter is still busy with, each has its reason.
    let reasons = ["queue_spans", "queue_bytes", "export", "shutdown"];
    let counted: f64 = reasons
        .map(|reason| dropped(&registry, reason))
        .iter()
        .sum();
    assert!((499_488.0..=500_000.0).contains(&counted), "{counted}");
}

fn wait_for_a_refusal(registry: &Registry) {
    let began = now();
    while dropped(registry, "export") == 0.0 {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing refused");
        thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_collector_that_hangs_does_no_harm() {
    does_no_harm(Otlp::HttpAt(collector(hangs)), Refused::Never);
}

#[test]
fn a_collector_that_refuses_does_no_harm() {
    does_no_harm(Otlp::HttpAt(collector(refuses)), Refused::Late);
}

/// It accepts the connection, and says not even that it speaks HTTP/2.
#[test]
fn a_collector_that_hangs_before_it_speaks_grpc_does_no_harm() {
    does_no_harm(Otlp::GrpcAt(collector(hangs)), Refused::Never);
}

#[test]
fn a_collector_that_takes_exports_by_grpc_and_never_answers_does_no_harm() {
    let url = collector(speaks_grpc(None));
    does_no_harm(Otlp::GrpcAt(url), Refused::Never);
}

#[test]
fn a_collector_that_is_unavailable_by_grpc_does_no_harm() {
    let url = collector(speaks_grpc(Some(GrpcStatus::UNAVAILABLE)));
    does_no_harm(Otlp::GrpcAt(url), Refused::Late);
}

#[test]
fn a_collector_that_denies_by_grpc_does_no_harm() {
    let url = collector(speaks_grpc(Some(GrpcStatus::PERMISSION_DENIED)));
    does_no_harm(Otlp::GrpcAt(url), Refused::AtOnce);
}
