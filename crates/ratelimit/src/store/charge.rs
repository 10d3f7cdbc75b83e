//! What a store is asked to charge.

use std::net::IpAddr;

use crate::{
    address::ClientNetwork,
    clock::Timestamp,
    policy::{Policy, PolicyLimit, Scope},
    request::RateLimitRequest,
};

/// What to charge, for which tenant or address, under which policy.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    policy: &'a Policy,
    partition: Partition<'a>,
    key: Option<&'a str>,
    address: Option<ClientNetwork>,
    cost: u32,
    now: Timestamp,
}

/// What all buckets of one charge have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: a store must place each kind apart"
)]
pub enum Partition<'a> {
    /// A tenant.
    Tenant(&'a str),
    /// A client address whose tenant is not known.
    Address(ClientNetwork),
}

/// One bucket of a charge.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    position: usize,
    limit: &'a PolicyLimit,
    subject: Subject<'a>,
}

/// What a bucket counts within its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: a store must keep each kind apart"
)]
pub enum Subject<'a> {
    /// The whole partition.
    Whole,
    /// One API key, by its id.
    Key(&'a str),
    /// One client address.
    Address(ClientNetwork),
}

impl<'a> Charge<'a> {
    /// Charges an authenticated request. `now` is the caller's time.
    #[must_use]
    pub fn for_request(policy: &'a Policy, request: &RateLimitRequest<'a>, now: Timestamp) -> Self {
        Self {
            policy,
            partition: Partition::Tenant(request.tenant),
            key: request.key,
            address: request.address.map(ClientNetwork::from),
            cost: request.cost_under(policy),
            now,
        }
    }

    /// Charges one token to a client address whose tenant is not known. `now` is the caller's
    /// time.
    #[must_use]
    pub fn for_address(policy: &'a Policy, address: IpAddr, now: Timestamp) -> Self {
        let partition = Partition::Address(ClientNetwork::from(address));
        Self {
            policy,
            partition,
            key: None,
            address: None,
            cost: 1,
            now,
        }
    }

    /// The policy that the request is checked against.
    #[must_use]
    pub const fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// What all its buckets have in common.
    #[must_use]
    pub const fn partition(&self) -> Partition<'a> {
        self.partition
    }

    /// The tokens to take from each bucket.
    #[must_use]
    pub const fn cost(&self) -> u32 {
        self.cost
    }

    /// The caller's time.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The buckets: one for each limit of the policy that applies to this request.
    pub fn targets(&self) -> impl Iterator<Item = Target<'a>> + use<'a> {
        let Self { key, address, .. } = *self;
        self.policy
            .limits()
            .iter()
            .enumerate()
            .filter_map(move |(position, limit)| {
                let subject = match limit.scope() {
                    Scope::Tenant | Scope::Category | Scope::ClientAddress => Subject::Whole,
                    Scope::Key => Subject::Key(key?),
                    Scope::Address => Subject::Address(address?),
                };
                Some(Target {
                    position,
                    limit,
                    subject,
                })
            })
    }
}

impl<'a> Target<'a> {
    /// The index of its limit in the policy, counted from 0, which its status goes to.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The limit to check.
    #[must_use]
    pub const fn limit(&self) -> &'a PolicyLimit {
        self.limit
    }

    /// What the bucket counts.
    #[must_use]
    pub const fn subject(&self) -> Subject<'a> {
        self.subject
    }
}
