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
    policy::{Policies, Policy, PolicyLimit},
    request::RateLimitRequest,
    store::{Charge, ChargeFuture, ChargeOutcome, Store},
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
        let outcome = match self.shared.store.charge(&charge) {
            // Not stored in the future of this check, to be taken out of it again at once.
            ChargeFuture::Decided(outcome) => outcome,
            undecided @ ChargeFuture::Boxed(_) => undecided.await?,
        };
        let cost = charge.cost();
        let decision = Decision::new(policy, outcome, 0, cost, &self.shared.jitter);
        self.tell(request, &decision, cost, now);
        Ok(decision)
    }

    /// The second charge of a request for which `before` tokens were taken, with the outcome
    /// `first`.
    pub(crate) async fn charge_rest(
        &self,
        policy: &Arc<Policy>,
        first: &ChargeOutcome,
        before: u32,
        request: &RateLimitRequest<'_>,
    ) -> Result<Decision, CheckError> {
        if policy.limits().iter().any(PolicyLimit::is_of_addresses) {
            return Err(CheckError::NotARequest);
        }
        let now = self.now();
        let charge = Charge::for_rest(policy, request, now, before, first);
        let outcome = if charge.cost() == 0 {
            *first
        } else {
            self.shared.store.charge(&charge).await?.or(first)
        };
        let (policy, cost) = (Arc::clone(policy), charge.cost());
        let decision = Decision::new(policy, outcome, before, cost, &self.shared.jitter);
        self.tell(request, &decision, before.saturating_add(cost), now);
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
        let decision = Decision::new(policy, outcome, 0, cost, &self.shared.jitter);
        self.report(&decision, cost);
        Ok(decision)
    }

    /// The most that one request of a tier and category may cost: the smallest burst, with its
    /// debt, that its policy enforces. `None` where there is no policy, or none that refuses.
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
    /// counts, in tokens, up to the new burst and debt.
    pub fn replace_policies(&self, policies: Policies) {
        self.shared.policies.store(Arc::new(policies));
    }

    /// The tenants that were refused most lately, the most refused first; at most as many as the builder
    /// was given.
    #[must_use]
    pub fn most_limited(&self) -> Vec<LimitedTenant> {
        self.shared.limited.most_refused(self.now())
    }

    #[inline]
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

    /// Tells the observer of a request's last decision, and remembers a tenant that was refused.
    #[inline]
    fn tell(&self, request: &RateLimitRequest<'_>, decision: &Decision, cost: u32, now: Timestamp) {
        if request.more_to_come && decision.is_admitted() {
            return;
        }
        self.report(decision, cost);
        if !decision.is_admitted() {
            self.shared.limited.count(request.tenant, now);
        }
    }

    #[inline]
    fn report(&self, decision: &Decision, cost: u32) {
        if let Some(observer) = &self.shared.observer {
            report(observer.as_ref(), decision, cost);
        }
    }
}

/// A peek does not decide on a request, so it is not reported.
fn report(observer: &dyn Observer, decision: &Decision, cost: u32) {
    if cost == 0 {
        return;
    }
    let (policy, source) = (decision.policy(), decision.source());
    observer.observe(&match decision {
        Decision::Admitted(_) => Event::Admitted { policy, source },
        Decision::Refused(_) => Event::Refused { policy, source },
    });
    for (limit, status) in decision.limits() {
        if status.is_refusal() {
            observer.observe(&Event::Exceeded { policy, limit });
        } else if decision.is_admitted() && limit.is_enforced() && status.is_near() {
            observer.observe(&Event::NearLimit { policy, limit });
        }
    }
}

#[cfg(test)]
mod tests;
