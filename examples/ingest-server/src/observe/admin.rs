//! What operators do, as metrics and log lines.

use portcullis_telemetry::{
    BoundedFamily, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::admin::{AdminEvent, AdminObserver};

/// Counts use cases by what was done and what came of it, and logs each with its actor.
#[derive(Debug)]
pub(crate) struct AdminMetrics {
    actions: BoundedFamily<2, Counter>,
}

impl AdminMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        Ok(Self {
            actions: registry.counter_family(
                "ingest_admin_actions",
                "What operators did, and what came of it",
                ["action", "outcome"],
                SMALL,
            )?,
        })
    }
}

impl AdminObserver for AdminMetrics {
    fn observe(&self, event: &AdminEvent<'_>) {
        let (action, outcome) = (event.action.as_str(), event.outcome.as_str());
        self.actions.with([action, outcome]).inc();
        let AdminEvent { actor, kid, .. } = event;
        let kid = kid.map(tracing::field::display);
        if event.action.is_change() {
            tracing::info!(action, outcome, %actor, kid, "an operator changed something");
        } else {
            tracing::debug!(action, outcome, %actor, kid, "an operator looked at something");
        }
    }
}
