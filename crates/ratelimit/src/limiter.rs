use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::decision::Decision;
use crate::jitter::Jitter;
use crate::limited::{LimitedTenant, LimitedTenants};
use crate::name::{Category, Tier};
use crate::observer::{Event, Observer};
use crate::policies::Policies;
use crate::policy::Policy;
use crate::request::Request;
use crate::store::{Charge, Partition, Store, StoreError};

pub use self::builder::{BuildError, RateLimiterBuilder};

mod builder;

/// Checks requests against policies, and keeps the count in a store.
///
/// Cloning is cheap, and clones are one limiter.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    shared: Arc<Shared>,
}

/// Why a request could be neither admitted nor refused.
///
/// # Security
/// Whoever lets a request pass on an error has no limits while the error lasts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The policies have none for the tier and category of the request.
    #[error("no policy is set for the tier and category of the request; add one")]
    NoPolicy,
    /// The store did not decide.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// A limiter to be put together.
    #[must_use]
    pub fn builder() -> RateLimiterBuilder {
        RateLimiterBuilder::default()
    }

    /// Checks an authenticated request against every limit of its tier and category that
    /// applies, all or nothing, and takes its cost from all of them if it is admitted.
    ///
    /// # Errors
    /// There is no policy for the tier and category, or the store did not decide.
    pub async fn check(&self, request: &Request<'_>) -> Result<Decision, CheckError> {
        let policies = self.shared.policies.load();
        let policy = policies.policy(request.tier, request.category).cloned();
        drop(policies);
        let policy = policy.ok_or(CheckError::NoPolicy)?;
        let charge = Charge::of_request(&policy, request, self.shared.clock.now());
        self.decide(Arc::clone(&policy), charge).await
    }

    /// Checks a request whose tenant is not known yet, by the address that it comes from, and
    /// takes one token if it is admitted.
    ///
    /// # Errors
    /// The store did not decide.
    pub async fn check_address(&self, address: IpAddr) -> Result<Decision, CheckError> {
        let policy = Arc::clone(self.shared.policies.load().client_address());
        let charge = Charge::of_address(&policy, address, self.shared.clock.now());
        self.decide(Arc::clone(&policy), charge).await
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

    /// The tenants refused most of late, the most refused first; at most as many as the builder
    /// was given.
    #[must_use]
    pub fn most_limited(&self) -> Vec<LimitedTenant> {
        self.shared.limited.most_refused(self.shared.clock.now())
    }

    async fn decide(
        &self,
        policy: Arc<Policy>,
        charge: Charge<'_>,
    ) -> Result<Decision, CheckError> {
        let readings = self.shared.store.charge(&charge).await?;
        let decision = Decision::new(policy, readings, &self.shared.jitter);
        if let (Decision::Refused(_), Partition::Tenant(tenant)) = (&decision, charge.partition()) {
            self.shared.limited.count(tenant, charge.now());
        }
        if let Some(observer) = &self.shared.observer {
            report(observer.as_ref(), &decision, charge.cost());
        }
        Ok(decision)
    }
}

/// A peek is no decision on a request, so nothing is reported of it.
fn report(observer: &dyn Observer, decision: &Decision, cost: u32) {
    if cost == 0 {
        return;
    }
    let policy = decision.policy();
    observer.observe(&match decision {
        Decision::Admitted(_) => Event::Admitted { policy },
        Decision::Refused(_) => Event::Refused { policy },
    });
    for standing in decision.limits() {
        let limit = standing.limit();
        if standing.reading().refusal().is_some() {
            observer.observe(&Event::Exceeded { policy, limit });
        } else if decision.is_admitted() && limit.is_enforced() && standing.is_near_limit() {
            observer.observe(&Event::NearLimit { policy, limit });
        }
    }
}

#[cfg(test)]
mod tests;
