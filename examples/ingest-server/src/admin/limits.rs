//! Who is limited, and other limits.

use std::sync::Arc;

use portcullis_ratelimit::{RateLimiter, policy::PoliciesBuilder};
use serde::Serialize;

use super::{Action, Actor, AdminEvent, AdminObserver, Outcome};
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

/// Policies that cannot be used; the text says why.
#[derive(Debug, thiserror::Error)]
#[error("the policies cannot be used: {0}")]
pub(crate) struct UnusablePolicies(String);

impl Limits {
    pub(crate) const fn new(limiter: RateLimiter, observer: Arc<dyn AdminObserver>) -> Self {
        Self { limiter, observer }
    }

    /// The tenants refused most of late.
    pub(crate) fn most_limited(&self, actor: &Actor) -> LimitedTenants {
        self.report(actor, Action::ReadLimits, Outcome::Done);
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

    /// Replaces the policies, given as JSON of the form that the rate limiter documents for TOML;
    /// what they leave out is as at the start. They hold at once, until the process ends.
    pub(crate) fn replace(&self, actor: &Actor, json: &[u8]) -> Result<(), UnusablePolicies> {
        let replaced = serde_json::from_slice::<PoliciesBuilder>(json)
            .map_err(|error| UnusablePolicies(error.to_string()))
            .and_then(|given| {
                limits::complete(given).map_err(|error| UnusablePolicies(error.to_string()))
            })
            .map(|policies| self.limiter.replace_policies(policies));
        let outcome = if replaced.is_ok() {
            Outcome::Done
        } else {
            Outcome::Rejected
        };
        self.report(actor, Action::ReplaceLimits, outcome);
        replaced
    }

    fn report(&self, actor: &Actor, action: Action, outcome: Outcome) {
        self.observer.observe(&AdminEvent {
            actor,
            action,
            outcome,
            kid: None,
        });
    }
}
