//! A collector that hangs, and one that refuses: memory is flat, what is dropped is counted by its reason, no
//! request waits, and the end comes in time.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, page_view, wait_for};

/// A collector that takes connections and does this with each.
fn collector(with: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
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
    if connection.read(&mut buffer).is_ok_and(|read| read > 0) {
        let answer =
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        // The other side may be gone.
        drop(connection.write_all(answer));
        hangs(connection);
    }
}

/// Of one round. Each has more than ten spans, which together are some kilobytes.
const REQUESTS: u32 = 1_500;
const AT_ONCE: usize = 16;

/// Sends a round of events, and gives what the slowest took.
async fn round(server: &Server, key: &Key, number: u32) -> Duration {
    let requests =
        (0..REQUESTS).map(|n| server.post("/v1/events", key, &page_view(format!("{number}-{n}"))));
    let times = stream::iter(requests).map(|request| async {
        let began = Instant::now();
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        began.elapsed()
    });
    let times: Vec<Duration> = times.buffer_unordered(AT_ONCE).collect().await;
    times.into_iter().max().unwrap()
}

/// The memory of the process in bytes.
fn resident(server: &Server) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().split_whitespace().next().unwrap();
    kib.parse::<f64>().unwrap() * 1024.0
}

fn dropped(reason: &str) -> String {
    format!("telemetry_spans_dropped_total{{reason=\"{reason}\"}}")
}

/// A server whose spans all go to this collector, after which it is looked for what that did to it. `reason` is
/// the one that most of them are dropped for.
async fn does_no_harm(url: String, timeout: &str, reason: &str) {
    let data = Data::new();
    let mut command = data.command();
    command
        .env("INGEST_TRACE_SAMPLE_RATIO", "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", timeout)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100");
    let server = Server::start_command(&data, command);
    let unlimited = json!({ "tier": { "enterprise": { "category": {
        "ingest": { "tenant": { "per-second": 1_000_000, "burst": 1_000_000 } }
    } } } });
    let put = server.admin(Method::PUT, "/admin/limits").json(&unlimited);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let key = server.issue_tier("acme", "enterprise", &ALL_SCOPES).await;

    // Until the queue is full, and everything else that grows with the first requests has grown.
    round(&server, &key, 0).await;
    wait_for("spans that are dropped", async || {
        (server.metrics().await[&dropped(reason)] > 0.0).then_some(())
    })
    .await;
    let (before, resident_before) = (server.metrics().await, resident(&server));
    let mut slowest = Duration::ZERO;
    for number in 1..=3 {
        slowest = slowest.max(round(&server, &key, number).await);
    }
    let (after, resident_after) = (server.metrics().await, resident(&server));
    let growth = |name: &str| after[name] - before[name];
    let requested = f64::from(3 * REQUESTS);
    let selected = growth("telemetry_spans_selected_total");
    assert!(selected >= 10.0 * requested, "{selected} spans");
    // But for those that wait.
    let reasons = ["queue_spans", "queue_bytes", "export"];
    let lost: f64 = reasons.iter().map(|reason| growth(&dropped(reason))).sum();
    assert!(lost > 0.9 * selected, "{lost} of {selected} were dropped");
    assert!(growth(&dropped(reason)) > 0.0, "{after:#?}");
    assert_eq!(
        after["telemetry_spans_exported_total{outcome=\"delivered\"}"],
        0.0
    );
    // They would take some 30 MB.
    let grown = resident_after - resident_before;
    assert!(
        grown < 14e6,
        "memory grew by {grown} bytes with {selected} spans"
    );
    // None has waited for the collector, which takes longer.
    assert!(
        slowest < Duration::from_secs(5),
        "a request took {slowest:?}"
    );

    let began = Instant::now();
    assert!(server.terminate().success());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "the end took {took:?}");
    let logs = data.logs();
    let last: Value = serde_json::from_str(logs.lines().last().unwrap()).unwrap();
    assert_eq!(
        last["message"], "spans did not reach the collector",
        "{last}"
    );
    assert_eq!(last["flushed"], 0, "{last}");
    assert!(last["dropped"].as_f64().unwrap() >= selected, "{last}");
}

#[tokio::test]
async fn a_collector_that_hangs_does_no_harm() {
    does_no_harm(collector(hangs), "60000", "queue_spans").await;
}

#[tokio::test]
async fn a_collector_that_refuses_does_no_harm() {
    does_no_harm(collector(refuses), "10000", "export").await;
}
