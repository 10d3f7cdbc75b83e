//! Decisions of the limiter, as metrics.

use portcullis_ratelimit::{
    Category,
    observer::{Event, Observer},
};
use portcullis_telemetry::{
    BoundedFamily, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::SMALL;
use crate::limits::{OPERATOR, SEARCH, TIERS};

/// Counts decisions by policy; tenants are no labels, `/admin/limits` names them.
#[derive(Debug)]
pub(crate) struct LimitMetrics {
    decisions: BoundedFamily<2, Counter>,
    near: BoundedFamily<1, Counter>,
}

impl LimitMetrics {
    /// The series of searches and of operators are there from the start, for alerts on the first that is
    /// refused.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let metrics = Self {
            decisions: registry.counter_family(
                "ratelimit_decisions",
                "Decisions by policy; a shadow limit that would have refused counts as shadow",
                ["policy", "outcome"],
                SMALL,
            )?,
            near: registry.counter_family(
                "ratelimit_near_limit",
                "Admitted requests that left less than a tenth of a burst",
                ["policy"],
                SMALL,
            )?,
        };
        let searches = TIERS.map(|tier| format!("{tier}/{SEARCH}"));
        let operators = format!("{OPERATOR}/{}", Category::ADMIN);
        for policy in searches.into_iter().chain([operators]) {
            for outcome in ["admitted", "refused"] {
                let _ = metrics.decisions.with([policy.as_str(), outcome]);
            }
        }
        Ok(metrics)
    }
}

impl Observer for LimitMetrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Admitted { policy, .. } => {
                self.decisions.with([policy.label(), "admitted"]).inc();
            }
            Event::Refused { policy, .. } => {
                self.decisions.with([policy.label(), "refused"]).inc();
            }
            Event::Exceeded { policy, limit } if !limit.is_enforced() => {
                self.decisions.with([policy.label(), "shadow"]).inc();
            }
            Event::NearLimit { policy, .. } => {
                self.near.with([policy.label()]).inc();
            }
            _ => {}
        }
    }
}
