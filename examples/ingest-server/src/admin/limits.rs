//! Who is limited, and other limits.

use std::sync::Arc;

use portcullis_ratelimit::{
    RateLimiter,
    policy::{PoliciesBuilder, PolicyError},
};
use serde::Serialize;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver};
use crate::limits;

/// The use cases on limits.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    limiter: RateLimiter,
    observer: Arc<dyn AdminObserver>,
}

/// The tenants refused most of late, most refused first.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LimitedTenants {
    limited: Vec<LimitedTenant>,
}

#[derive(Debug, Clone, Serialize)]
struct LimitedTenant {
    tenant: String,
    /// Requests refused.
    refusals: u64,
    /// By how much that may be too many.
    overcount: u64,
    seconds_ago: u64,
}

impl Limits {
    pub(crate) const fn new(limiter: RateLimiter, observer: Arc<dyn AdminObserver>) -> Self {
        Self { limiter, observer }
    }

    /// The tenants refused most of late.
    pub(crate) fn most_limited(&self, actor: &Actor) -> LimitedTenants {
        self.report(actor, Action::ReadLimits, ActionResult::Done);
        let tenants = self.limiter.most_limited().into_iter();
        let limited = tenants.map(|tenant| LimitedTenant {
            tenant: tenant.tenant,
            refusals: tenant.refusals,
            overcount: tenant.overcount,
            seconds_ago: tenant.last_refused.as_secs(),
        });
        LimitedTenants {
            limited: limited.collect(),
        }
    }

    /// Replaces the policies; what is left out is as at the start. They hold at once, until the
    /// process ends.
    ///
    /// # Errors
    /// The policies contradict themselves; the text says how.
    pub(crate) fn replace(
        &self,
        actor: &Actor,
        given: &PoliciesBuilder,
    ) -> Result<(), PolicyError> {
        let policies = limits::complete(given.clone());
        let result = if policies.is_ok() {
            ActionResult::Done
        } else {
            ActionResult::Rejected
        };
        let replaced = policies.map(|policies| self.limiter.replace_policies(policies));
        self.report(actor, Action::ReplaceLimits { policies: given }, result);
        replaced
    }

    fn report(&self, actor: &Actor, action: Action<'_>, result: ActionResult) {
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
    }
}
