//! The limiter: policies, a store and a clock behind one call.

mod builder;

use std::{net::IpAddr, sync::Arc};

use arc_swap::ArcSwap;

use crate::{
    clock::{Clock, Timestamp},
    decision::Decision,
    error::CheckError,
    jitter::Jitter,
    limited::{LimitedTenant, LimitedTenants},
    name::{Category, Tier},
    observer::{Event, Observer},
    policy::{Policies, Policy},
    request::RateLimitRequest,
    store::{Charge, ChargeOutcome, Store},
};

pub use self::builder::{BuildError, RateLimiterBuilder};

/// Checks requests against policies, and counts them in a store.
///
/// Cloning is cheap, and clones are one limiter.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    policies: ArcSwap<Policies>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    jitter: Jitter,
    limited: LimitedTenants,
}

impl RateLimiter {
    /// A builder, which needs policies and a store.
    #[must_use]
    pub fn builder() -> RateLimiterBuilder {
        RateLimiterBuilder::default()
    }

    /// Checks an authenticated request against every limit of its tier and category that
    /// applies, all or nothing, and takes its cost from all of them if it is admitted.
    ///
    /// # Errors
    /// There is no policy for the tier and category, or the store did not decide.
    pub async fn check(&self, request: &RateLimitRequest<'_>) -> Result<Decision, CheckError> {
        let policies = self.shared.policies.load();
        let policy = policies.policy(request.tier, request.category).cloned();
        drop(policies);
        let (policy, now) = (policy.ok_or(CheckError::NoPolicy)?, self.now());
        let charge = Charge::for_request(&policy, request, now);
        let outcome = self.shared.store.charge(&charge).await?;
        let cost = charge.cost();
        let decision = self.decide(policy, outcome, cost);
        if !decision.is_admitted() {
            self.shared.limited.count(request.tenant, now);
        }
        Ok(decision)
    }

    /// Checks a request whose tenant is not known yet, by the address that it comes from, and
    /// takes one token if it is admitted.
    ///
    /// # Errors
    /// The store did not decide.
    pub async fn check_address(&self, address: IpAddr) -> Result<Decision, CheckError> {
        let policy = Arc::clone(self.shared.policies.load().client_address());
        let charge = Charge::for_address(&policy, address, self.now());
        let outcome = self.shared.store.charge(&charge).await?;
        let cost = charge.cost();
        Ok(self.decide(policy, outcome, cost))
    }

    /// The most that one request of a tier and category may cost: the smallest burst that its
    /// policy enforces. `None` where there is no policy, or none that refuses.
    #[must_use]
    pub fn largest_cost(&self, tier: &Tier, category: &Category) -> Option<u32> {
        self.shared
            .policies
            .load()
            .policy(tier, category)?
            .largest_cost()
    }

    /// The policies in force.
    #[must_use]
    pub fn policies(&self) -> Arc<Policies> {
        self.shared.policies.load_full()
    }

    /// Puts other policies in force, at once and for all clones. What tenants have used still
    /// counts, in tokens, up to the new burst.
    pub fn replace_policies(&self, policies: Policies) {
        self.shared.policies.store(Arc::new(policies));
    }

    /// The tenants that were refused most lately, the most refused first; at most as many as the builder
    /// was given.
    #[must_use]
    pub fn most_limited(&self) -> Vec<LimitedTenant> {
        self.shared.limited.most_refused(self.now())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.shared.clock.monotonic())
    }

    /// Reports what the limiter itself cannot see.
    #[cfg(feature = "tower")]
    pub(crate) fn observe(&self, event: &Event<'_>) {
        if let Some(observer) = &self.shared.observer {
            observer.observe(event);
        }
    }

    fn decide(&self, policy: Arc<Policy>, outcome: ChargeOutcome, cost: u32) -> Decision {
        let decision = Decision::new(policy, outcome, &self.shared.jitter);
        if let Some(observer) = &self.shared.observer {
            report(observer.as_ref(), &decision, cost);
        }
        decision
    }
}

/// A peek does not decide on a request, so it is not reported.
fn report(observer: &dyn Observer, decision: &Decision, cost: u32) {
    if cost == 0 {
        return;
    }
    let policy = decision.policy();
    observer.observe(&match decision {
        Decision::Admitted(_) => Event::Admitted { policy },
        Decision::Refused(_) => Event::Refused { policy },
    });
    for (limit, status) in decision.limits() {
        if status.refusal().is_some() {
            observer.observe(&Event::Exceeded { policy, limit });
        } else if decision.is_admitted() && limit.is_enforced() && status.is_near(limit.limit()) {
            observer.observe(&Event::NearLimit { policy, limit });
        }
    }
}

#[cfg(test)]
mod tests;
