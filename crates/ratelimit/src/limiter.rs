//! The limiter: policies, a store and a clock behind one call.

mod builder;
mod in_force;

use std::{net::IpAddr, sync::Arc};

use self::in_force::InForce;
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
    policies: InForce,
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
        // The clock first: its reading waits for all that was begun before, and what follows need not.
        let now = self.now();
        let policy = self.policy(request.tier, request.category);
        let policy = policy.ok_or(CheckError::NoPolicy)?;
        let charge = Charge::for_request(&policy, request, now);
        let outcome = match self.shared.store.charge(&charge) {
            // Not stored in the future of this check, to be taken out of it again at once.
            ChargeFuture::Decided(outcome) => outcome,
            undecided @ ChargeFuture::Boxed(_) => undecided.await?,
        };
        let cost = charge.cost();
        Ok(self.decide(request, policy, outcome, 0, cost, now))
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
        Ok(self.decide(request, policy, outcome, before, cost, now))
    }

    /// Checks a request whose tenant is not known yet, by the address that it comes from, and
    /// takes one token if it is admitted.
    ///
    /// # Errors
    /// The store did not decide.
    pub async fn check_address(&self, address: IpAddr) -> Result<Decision, CheckError> {
        let now = self.now();
        let client_address = |policies: &Policies| Arc::clone(policies.client_address());
        let policy = self.shared.policies.read(client_address);
        let charge = Charge::for_address(&policy, address, now);
        let outcome = self.shared.store.charge(&charge).await?;
        let cost = charge.cost();
        self.report(&policy, &outcome, cost);
        Ok(if outcome.is_refused_by(&policy) {
            Decision::refused(policy, outcome, 0, &self.shared.jitter)
        } else {
            Decision::admitted(policy, outcome, cost)
        })
    }

    /// The most that one request of a tier and category may cost: the smallest burst, with its
    /// debt, that its policy enforces. `None` where there is no policy, or none that refuses.
    #[must_use]
    pub fn largest_cost(&self, tier: &Tier, category: &Category) -> Option<u32> {
        self.policy(tier, category)?.largest_cost()
    }

    /// The policies in force.
    #[must_use]
    pub fn policies(&self) -> Arc<Policies> {
        self.shared.policies.load()
    }

    /// Puts other policies in force, at once and for all clones. What tenants have used still
    /// counts, in tokens, up to the new burst and debt.
    pub fn replace_policies(&self, policies: Policies) {
        self.shared.policies.replace(policies);
    }

    /// The tenants that were refused most lately, the most refused first; at most as many as the builder
    /// was given.
    #[must_use]
    pub fn most_limited(&self) -> Vec<LimitedTenant> {
        self.shared.limited.most_refused(self.now())
    }

    #[inline]
    fn policy(&self, tier: &Tier, category: &Category) -> Option<Arc<Policy>> {
        let policies = &self.shared.policies;
        policies.read(|policies| policies.policy(tier, category).cloned())
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

    /// What an outcome decides on a request for which `before` tokens were taken earlier and `cost` now.
    /// Tells the observer of a request's last decision, and remembers a tenant that was refused.
    #[inline]
    fn decide(
        &self,
        request: &RateLimitRequest<'_>,
        policy: Arc<Policy>,
        outcome: ChargeOutcome,
        before: u32,
        cost: u32,
        now: Timestamp,
    ) -> Decision {
        let whole = before.saturating_add(cost);
        if outcome.is_refused_by(&policy) {
            self.report(&policy, &outcome, whole);
            self.shared.limited.count(request.tenant, now);
            return Decision::refused(policy, outcome, before, &self.shared.jitter);
        }
        if !request.more_to_come {
            self.report(&policy, &outcome, whole);
        }
        Decision::admitted(policy, outcome, whole)
    }

    #[inline]
    fn report(&self, policy: &Policy, outcome: &ChargeOutcome, cost: u32) {
        if let Some(observer) = &self.shared.observer {
            report(observer.as_ref(), policy, outcome, cost);
        }
    }
}

/// A peek does not decide on a request, so it is not reported.
fn report(observer: &dyn Observer, policy: &Policy, outcome: &ChargeOutcome, cost: u32) {
    if cost == 0 {
        return;
    }
    let (source, is_refused) = (outcome.source(), outcome.is_refused_by(policy));
    observer.observe(&if is_refused {
        Event::Refused { policy, source }
    } else {
        Event::Admitted { policy, source }
    });
    for (limit, status) in outcome.statuses(policy) {
        if status.is_refusal() {
            observer.observe(&Event::Exceeded { policy, limit });
        } else if !is_refused && limit.is_enforced() && status.is_near() {
            observer.observe(&Event::NearLimit { policy, limit });
        }
    }
}

#[cfg(test)]
mod tests;
