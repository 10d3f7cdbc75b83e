//! The process itself: its settings, its telemetry, what it tells.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{EditedMetrics, JOB, Sender, Stage, again, at_one_address, command, start};
use crate::harness::{ALL_SCOPES, Data, Server};

pub(super) async fn an_odd_variable(stage: &Stage) {
    let data = Data::new();
    let command = at_one_address(&data);
    let server = Server::start_command(&data, again(&command));
    let instance = stage.watch(&server);
    stage.healthy().await;
    assert!(server.terminate().success());
    let mut odd = again(&command);
    odd.env("INGEST_SERVICE_HOST", "127.0.0.1");
    let cause = stage.now();
    let server = Server::start_command(&data, odd);
    cause.fires("ConfigSuspect", &instance, "tickets").await;
    stage.all_fired().await;
    assert!(server.terminate().success());
    let mended = stage.now();
    let _server = Server::start_command(&data, command);
    mended.resolves("ConfigSuspect", &instance).await;
}

/// A collector that takes spans, or refuses them and closes.
struct Collector {
    url: String,
    refuses: Arc<AtomicBool>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let refuses = Arc::new(AtomicBool::new(false));
        let now = Arc::clone(&refuses);
        // Ends with the process of the test.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let status = if now.load(Ordering::SeqCst) {
                    "400 No"
                } else {
                    "200 OK"
                };
                // One that breaks off is tried again.
                drop(connection.and_then(|it| answer(it, status)));
            }
        });
        Self { url, refuses }
    }
}

fn answer(mut asked: TcpStream, status: &str) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    // The head, and what came with it: enough to be answered.
    let _ = asked.read(&mut buffer)?;
    write!(
        asked,
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

pub(super) async fn a_collector_that_refuses(stage: &Stage) {
    let (data, collector) = (Data::new(), Collector::start());
    let mut command = command(&data);
    command
        .env("INGEST_TRACE_SAMPLE_RATIO", "0.05")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    let _sender = Sender::of_events(&server, &key.text, 20);
    stage.healthy().await;
    let cause = stage.now();
    collector.refuses.store(true, Ordering::SeqCst);
    cause.fires("TelemetryLosing", &instance, "tickets").await;
    stage.all_fired().await;
}

/// Somebody between it and Prometheus changes them: of these faults there is no cause that a test can bring about.
pub(super) async fn metrics_that_are_not_what_they_were(stage: &Stage) {
    let server = start();
    let renamed = EditedMetrics::of(&server, |line| {
        line.replace("slo_requests_total", "slo_answers_total")
    });
    let unaccounted = EditedMetrics::of(&server, |line| match line.split_once(' ') {
        Some(("dq_unaccounted", _)) => "dq_unaccounted 50".to_owned(),
        _ => line.to_owned(),
    });
    let overflowing = EditedMetrics::of(&server, |line| match line.split_once(' ') {
        Some((series @ "telemetry_label_overflow_total{metric=\"ratelimit_decisions\"}", _)) => {
            format!("{series} 7")
        }
        _ => line.to_owned(),
    });
    let all = [
        ("SliAbsent", "pager", renamed),
        ("EventsUnaccounted", "pager", unaccounted),
        ("LabelOverflow", "tickets", overflowing),
    ];
    for (_, _, metrics) in &all {
        stage.watch_address(JOB, &metrics.address);
    }
    stage.healthy().await;
    let cause = stage.now();
    for (_, _, metrics) in &all {
        metrics.edit(true);
    }
    for (alert, receiver, metrics) in &all {
        cause.fires(alert, &metrics.address, receiver).await;
    }
    stage.all_fired().await;
    for (_, _, metrics) in &all {
        metrics.edit(false);
    }
    let mended = stage.now();
    for (alert, _, metrics) in &all[..2] {
        mended.resolves(alert, &metrics.address).await;
    }
}
