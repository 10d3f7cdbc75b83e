//! The audit log, as a metric.

use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::store::{AuditLogEvent, AuditObserver};

/// Counts events by what became of them.
#[derive(Debug)]
pub(crate) struct AuditMetrics {
    events: BoundedFamily<1, Counter>,
}

impl AuditMetrics {
    /// Every series is there from the start, for alerts on the first event that is not recorded.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let events = registry.counter_family(
            "ingest_audit_events",
            "Events of the audit log, and what became of them; any unrecorded or dropped: look at the database",
            [Label::closed(
                "outcome",
                AuditLogEvent::ALL.map(AuditLogEvent::as_str),
            )],
            SMALL,
        )?;
        for event in AuditLogEvent::ALL {
            let _ = events.with([event.as_str()]);
        }
        Ok(Self { events })
    }
}

impl AuditObserver for AuditMetrics {
    fn observe(&self, event: AuditLogEvent) {
        self.events.with([event.as_str()]).inc();
    }
}
