//! Erasures that could not be noted or are not shredded yet, as metrics.

use portcullis_telemetry::{MetricError, Registry};

use crate::store::{Shredder, Tombstones};

/// Tells how many erasures could not be noted since the start, so that nothing was erased, and for how long what
/// was erased may still be there.
pub(crate) fn register_erasures(
    registry: &Registry,
    tombstones: &Tombstones,
    shredder: &Shredder,
) -> Result<(), MetricError> {
    let shredder = shredder.clone();
    registry.observed_gauge(
        "ingest_shredding_owed_seconds",
        "For how long something that was erased may have stood in the files of the database; 0 if nothing does",
        move || shredder.owed_for().map_or(0.0, |owed| owed.as_secs_f64()),
    )?;
    let tombstones = tombstones.clone();
    registry.observed_gauge(
        "ingest_erasures_unnoted",
        "Erasures that could not be noted since the start, so that nothing was erased; the log and /readyz say why",
        move || f64::from(u32::try_from(tombstones.unnoted()).unwrap_or(u32::MAX)),
    )
}
