//! Faults of the database, as metrics and log lines.

use portcullis_telemetry::{MetricError, Registry, prometheus_client::metrics::counter::Counter};

use super::in_span;
use crate::store::{DatabaseFault, FaultEvent, FaultObserver};

/// Counts statements that met a fault; the first of a process is logged with what to do.
#[derive(Debug)]
pub(crate) struct FaultMetrics {
    corruption: Counter,
    not_the_same: Counter,
}

impl FaultMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        Ok(Self {
            corruption: registry.counter(
                "database_corruption",
                "Statements that met a damaged page of the database; any is a reason to wake someone",
            )?,
            not_the_same: registry.counter(
                "database_file_lost",
                "Times the database file, or its log, was found removed, replaced or truncated",
            )?,
        })
    }
}

impl FaultObserver for FaultMetrics {
    fn observe(&self, event: &FaultEvent<'_>) {
        match event.fault {
            DatabaseFault::Corrupt => self.corruption.inc(),
            DatabaseFault::NotTheSame | DatabaseFault::LogNotTheSame => self.not_the_same.inc(),
        };
        if event.is_first {
            in_span(|| {
                tracing::error!(
                    error = event.cause,
                    "{}; nothing is written any more",
                    event.fault
                );
            });
        }
    }
}
