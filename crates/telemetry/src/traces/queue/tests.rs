//! What the queue holds, what it drops, and that nobody waits for it.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};

use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use tracing::{Dispatch, dispatcher::with_default, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{Environment, Guard, Logs, Ratio, Sampling, Telemetry};

/// A collector that answers when it is told to, and what it is told.
#[derive(Debug)]
struct Held {
    asked: Sender<usize>,
    answers: Mutex<Receiver<OTelSdkResult>>,
}

impl SpanExporter for Held {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.asked.send(batch.len()).unwrap();
        match lock(&self.answers).recv() {
            Ok(answer) => answer,
            Err(_) => panic!("an exporter with a bug"),
        }
    }
}

struct Stage {
    guard: Guard,
    dispatch: Dispatch,
    asked: Receiver<usize>,
    answer: Sender<OTelSdkResult>,
}

fn stage(queue_bytes: usize, variables: &[(&'static str, &str)]) -> Stage {
    let ((asked, asks), (answer, answers)) = (channel(), channel());
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::from_pairs(variables.iter().copied()))
        .exporter(Held {
            asked,
            answers: Mutex::new(answers),
        })
        .queue_bytes(NonZeroUsize::new(queue_bytes).unwrap())
        .logs(Logs::Off)
        .sampling(Sampling::head(Ratio::ALL))
        .layer()
        .unwrap();
    Stage {
        guard,
        dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)),
        asked: asks,
        answer,
    }
}

const MIB: usize = 1 << 20;
const SMALL: [(&str, &str); 2] = [
    ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
];

impl Stage {
    fn spans(&self, count: usize, text: &str) {
        with_default(&self.dispatch, || {
            (0..count).for_each(|_| drop(info_span!("span", text)));
        });
    }

    fn metric(&self, sample: &str) -> f64 {
        let body = self.guard.registry().render(None).unwrap().body;
        let mut lines = body.lines();
        let line = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{sample} in {body}"))
            .parse()
            .unwrap()
    }

    fn dropped(&self, reason: &str) -> f64 {
        self.metric(&format!(
            "telemetry_spans_dropped_total{{reason=\"{reason}\"}}"
        ))
    }
}

#[test]
fn a_batch_goes_as_soon_as_it_is_full() {
    let stage = stage(MIB, &SMALL);
    stage.spans(4, "");
    assert_eq!(stage.asked.recv(), Ok(4));
    stage.answer.send(Ok(())).unwrap();
    stage.spans(3, "");
    stage.answer.send(Ok(())).unwrap();
    let report = stage.guard.shutdown(Duration::from_secs(10));
    assert_eq!((report.flushed, report.dropped), (7, 0));
    assert_eq!(stage.asked.recv(), Ok(3));
}

#[test]
fn what_waits_goes_when_the_delay_is_over() {
    let stage = stage(MIB, &[("OTEL_BSP_SCHEDULE_DELAY", "20")]);
    stage.spans(1, "");
    assert_eq!(stage.asked.recv(), Ok(1));
    stage.answer.send(Ok(())).unwrap();
    let report = stage.guard.shutdown(Duration::from_secs(10));
    assert_eq!(report.flushed, 1);
}

/// One batch is on its way and never answered: the queue fills to its bound and no further.
#[test]
fn more_spans_than_may_wait_are_dropped_by_that_reason() {
    let stage = stage(MIB, &SMALL);
    stage.spans(4, "");
    assert_eq!(stage.asked.recv(), Ok(4));
    stage.spans(10_000, "");
    assert_eq!(stage.metric("telemetry_export_queue_spans"), 10.0);
    assert_eq!(
        (stage.dropped("queue_spans"), stage.dropped("queue_bytes")),
        (9_990.0, 0.0)
    );
}

#[test]
fn more_memory_than_may_wait_is_dropped_by_that_reason() {
    let stage = stage(MIB, &[]);
    let text = "x".repeat(100_000);
    stage.spans(1_000, &text);
    let bytes = stage.metric("telemetry_export_queue_bytes");
    assert!((500_000.0..=1_048_576.0).contains(&bytes), "{bytes}");
    let waiting = stage.metric("telemetry_export_queue_spans");
    assert_eq!(stage.dropped("queue_bytes"), 1_000.0 - waiting);
    stage.answer.send(Ok(())).unwrap();
    stage.spans(1, "");
}

#[test]
fn spans_that_are_being_exported_take_their_memory_until_they_are_gone() {
    let stage = stage(MIB, &SMALL);
    stage.spans(4, &"x".repeat(100_000));
    assert_eq!(stage.asked.recv(), Ok(4));
    assert_eq!(stage.metric("telemetry_export_queue_spans"), 0.0);
    assert!(stage.metric("telemetry_export_queue_bytes") > 400_000.0);
    stage.answer.send(Ok(())).unwrap();
    stage.spans(4, "");
    assert_eq!(stage.asked.recv(), Ok(4));
    assert!(stage.metric("telemetry_export_queue_bytes") < 10_000.0);
}

#[test]
fn a_batch_that_is_refused_is_dropped_and_the_next_is_sent() {
    let stage = stage(MIB, &SMALL);
    for answer in [
        Err(OTelSdkError::InternalFailure("refused".to_owned())),
        Ok(()),
    ] {
        stage.answer.send(answer).unwrap();
    }
    stage.spans(8, "");
    assert_eq!((stage.asked.recv(), stage.asked.recv()), (Ok(4), Ok(4)));
    let registry = stage.guard.registry().clone();
    let report = stage.guard.shutdown(Duration::from_secs(10));
    assert_eq!((report.flushed, report.dropped), (4, 4));
    let body = registry.render(None).unwrap().body;
    assert!(
        body.contains("telemetry_spans_dropped_total{reason=\"export\"} 4\n"),
        "{body}"
    );
}

#[test]
fn an_exporter_that_panics_loses_its_batch_alone() {
    let stage = stage(MIB, &SMALL);
    drop(stage.answer);
    with_default(&stage.dispatch, || {
        (0..8).for_each(|_| drop(info_span!("span")))
    });
    assert_eq!((stage.asked.recv(), stage.asked.recv()), (Ok(4), Ok(4)));
    let report = stage.guard.shutdown(Duration::from_secs(10));
    assert_eq!((report.flushed, report.dropped), (0, 8));
}

#[test]
fn a_collector_that_hangs_holds_up_neither_spans_nor_the_end() {
    let stage = stage(MIB, &SMALL);
    stage.spans(4, "");
    assert_eq!(stage.asked.recv(), Ok(4));
    stage.spans(6, "");
    let registry = stage.guard.registry().clone();
    #[expect(clippy::disallowed_methods, reason = "how long the end takes")]
    let began = Instant::now();
    let report = stage.guard.shutdown(Duration::from_millis(200));
    let took = began.elapsed();
    // What waits for the collector waits for ever, and the machine may be busy.
    assert!((200..10_000).contains(&took.as_millis()), "{took:?}");
    assert_eq!((report.flushed, report.dropped), (0, 10));
    let body = registry.render(None).unwrap().body;
    assert!(
        body.contains("telemetry_spans_dropped_total{reason=\"shutdown\"} 6\n"),
        "{body}"
    );
    assert!(
        body.contains("telemetry_export_queue_spans 0.0\n"),
        "{body}"
    );
}
