//! What the limits in force count with.

use std::{net::IpAddr, sync::Arc};

use portcullis_ratelimit::{
    Category, CheckError, Decision, LimitedTenant, RateLimitRequest, RateLimiter, policy::Policies,
};

use super::OPERATOR;

/// The limiter of requests with an API key, and the one of operators, under the same limits. Clones
/// are one.
///
/// That of operators counts in the memory of this process whatever store the other has: who has to see
/// to a store that does not answer is not to wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Limiters {
    requests: RateLimiter,
    operators: RateLimiter,
}

/// Stands for all who have the admin token: each of their addresses is counted for itself.
const OPERATORS: &str = "operators";

impl Limiters {
    pub(crate) const fn new(requests: RateLimiter, operators: RateLimiter) -> Self {
        Self {
            requests,
            operators,
        }
    }

    /// The limits in force.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        self.requests.policies()
    }

    /// Puts others in force, at once.
    pub(crate) fn replace(&self, policies: &Policies) {
        self.operators.replace_policies(policies.clone());
        self.requests.replace_policies(policies.clone());
    }

    /// The tenants refused most of late.
    pub(crate) fn most_limited(&self) -> Vec<LimitedTenant> {
        self.requests.most_limited()
    }

    /// Takes one token of an operator's limits, or refuses.
    ///
    /// # Errors
    /// Never while there are limits of operators, which there always are.
    pub(crate) async fn check_operator(&self, address: IpAddr) -> Result<Decision, CheckError> {
        let (tier, category) = (OPERATOR, Category::ADMIN);
        let request = RateLimitRequest::new(OPERATORS, &tier, &category);
        self.operators.check(&request.with_address(address)).await
    }
}
