//! How far the archive of the audit log is behind.

use portcullis_telemetry::{MetricError, Registry};

use crate::{
    audit::{ArchiveGauge, ArchiveState},
    observe::number,
};

/// Registers how the archive does; without one, all of it is 0.
pub(super) fn register(
    registry: &Registry,
    archive: Option<&ArchiveGauge>,
) -> Result<(), MetricError> {
    let read = |value: fn(&ArchiveState) -> f64| {
        let archive = archive.cloned();
        move || {
            archive
                .as_ref()
                .map_or(0.0, |archive| value(&archive.now()))
        }
    };
    registry.observed_gauge(
        "ingest_audit_archive_lag_seconds",
        "For how long the oldest entry of the audit log waits that its archive does not have; it is filled each hour",
        read(|state| state.lag.as_secs_f64()),
    )?;
    registry.observed_gauge(
        "ingest_audit_archived_entries",
        "Entries of the audit log that its archive has, or that were taken away before it was begun",
        read(|state| number(state.entries)),
    )?;
    registry.observed_counter(
        "ingest_audit_archive_failures",
        "Attempts to fill the archive of the audit log that failed",
        read(|state| number(state.failures)),
    )
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, SystemTime},
    };

    use super::*;
    use crate::{
        clock::ToldClock,
        observe::{movement::assert_moved, scraped},
    };

    #[test]
    fn an_archive_is_behind_from_the_oldest_entry_on_that_it_does_not_have() {
        let registry = Registry::new();
        let archive = ArchiveGauge::new("file:///a", Arc::new(ToldClock::new([])));
        register(&registry, Some(&archive)).unwrap();
        let before = scraped(&registry);
        let recorded = SystemTime::UNIX_EPOCH - Duration::from_secs(90);
        archive.waits(7, Some(recorded));
        archive.failed();
        let waiting = scraped(&registry);
        assert_moved(
            &before,
            &waiting,
            [
                "ingest_audit_archive_lag_seconds",
                "ingest_audit_archived_entries",
                "ingest_audit_archive_failures_total",
            ],
        );
        assert_eq!(waiting["ingest_audit_archive_lag_seconds"], 90.0);
        archive.filled(9);
        let filled = scraped(&registry);
        assert_eq!(filled["ingest_audit_archive_lag_seconds"], 0.0);
        assert_eq!(filled["ingest_audit_archived_entries"], 9.0);
        assert!(archive.now().filled_at.is_some());
    }
}
