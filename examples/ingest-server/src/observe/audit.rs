//! The audit log, as a metric.

use portcullis_telemetry::{
    BoundedFamily, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::store::{AuditLogEvent, AuditObserver};

/// Counts events by what became of them.
#[derive(Debug)]
pub(crate) struct AuditMetrics {
    events: BoundedFamily<1, Counter>,
}

impl AuditMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        Ok(Self {
            events: registry.counter_family(
                "ingest_audit_events",
                "Events of the audit log, and what became of them",
                ["outcome"],
                SMALL,
            )?,
        })
    }
}

impl AuditObserver for AuditMetrics {
    fn observe(&self, event: AuditLogEvent) {
        let outcome = match event {
            AuditLogEvent::Recorded => "recorded",
            AuditLogEvent::Unrecorded => "unrecorded",
            AuditLogEvent::Dropped => "dropped",
        };
        self.events.with([outcome]).inc();
    }
}
