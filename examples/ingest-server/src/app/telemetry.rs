//! Starts traces, logs and metrics as the configuration asks.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use portcullis_telemetry::{
    BackgroundTask, Builder, Guard, InitError, Logs, Ratio, Redaction, Report, Sampling, Tail,
    Telemetry,
};

use super::Addresses;
use crate::config::{Config, Profile, Warning};

/// The name of the service in logs and traces.
const SERVICE: &str = "ingest-server";

/// How long the last spans may take to reach the collector.
const FLUSH: Duration = Duration::from_secs(1);

/// The log and span fields of this service. In production no other is shown, whatever a
/// dependency logs.
const FIELDS: [&str; 70] = [
    "action",
    "actor",
    "address",
    "admin",
    "anchor",
    "apikey.outcome",
    "apikey.source",
    "bytes",
    "clock",
    "cursor",
    "db.collection.name",
    "db.namespace",
    "db.operation.name",
    "db.response.returned_rows",
    "db.response.status_code",
    "db.system.name",
    "details",
    "dropped",
    "error",
    "error.type",
    "events",
    "failures",
    "fault",
    "field",
    "fingerprint",
    "first",
    "flushed",
    "journey",
    "kid",
    "kind",
    "lead",
    "log",
    "n",
    "next",
    "otel.kind",
    "outcome",
    "pii.failed_values",
    "pii.keys_cached",
    "pii.keys_unwrapped",
    "pii.kinds",
    "pii.outcome",
    "pii.values",
    "public",
    "ratelimit.cost",
    "ratelimit.limit",
    "ratelimit.outcome",
    "ratelimit.policy",
    "ratelimit.retry_after_seconds",
    "ratelimit.source",
    "reason",
    "requests",
    "restored",
    "route",
    "rows",
    "rule",
    "served",
    "server.address",
    "server.port",
    "sink",
    "size",
    "state",
    "step",
    "task",
    "tenant",
    "trusted",
    "url.template",
    "variable",
    "was_idle",
    "what",
    "why",
];

/// What is hidden from logs, spans and samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// What the profile says.
    AsConfigured,
    /// Nothing.
    #[cfg(feature = "dangerous-unredacted")]
    Nothing,
}

/// Starts telemetry for the whole process; it ends when the guard is shut down.
pub(crate) fn start(config: &Config, hidden: Hidden) -> Result<Guard, InitError> {
    configured(config, hidden).init()
}

/// The name of the probe there.
const PROBE: &str = "ingest-server-probe";

/// Starts telemetry for a probe, which has no configuration but what is to be logged.
pub(crate) fn start_probe(filter: &str) -> Result<Guard, InitError> {
    let logs = if io::stderr().is_terminal() {
        Logs::Pretty
    } else {
        Logs::Json
    };
    Telemetry::builder(PROBE)
        .logs(logs)
        .filter(filter)
        .redaction(Redaction::allow_list(FIELDS))
        .init()
}

pub(super) fn configured(config: &Config, hidden: Hidden) -> Builder {
    let settings = &config.observability;
    let is_dev = config.profile == Profile::Dev;
    let head = Ratio::new(settings.trace_sample_ratio).unwrap_or(Ratio::ONE_PERCENT);
    let redaction = match hidden {
        Hidden::AsConfigured if is_dev => Redaction::standard(),
        Hidden::AsConfigured => Redaction::allow_list(FIELDS),
        #[cfg(feature = "dangerous-unredacted")]
        Hidden::Nothing => Redaction::dangerous_off(),
    };
    let logs = if is_dev && io::stderr().is_terminal() {
        Logs::Pretty
    } else {
        Logs::Json
    };
    Telemetry::builder(SERVICE)
        .sampling(Sampling::head(head).with_tail(Tail::default()))
        .logs(logs)
        .filter(settings.log_filter.as_str())
        .redaction(redaction)
}

/// The start and the end of the service, each a trace of its own.
pub(super) const START: BackgroundTask = BackgroundTask::new("start");
pub(super) const STOP: BackgroundTask = BackgroundTask::new("stop");

/// Says where the service listens and what of its configuration is probably not meant. A start that is refused says why, and nothing besides.
pub(super) fn log_start(config: &Config, addresses: Addresses) {
    for Warning { setting, message } in &config.warnings {
        tracing::warn!(variable = setting.as_str(), "{message}");
    }
    if config.secrets.may_be_swapped() {
        tracing::warn!(
            "the limit of locked memory is too low for the secrets, which may reach swap space: \
             raise it (`ulimit -l`, `LimitMEMLOCK=`)"
        );
    }
    let Addresses { public, admin } = addresses;
    tracing::info!(%public, %admin, "started");
}

/// Sends the last spans, and says how many were lost since the start: spans end with the guard,
/// log lines do not.
pub(crate) fn stop(guard: Guard) {
    let Report {
        flushed, dropped, ..
    } = guard.shutdown(FLUSH);
    if dropped > 0 {
        // Not exported any more, and found by its id all the same.
        STOP.turn().in_scope(|| {
            tracing::warn!(flushed, dropped, "spans did not reach the collector");
        });
    }
}

#[cfg(test)]
mod tests;
