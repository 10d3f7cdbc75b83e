//! Connections that were not served, as a metric.

use portcullis_telemetry::{
    BoundedFamily, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::http::listener::{ConnectionEvent, ConnectionObserver};

/// Counts connections that were refused, ended for another one's sake, or had no descriptor.
#[derive(Debug)]
pub(crate) struct ConnectionMetrics {
    refused: BoundedFamily<1, Counter>,
}

impl ConnectionMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        Ok(Self {
            refused: registry.counter_family(
                "ingest_connections_refused",
                "Connections that were refused, made room for another, or had to wait",
                ["reason"],
                SMALL,
            )?,
        })
    }
}

impl ConnectionObserver for ConnectionMetrics {
    fn observe(&self, event: ConnectionEvent) {
        let reason = match event {
            ConnectionEvent::Refused => "network_share",
            ConnectionEvent::MadeRoom => "made_room",
            ConnectionEvent::NoDescriptor => "no_descriptor",
        };
        self.refused.with([reason]).inc();
    }
}
