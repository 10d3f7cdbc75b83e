//! Erasures that could not be noted, as a metric.

use portcullis_telemetry::{MetricError, Registry};

use crate::store::Tombstones;

/// Tells how many erasures could not be noted since the start, so that nothing was erased.
pub(crate) fn register_erasures(
    registry: &Registry,
    tombstones: &Tombstones,
) -> Result<(), MetricError> {
    let tombstones = tombstones.clone();
    registry.observed_gauge(
        "ingest_erasures_unnoted",
        "Erasures that could not be noted since the start, so that nothing was erased",
        move || f64::from(u32::try_from(tombstones.unnoted()).unwrap_or(u32::MAX)),
    )
}
