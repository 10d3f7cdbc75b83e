//! The one call, for the whole process: this binary holds one test, since there is one global
//! subscriber and one panic hook.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/lines.rs"]
mod lines;
#[path = "support/spans.rs"]
mod spans;

use std::{fmt, thread, time::Duration};

use portcullis_telemetry::{
    Environment, InitError, Ratio, Redaction, Sampling, Telemetry, current_trace_id,
};
use tracing::{info, info_span};

use self::{lines::Lines, spans::Spans};

struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("while formatting");
        f.write_str("chatty")
    }
}

#[test]
fn one_call_starts_logs_traces_metrics_and_redaction() {
    let (lines, spans) = (Lines::default(), Spans::default());
    let guard = Telemetry::builder("svc")
        .environment(Environment::from_pairs([
            ("OTEL_SERVICE_NAME", "named-outside"),
            ("OTEL_TRACES_SAMPLER", "always_on"),
        ]))
        .exporter(spans.clone())
        .sampling(Sampling::head(Ratio::NONE))
        .writer(lines.clone())
        .redaction(Redaction::standard())
        .init()
        .unwrap();

    let mut id = String::new();
    info_span!("request").in_scope(|| {
        id = current_trace_id().unwrap().to_string();
        info!(email = "x", "to bob@example.com");
        info!(value = %Chatty, "outer");
    });
    let panicked = thread::spawn(|| {
        info_span!("worker").in_scope(|| panic!("no such user: bob@example.com"));
    });
    assert!(panicked.join().is_err());

    let text = lines.text();
    let line = |part: &str| text.lines().find(|line| line.contains(part)).expect(part);
    let first = line("to [email]");
    assert!(first.contains(r#""service":"named-outside""#), "{first}");
    assert!(first.contains(&format!(r#""trace_id":"{id}""#)), "{first}");
    assert!(first.contains(r#""email":"[redacted]""#), "{first}");
    line(r#""message":"while formatting""#);
    line(r#""value":"chatty""#);
    let panic = line(r#""target":"panic""#);
    assert!(
        panic.contains(r#""panic.message":"no such user: [email]""#),
        "{panic}"
    );
    assert!(
        panic.contains("tests/init.rs:") && panic.contains(r#""trace_id":""#),
        "{panic}"
    );
    assert!(!text.contains("bob@example.com"));

    let metrics = guard.registry().render(None).unwrap().body;
    assert!(
        metrics.contains("telemetry_redactions_total{kind=\"email\"} 2\n"),
        "{metrics}"
    );

    let second = Telemetry::builder("svc")
        .environment(Environment::empty())
        .init();
    assert!(matches!(second, Err(InitError::SubscriberInstalled(_))));

    let report = guard.shutdown(Duration::from_secs(5));
    assert_eq!((report.flushed, report.dropped), (2, 0));
    let spans = spans.all();
    let worker = spans.iter().find(|span| span.name == "worker").unwrap();
    assert!(matches!(
        worker.status,
        opentelemetry::trace::Status::Error { .. }
    ));
}
