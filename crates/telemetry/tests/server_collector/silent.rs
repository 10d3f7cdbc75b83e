//! A collector that hangs, and one that refuses: memory is flat, drops are counted, nobody waits, and the end
//! comes in time.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use portcullis_telemetry::{Environment, Guard, Logs, Otlp, Ratio, Sampling, Telemetry};
use tracing::{Dispatch, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::install_provider;

/// A collector that takes connections and does this with each.
fn collector(with: impl Fn(TcpStream) + Send + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let with = with.clone();
            thread::spawn(move || with(connection.unwrap()));
        }
    });
    url
}

/// Reads and never answers.
fn hangs(mut connection: TcpStream) {
    let mut buffer = [0; 65_536];
    while connection.read(&mut buffer).is_ok_and(|read| read > 0) {}
}

/// Answers everything with 503, which asks to try again, and closes.
fn refuses(mut connection: TcpStream) {
    let mut buffer = [0; 65_536];
    if connection.read(&mut buffer).is_ok() {
        let answer =
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = connection.write_all(answer);
        // Until the other side has read it.
        hangs(connection);
    }
}

const QUEUE_BYTES: usize = 4 << 20;

fn start(url: String) -> (Dispatch, Guard) {
    install_provider();
    let (layer, guard) = Telemetry::builder("silent")
        .environment(Environment::from_pairs([
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100000"),
        ]))
        .otlp(Otlp::HttpAt(url))
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

/// The process's memory in bytes.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    kib * 1024.0
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

fn metric(guard: &Guard, sample: &str) -> f64 {
    let body = guard.registry().render(None).unwrap().body;
    let mut lines = body.lines();
    let value = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value
        .unwrap_or_else(|| panic!("{sample} in {body}"))
        .parse()
        .unwrap()
}

fn does_no_harm(url: String) {
    const ROUND: usize = 100_000;
    let (dispatch, guard) = start(url);
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
    assert!(metric(&guard, "telemetry_export_queue_bytes") <= QUEUE_BYTES as f64);

    let dropped = ["queue_spans", "queue_bytes", "export", "shutdown"]
        .map(|reason| format!("telemetry_spans_dropped_total{{reason=\"{reason}\"}}"));
    assert!(
        metric(&guard, &dropped[1]) > 400_000.0,
        "by the bound in bytes"
    );
    let registry = guard.registry().clone();
    let began = now();
    let report = guard.shutdown(Duration::from_millis(500));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "the end took {took:?}");
    assert_eq!((report.flushed, report.dropped), (0, 5 * ROUND as u64));
    // But for the batch that the exporter is still busy with, each has its reason.
    let body = registry.render(None).unwrap().body;
    let of = |sample: &String| -> f64 {
        let mut lines = body.lines();
        let value = lines.find_map(|line| line.strip_prefix(sample.as_str())?.strip_prefix(' '));
        value.unwrap().parse().unwrap()
    };
    let counted: f64 = dropped.iter().map(of).sum();
    assert!((499_488.0..=500_000.0).contains(&counted), "{counted}");
}

#[test]
fn a_collector_that_hangs_does_no_harm() {
    does_no_harm(collector(hangs));
}

#[test]
fn a_collector_that_refuses_does_no_harm() {
    does_no_harm(collector(refuses));
}
