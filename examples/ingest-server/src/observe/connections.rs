//! Connections that were not served, as a metric.

use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::http::listener::{ConnectionEvent, ConnectionObserver};

/// Counts connections that were refused, ended for another one's sake, or had no descriptor.
#[derive(Debug)]
pub(crate) struct ConnectionMetrics {
    refused: BoundedFamily<1, Counter>,
}

/// Its network had its share, it was idle and another needed its place, it had to wait for a descriptor.
const REASONS: [&str; 3] = ["network_share", "made_room", "no_descriptor"];

impl ConnectionMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        Ok(Self {
            refused: registry.counter_family(
                "ingest_connections_refused",
                "Connections that were refused, made room for another, or had to wait",
                [Label::closed("reason", REASONS)],
                SMALL,
            )?,
        })
    }
}

impl ConnectionObserver for ConnectionMetrics {
    fn observe(&self, event: ConnectionEvent) {
        let [network_share, made_room, no_descriptor] = REASONS;
        let reason = match event {
            ConnectionEvent::Refused => network_share,
            ConnectionEvent::MadeRoom => made_room,
            ConnectionEvent::NoDescriptor => no_descriptor,
        };
        self.refused.with([reason]).inc();
    }
}
