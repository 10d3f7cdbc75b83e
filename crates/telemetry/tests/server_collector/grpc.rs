//! Over gRPC.

use std::time::Duration;

use portcullis_telemetry::{Environment, Logs, Otlp, Ratio, Sampling, Telemetry};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

use crate::{collector::Collector, install_provider, program::free_port};

/// On a runtime with one worker, which blocks while the spans are flushed: the export must not need it.
#[tokio::test]
async fn a_real_collector_receives_spans_over_grpc_on_a_runtime_that_blocks() {
    install_provider();
    let collector = Collector::start();
    let (layer, guard) = Telemetry::builder("by-grpc")
        .environment(Environment::from_pairs([(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-scope=one",
        )]))
        .otlp(Otlp::GrpcAt(collector.grpc.clone()))
        .sampling(Sampling::head(Ratio::ALL))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info_span!("over-grpc", tenant = "acme").in_scope(|| ());
    });
    let report = guard.shutdown(Duration::from_secs(10));
    assert_eq!((report.flushed, report.dropped), (1, 0));
    let output = collector.program.wait("span", |output| {
        output.contains("over-grpc").then(|| output.to_owned())
    });
    assert!(
        output.contains("by-grpc") && output.contains("acme"),
        "{output}"
    );
}

#[test]
fn the_environment_asks_for_grpc() {
    install_provider();
    let collector = Collector::start();
    let (layer, guard) = Telemetry::builder("by-grpc")
        .environment(Environment::from_pairs([
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.grpc.as_str()),
            ("OTEL_TRACES_SAMPLER", "always_on"),
        ]))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info_span!("asked-for").in_scope(|| ());
    });
    assert_eq!(guard.shutdown(Duration::from_secs(10)).flushed, 1);
}

#[test]
fn a_collector_that_is_not_there_costs_its_spans_and_no_more() {
    install_provider();
    let (layer, guard) = Telemetry::builder("by-grpc")
        .environment(Environment::from_pairs([(
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "200",
        )]))
        .otlp(Otlp::GrpcAt(format!("http://127.0.0.1:{}", free_port())))
        .sampling(Sampling::head(Ratio::ALL))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..3).for_each(|_| drop(info_span!("lost").entered()));
    });
    let report = guard.shutdown(Duration::from_secs(20));
    assert_eq!((report.flushed, report.dropped), (0, 3));
}
