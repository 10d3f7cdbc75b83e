use std::net::IpAddr;

use crate::name::{Category, Tier};

/// What a limiter has to know of one authenticated request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) tier: &'a Tier,
    pub(crate) category: &'a Category,
    pub(crate) key: Option<&'a str>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) cost: u32,
}

impl<'a> Request<'a> {
    /// A request of `tenant` that costs one token.
    #[must_use]
    pub const fn new(tenant: &'a str, tier: &'a Tier, category: &'a Category) -> Self {
        Self {
            tenant,
            tier,
            category,
            key: None,
            address: None,
            cost: 1,
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

    /// The tokens to take from every limit; zero peeks and takes nothing.
    #[must_use]
    pub const fn with_cost(mut self, tokens: u32) -> Self {
        self.cost = tokens;
        self
    }
}
