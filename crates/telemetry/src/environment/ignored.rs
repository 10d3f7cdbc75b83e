//! Variables of the specification that change nothing here: a few are refused, because who sets one
//! relies on it, and the others are told.

use super::{Environment, EnvironmentError};

/// A standard variable that is set and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvironmentWarning {
    /// The variable.
    pub variable: &'static str,
    /// Why it changes nothing.
    pub reason: &'static str,
}

/// A variable, and what is said of it.
type Row = (&'static str, &'static str);

const FILE: &str = "unset: no file of settings is read, and the other variables would not count";
const PLAIN: &str = "`true` or unset: the endpoint's `http://` or `https://` says it";

/// Anyone who sets one of these relies on what it says.
const REFUSED: [Row; 2] = [
    ("OTEL_CONFIG_FILE", FILE),
    ("OTEL_EXPERIMENTAL_CONFIG_FILE", FILE),
];

/// What is always so may be said.
const TRUE_OR_UNSET: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_SPAN_INSECURE",
];

const METRICS: &str = "metrics are scraped, not sent";
const LOGS: &str = "log lines are written, not sent";
const LEVEL: &str = "the program's own setting says what is logged";
const LENGTH: &str = "attributes are not cut";
const OTLP: &str = "spans leave over OTLP alone";
const FIXED: &str = "names of spans and attributes are fixed";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES alone describes the process";

/// The metrics and logs of these may be switched off, which they are.
const SWITCHES: [Row; 2] = [
    ("OTEL_METRICS_EXPORTER", METRICS),
    ("OTEL_LOGS_EXPORTER", LOGS),
];

const IGNORED: [Row; 49] = [
    ("OTEL_METRICS_EXEMPLAR_FILTER", METRICS),
    ("OTEL_METRIC_EXPORT_INTERVAL", METRICS),
    ("OTEL_METRIC_EXPORT_TIMEOUT", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_INSECURE", METRICS),
    ("OTEL_EXPORTER_OTLP_METRIC_INSECURE", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE", METRICS),
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", METRICS),
    (
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        METRICS,
    ),
    ("OTEL_EXPORTER_PROMETHEUS_HOST", METRICS),
    ("OTEL_EXPORTER_PROMETHEUS_PORT", METRICS),
    ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_INSECURE", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY", LOGS),
    ("OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE", LOGS),
    ("OTEL_BLRP_SCHEDULE_DELAY", LOGS),
    ("OTEL_BLRP_EXPORT_TIMEOUT", LOGS),
    ("OTEL_BLRP_MAX_QUEUE_SIZE", LOGS),
    ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", LOGS),
    ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", LOGS),
    ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", LOGS),
    ("OTEL_LOG_LEVEL", LEVEL),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", LENGTH),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", LENGTH),
    ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", OTLP),
    ("OTEL_EXPORTER_ZIPKIN_TIMEOUT", OTLP),
    ("OTEL_EXPORTER_ZIPKIN_PROTOCOL", OTLP),
    ("OTEL_EXPORTER_JAEGER_ENDPOINT", OTLP),
    ("OTEL_EXPORTER_JAEGER_PROTOCOL", OTLP),
    ("OTEL_EXPORTER_JAEGER_TIMEOUT", OTLP),
    ("OTEL_EXPORTER_JAEGER_USER", OTLP),
    ("OTEL_EXPORTER_JAEGER_PASSWORD", OTLP),
    ("OTEL_EXPORTER_JAEGER_AGENT_HOST", OTLP),
    ("OTEL_EXPORTER_JAEGER_AGENT_PORT", OTLP),
    ("OTEL_SEMCONV_STABILITY_OPT_IN", FIXED),
    ("OTEL_ENTITIES", RESOURCE),
    ("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", RESOURCE),
    ("OTEL_RESOURCE_DETECTORS", RESOURCE),
];

/// Every variable that is set and must not be.
pub(super) fn refused(environment: &Environment) -> Vec<EnvironmentError> {
    let set = REFUSED
        .iter()
        .filter(|(variable, _)| environment.is_set(variable));
    let plain = TRUE_OR_UNSET.iter().filter(|variable| {
        let says_true = environment.says(variable, "true");
        environment.is_set(variable) && !says_true
    });
    let plain = plain.map(|variable| (*variable, PLAIN));
    set.copied()
        .chain(plain)
        .map(|(variable, expected)| EnvironmentError { variable, expected })
        .collect()
}

/// Every variable that is set and changes nothing.
pub(super) fn ignored(environment: &Environment) -> Vec<EnvironmentWarning> {
    let is_on =
        |(variable, _): &&Row| environment.is_set(variable) && !environment.says(variable, "none");
    let set = |(variable, _): &&Row| environment.is_set(variable);
    let ignored = IGNORED.iter().filter(set);
    let ignored = SWITCHES.iter().filter(is_on).chain(ignored);
    ignored
        .map(|&(variable, reason)| EnvironmentWarning { variable, reason })
        .collect()
}

/// The names of all of them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let tables = REFUSED.iter().chain(&SWITCHES).chain(&IGNORED);
    tables.map(|(variable, _)| *variable).chain(TRUE_OR_UNSET)
}
