//! Whether policies can be used that operators keep, as a metric.

use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::gauge::Gauge,
};

use super::SMALL;
use crate::{
    admin::{PolicyObserver, PolicyState},
    store::PolicyKind,
};

/// Tells for each policy whether what stands where it is kept is in force.
#[derive(Debug)]
pub(crate) struct PolicyMetrics {
    unusable: BoundedFamily<1, Gauge>,
}

impl PolicyMetrics {
    /// Every series is there from the start, at 0: the service does not start with what cannot be used.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let unusable = registry.gauge_family(
            "ingest_policy_unusable",
            "1 while the file or row of a policy cannot be used and the policy before is in force",
            [Label::closed(
                "policy",
                PolicyKind::ALL.map(PolicyKind::as_str),
            )],
            SMALL,
        )?;
        for kind in PolicyKind::ALL {
            unusable.with([kind.as_str()]).set(0);
        }
        Ok(Self { unusable })
    }
}

impl PolicyObserver for PolicyMetrics {
    fn observe(&self, kind: PolicyKind, state: PolicyState) {
        let unusable = i64::from(state == PolicyState::Unusable);
        self.unusable.with([kind.as_str()]).set(unusable);
    }
}
