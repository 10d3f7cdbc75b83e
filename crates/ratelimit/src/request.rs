//! A request, as far as a limiter has to know it.

use std::net::IpAddr;

use crate::{
    name::{Category, Tier},
    policy::Policy,
};

/// One authenticated request: who sent it, what limits apply, and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitRequest<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) tier: &'a Tier,
    pub(crate) category: &'a Category,
    pub(crate) key: Option<&'a str>,
    pub(crate) address: Option<IpAddr>,
    cost: Cost,
    pub(crate) more_to_come: bool,
}

#[derive(Clone, Copy, Debug)]
enum Cost {
    Exactly(u32),
    UpToLargest(u32),
}

impl<'a> RateLimitRequest<'a> {
    /// A request of `tenant` that costs one token.
    #[must_use]
    pub const fn new(tenant: &'a str, tier: &'a Tier, category: &'a Category) -> Self {
        Self {
            tenant,
            tier,
            category,
            key: None,
            address: None,
            cost: Cost::Exactly(1),
            more_to_come: false,
        }
    }

    /// The id of the API key, never the key itself. Without it, limits of keys do not apply.
    #[must_use]
    pub const fn with_key(mut self, key_id: &'a str) -> Self {
        self.key = Some(key_id);
        self
    }

    /// The client's address. Without it, limits of addresses do not apply.
    #[must_use]
    pub const fn with_address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The tokens to take from every limit; default: 1. Zero peeks and takes nothing.
    #[must_use]
    pub const fn with_cost(mut self, tokens: u32) -> Self {
        self.cost = Cost::Exactly(tokens);
        self
    }

    /// The tokens to take from every limit, or the policy's [largest
    /// cost](crate::policy::Policy::largest_cost) if that is less: a request that costs more takes
    /// that, instead of being refused whenever it is tried.
    ///
    /// A sender of such requests gets in more than the rate. A limit
    /// [with debt](crate::policy::Limit::with_debt) admits them and holds the rate.
    #[must_use]
    pub const fn with_cost_up_to_largest(mut self, tokens: u32) -> Self {
        self.cost = Cost::UpToLargest(tokens);
        self
    }

    /// Says that [`Admitted::charge_more`](crate::Admitted::charge_more) follows if it is admitted:
    /// the observer is told of the request with its last charge, once, and of an earlier one only if
    /// that is refused.
    #[must_use]
    pub const fn more_to_come(mut self) -> Self {
        self.more_to_come = true;
        self
    }

    /// What is to be taken of a request for which `before` tokens were taken already.
    #[inline]
    pub(crate) fn cost_under(&self, policy: &Policy, before: u32) -> u32 {
        match self.cost {
            Cost::Exactly(tokens) => tokens,
            Cost::UpToLargest(tokens) => policy
                .largest_cost()
                .map_or(tokens, |largest| tokens.min(largest.saturating_sub(before))),
        }
    }
}
