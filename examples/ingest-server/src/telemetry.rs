//! Starts traces, logs and metrics as the configuration asks.

use std::io::{self, IsTerminal as _};

use portcullis_telemetry::{Guard, InitError, Logs, Ratio, Redaction, Sampling, Tail, Telemetry};

use crate::config::{Config, Profile};

/// The name of the service in logs and traces.
const SERVICE: &str = "ingest-server";

/// The log and span fields of this service. In production no other is shown, whatever a
/// dependency logs.
const FIELDS: [&str; 18] = [
    "action",
    "address",
    "component",
    "error",
    "fault",
    "fingerprint",
    "frames",
    "kid",
    "kind",
    "lead",
    "otel.kind",
    "reason",
    "rows",
    "served",
    "stage",
    "task",
    "variable",
    "what",
];

/// Starts telemetry for the whole process; it ends when the guard is shut down.
pub(crate) fn start(config: &Config) -> Result<Guard, InitError> {
    let settings = &config.observability;
    let is_dev = config.profile == Profile::Dev;
    let head = Ratio::new(settings.trace_sample_ratio).unwrap_or(Ratio::ONE_PERCENT);
    let redaction = if is_dev {
        Redaction::standard()
    } else {
        Redaction::allow_list(FIELDS)
    };
    let logs = if is_dev && io::stderr().is_terminal() {
        Logs::Pretty
    } else {
        Logs::Json
    };
    let guard = Telemetry::builder(SERVICE)
        .sampling(Sampling::head(head).with_tail(Tail::default()))
        .logs(logs)
        .filter(settings.log_filter.as_str())
        .redaction(redaction)
        .init()?;
    if !settings.has_usual_ratio() {
        tracing::warn!(
            variable = "INGEST_TRACE_SAMPLE_RATIO",
            "the share of traces lies outside 0.01 to 0.05"
        );
    }
    if !config.unknown_variables.is_empty() {
        tracing::warn!(
            variable = config.unknown_variables.join(", "),
            "set, and no setting of this service"
        );
    }
    Ok(guard)
}
