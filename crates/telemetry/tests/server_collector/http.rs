//! Over HTTP.

use std::time::Duration;

use portcullis_telemetry::{Environment, HttpLayer, Logs, Otlp, Ratio, Sampling, Tail, Telemetry};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::{info, info_span};
use tracing_subscriber::layer::SubscriberExt;

use crate::{collector::Collector, install_provider, program::free_port};

/// All of it on one runtime with one worker, which blocks while the spans are flushed: the export
/// must not need it.
#[tokio::test]
async fn a_real_collector_receives_spans_with_their_attributes() {
    install_provider();
    let collector = Collector::start();
    let (layer, guard) = Telemetry::builder("ingest")
        .environment(Environment::from_pairs([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.http.as_str()),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment=canary-stage",
            ),
        ]))
        .sampling(Sampling::head(Ratio::NONE).with_tail(Tail::default()))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    let http = HttpLayer::new(guard.registry(), |_| Some("/v1/events")).unwrap();
    let service =
        ServiceBuilder::new()
            .layer(http)
            .service(service_fn(|status: http::Request<u16>| {
                let span = info_span!("validate", tenant = "acme", email = "bob@example.com");
                span.in_scope(|| info!(batch = 17, "checked for bob@example.com"));
                std::future::ready(http::Response::builder().status(*status.body()).body(()))
            }));
    let subscriber = tracing_subscriber::registry().with(layer);
    let active = tracing::subscriber::set_default(subscriber);
    for status in [200, 503] {
        let request = http::Request::post("/v1/events").body(status).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    drop(active);
    let report = guard.shutdown(Duration::from_secs(10));
    assert_eq!(
        (report.flushed, report.dropped),
        (2, 0),
        "the failed request's two spans"
    );

    let output = collector.program.wait("span", |output| {
        let complete = output.contains("POST /v1/events") && output.contains("validate");
        complete.then(|| output.to_owned())
    });
    for expected in [
        "service.name",
        "ingest",
        "deployment.environment",
        "canary-stage",
        "http.route",
        "/v1/events",
        "http.response.status_code",
        "503",
        "tenant",
        "acme",
        "[redacted]",
        "checked for [email]",
    ] {
        assert!(output.contains(expected), "{expected} in {output}");
    }
    assert!(!output.contains("bob@example.com"), "{output}");
}

#[test]
fn spans_that_no_collector_takes_are_reported_as_dropped() {
    install_provider();
    let (layer, guard) = Telemetry::builder("ingest")
        .environment(Environment::from_pairs([(
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "200",
        )]))
        .otlp(Otlp::HttpAt(format!("http://127.0.0.1:{}", free_port())))
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
