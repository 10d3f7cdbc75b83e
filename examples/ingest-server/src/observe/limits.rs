//! Decisions of the limiter, and what it keeps to make them, as metrics.

mod shared;
mod tables;

use std::num::NonZeroUsize;

use portcullis_ratelimit::{
    Category,
    observer::{Event, Observer},
    policy::Policy,
    store::Source,
};
use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use self::shared::SharedLimitMetrics;
use super::SMALL;
use crate::{
    config::{Counting, LimitStore},
    limits::{OPERATOR, SEARCH, TIERS},
};

pub(crate) use self::tables::register_limit_stores;

/// Counts decisions by policy; tenants are no labels, `/admin/limits` names them.
#[derive(Debug)]
pub(crate) struct LimitMetrics {
    decisions: BoundedFamily<3, Counter>,
    near: BoundedFamily<1, Counter>,
    /// None where each process counts for itself.
    shared: Option<SharedLimitMetrics>,
}

const ADMITTED: &str = "admitted";
const REFUSED: &str = "refused";
/// What a limit that refuses nothing would have refused, and who decided it.
const SHADOW: &str = "shadow";

/// Policies, what a decision may come out as, and who may decide, with room to grow.
const DECISIONS: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not zero");

impl LimitMetrics {
    /// The series of searches and of operators are there from the start, for alerts on the first that is
    /// refused.
    pub(crate) fn register(registry: &Registry, store: &LimitStore) -> Result<Self, MetricError> {
        let metrics = Self {
            decisions: registry.counter_family(
                "ratelimit_decisions",
                "Decisions by policy, such as free/search or operator/admin, and by who made them; a shadow limit \
                 that would have refused counts as shadow",
                [
                    Label::from("policy"),
                    Label::closed("outcome", [ADMITTED, REFUSED, SHADOW]),
                    Label::closed("source", Source::ALL.map(Source::as_str).into_iter().chain([SHADOW])),
                ],
                DECISIONS,
            )?,
            near: registry.counter_family(
                "ratelimit_near_limit",
                "Admitted requests that left less than a tenth of a burst",
                ["policy"],
                SMALL,
            )?,
            shared: match store {
                LimitStore::Memory => None,
                LimitStore::Redis(_) => Some(SharedLimitMetrics::register(registry)?),
            },
        };
        let searches = TIERS.map(|tier| format!("{tier}/{SEARCH}"));
        let searches = searches.iter().flat_map(|policy| {
            let sources = sources(store).iter();
            sources.map(move |source| (policy, *source))
        });
        // Those of operators are counted by each process for itself.
        let operators = format!("{OPERATOR}/{}", Category::ADMIN);
        for (policy, source) in searches.chain([(&operators, Source::Memory)]) {
            for outcome in [ADMITTED, REFUSED] {
                let labels = [policy.as_str(), outcome, source.as_str()];
                let _ = metrics.decisions.with(labels);
            }
        }
        Ok(metrics)
    }

    fn count(&self, policy: &Policy, outcome: &str, source: &str) {
        self.decisions.with([policy.label(), outcome, source]).inc();
    }
}

impl Observer for LimitMetrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Admitted { policy, source } => {
                self.count(policy, ADMITTED, source.as_str());
            }
            Event::Refused { policy, source } => self.count(policy, REFUSED, source.as_str()),
            Event::Exceeded { policy, limit } if !limit.is_enforced() => {
                self.count(policy, SHADOW, SHADOW);
            }
            Event::NearLimit { policy, .. } => {
                self.near.with([policy.label()]).inc();
            }
            event => {
                if let Some(shared) = &self.shared {
                    shared.observe(event);
                }
            }
        }
    }
}

/// Who may decide where limits are counted so.
fn sources(store: &LimitStore) -> &'static [Source] {
    const EXACT: &[Source] = &[Source::Redis, Source::DenialCache, Source::Fallback];
    const LEASE: &[Source] = &[
        Source::Redis,
        Source::DenialCache,
        Source::Fallback,
        Source::Lease,
    ];
    match store {
        LimitStore::Memory => &[Source::Memory],
        LimitStore::Redis(shared) if shared.counting == Counting::Lease => LEASE,
        LimitStore::Redis(_) => EXACT,
    }
}

#[cfg(test)]
mod tests;
