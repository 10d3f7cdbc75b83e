//! Telemetry as a layer of your own subscriber, beside other layers, and with a secret prefix of
//! your own.

use std::{
    error::Error,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_telemetry::{
    Logs, Otlp, Redaction, Telemetry, current_trace_id, pii_detect::Detector,
};
use tracing::{info, info_span};
use tracing_subscriber::layer::SubscriberExt;

/// Keeps log lines in memory; a service writes them to standard error, which is the default.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .map_err(|_| io::Error::other("a writer panicked"))?
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let lines = Lines::default();
    let writer = lines.clone();
    let detector = Detector::builder().secret_prefix("acme_live_").build()?;
    let (layer, guard) = Telemetry::builder("shop")
        .otlp(Otlp::Off)
        .logs(Logs::Json)
        .redaction(Redaction::standard().with_detector(detector))
        .writer(move || writer.clone())
        .layer()?;
    // Here other layers can be added.
    let subscriber = tracing_subscriber::registry().with(layer);

    let mut trace_id = String::new();
    tracing::subscriber::with_default(subscriber, || {
        info_span!("order").in_scope(|| {
            trace_id = current_trace_id()
                .map(|id| id.to_string())
                .unwrap_or_default();
            info!(
                password = "hunter2",
                "key acme_live_0Zk3aB9xQ of bob@example.com"
            );
        });
    });

    let bytes = lines.0.lock().map_err(|_| "a writer panicked")?.clone();
    let text = String::from_utf8(bytes)?;
    assert!(
        text.contains(r#""message":"key [api_key] of [email]""#),
        "{text}"
    );
    assert!(text.contains(r#""password":"[redacted]""#), "{text}");
    assert!(
        text.contains(&format!(r#""trace_id":"{trace_id}""#)),
        "{text}"
    );
    assert_eq!(guard.redactor().hidden(), 3);
    let report = guard.shutdown(Duration::from_secs(5));
    assert_eq!(
        (report.flushed, report.dropped),
        (0, 0),
        "there was no exporter"
    );
    Ok(())
}
