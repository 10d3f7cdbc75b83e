use std::net::IpAddr;

use crate::address::ClientNetwork;
use crate::clock::Timestamp;
use crate::policy::{Policy, PolicyLimit, Scope};
use crate::request::Request;

/// What to charge, to whom, under which policy.
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

/// Whom a bucket counts within its partition.
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

// === impl Charge ===

impl<'a> Charge<'a> {
    /// Charges an authenticated request.
    #[must_use]
    pub fn of_request(policy: &'a Policy, request: &Request<'a>, now: Timestamp) -> Self {
        Self {
            policy,
            partition: Partition::Tenant(request.tenant),
            key: request.key,
            address: request.address.map(ClientNetwork::from),
            cost: request.cost,
            now,
        }
    }

    /// Charges one token to a client address whose tenant is not known.
    #[must_use]
    pub fn of_address(policy: &'a Policy, address: IpAddr, now: Timestamp) -> Self {
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

// === impl Target ===

impl<'a> Target<'a> {
    /// Where its reading goes: its limit's place in the policy.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The limit to check.
    #[must_use]
    pub const fn limit(&self) -> &'a PolicyLimit {
        self.limit
    }

    /// Whom the bucket counts.
    #[must_use]
    pub const fn subject(&self) -> Subject<'a> {
        self.subject
    }
}
