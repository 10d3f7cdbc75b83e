//! Connects what the crates report to metrics and logs. Every metric of this service is declared
//! here or below.
//!
//! What labels say comes from lists that are closed, from the configuration and its routes, or from the recorder of
//! data quality, which is bounded by itself. So no family has series that go idle and would have to be retired.

mod admin;
mod api_keys;
mod attempts;
mod audit;
mod audit_verification;
mod ciphers;
mod connections;
mod data_keys;
mod degradation;
mod erasures;
mod faults;
mod limits;
#[cfg(test)]
#[path = "../tests/e2e/movement.rs"]
mod movement;
mod objectives;
mod pii;
mod policies;
mod probe;
mod process;
mod quality_history;
mod rotations;
mod secrets;
mod shares;
mod stages;
mod writes;

use std::num::NonZeroUsize;

use portcullis_dq_metrics::MetricLabel;
use portcullis_telemetry::{BackgroundTask, Label, MetricError, Registry};

use crate::{quality::Quality, store::Writer};

pub(crate) use self::{
    admin::AdminMetrics,
    api_keys::{ApiKeyMetrics, register_key_cache},
    attempts::AttemptMetrics,
    audit::{AuditMetrics, audit_log_closed, register_audit_following, register_audit_log},
    audit_verification::register_audit_verification,
    ciphers::CipherMetrics,
    connections::ConnectionMetrics,
    data_keys::DataKeyMetrics,
    degradation::register_degradations,
    erasures::register_erasures,
    faults::FaultMetrics,
    limits::{LimitMetrics, register_limit_stores},
    objectives::ObjectiveMetrics,
    pii::PiiMetrics,
    policies::PolicyMetrics,
    probe::{Journey, ProbeMetrics, Step},
    process::{register_build, register_volumes},
    quality_history::register_quality_history,
    rotations::register_rotations,
    secrets::{SecretMetrics, register_secrets},
    shares::register_shares,
    stages::StageMetrics,
    writes::WriteMetrics,
};

/// Values that a label of a closed set can have, with room to grow.
const SMALL: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");

/// The same for several labels together.
const SERIES: NonZeroUsize = NonZeroUsize::new(256).expect("256 is not zero");

/// What this service counts beside what telemetry counts itself.
pub(crate) fn register(
    registry: &Registry,
    quality: &Quality,
    writer: &Writer,
) -> Result<(), MetricError> {
    for metric in quality.metrics() {
        let labels: Vec<_> = metric.labels().iter().map(label).collect();
        registry.register_labelled(metric.name(), metric.help(), labels, metric)?;
    }
    let queue = writer.gauge();
    let room = queue.room().clone();
    registry.observed_gauge(
        "ingest_write_queue_rows",
        "Rows that wait for a commit or are being committed",
        move || count(room.rows() - room.free_rows()),
    )?;
    let room = queue.room().clone();
    registry.observed_gauge(
        "ingest_write_queue_capacity_rows",
        "Rows that may wait for a commit or be committed at once; more are refused",
        move || count(room.rows()),
    )?;
    let room = queue.room().clone();
    registry.observed_gauge(
        "ingest_write_queue_bytes",
        "Bytes that wait for a commit or are being committed",
        move || count(room.bytes() - room.free_bytes()),
    )
}

/// A label of data quality, as telemetry has it.
fn label(label: &MetricLabel) -> Label {
    match label.values() {
        Some(values) => Label::closed(label.name(), values.iter().copied()),
        None => Label::from(label.name()),
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// As exact as a scrape can tell it.
fn number(number: u64) -> f64 {
    let (high, low) = (number >> 32, number & u64::from(u32::MAX));
    let half = |number| u32::try_from(number).map_or(f64::INFINITY, f64::from);
    half(high).mul_add(4_294_967_296.0, half(low))
}

/// The samples of a scrape by their names and labels.
#[cfg(test)]
fn scraped(registry: &Registry) -> std::collections::BTreeMap<String, f64> {
    let text = registry.render(None).unwrap().body;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.filter_map(|line| line.rsplit_once(' '));
    samples
        .map(|(sample, value)| (sample.to_owned(), value.parse().unwrap()))
        .collect()
}

/// Reports what a crate tells of, inside a span: where the crate works for nobody's request, in one of
/// its own, so that each line has the id of a trace.
fn in_span<R>(report: impl FnOnce() -> R) -> R {
    BackgroundTask::new("background").within(report)
}
