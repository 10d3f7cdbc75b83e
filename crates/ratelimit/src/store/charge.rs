//! What a store is asked to charge.

use std::net::IpAddr;

use crate::{
    address::ClientNetwork,
    clock::Timestamp,
    policy::{MAX_LIMITS, Policy, PolicyLimit, Scope},
    request::RateLimitRequest,
    store::{Answer, ChargeOutcome},
};

/// What to charge, for which tenant or address, under which policy.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    policy: &'a Policy,
    partition: Partition<'a>,
    key: Option<&'a str>,
    address: Option<ClientNetwork>,
    before: u32,
    cost: u32,
    now: Timestamp,
    /// The limits, by position, that are left out.
    without: [bool; MAX_LIMITS],
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
    #[inline]
    pub fn for_request(policy: &'a Policy, request: &RateLimitRequest<'a>, now: Timestamp) -> Self {
        Self {
            policy,
            partition: Partition::Tenant(request.tenant),
            key: request.key,
            address: request.address.map(ClientNetwork::from),
            before: 0,
            cost: request.cost_under(policy, 0),
            now,
            without: [false; MAX_LIMITS],
        }
    }

    /// Charges a request for which `before` tokens were taken already, with the outcome `first`,
    /// its cost on top of them. Shadow limits that had no room for the first charge are left out:
    /// the request has exceeded them, and the rest of it does not come in through them.
    #[must_use]
    pub fn for_rest(
        policy: &'a Policy,
        request: &RateLimitRequest<'a>,
        now: Timestamp,
        before: u32,
        first: &ChargeOutcome,
    ) -> Self {
        let had_no_room = |position| first.answer(position) == Answer::Refuses;
        Self {
            before,
            cost: request.cost_under(policy, before),
            without: std::array::from_fn(had_no_room),
            ..Self::for_request(policy, request, now)
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
            before: 0,
            cost: 1,
            now,
            without: [false; MAX_LIMITS],
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

    /// The tokens that an earlier charge of the same request has taken from each bucket; zero for
    /// a first charge. They decide with the cost whether the burst suffices, or debt is needed.
    #[must_use]
    pub const fn before(&self) -> u32 {
        self.before
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
    #[inline]
    pub fn targets(&self) -> impl Iterator<Item = Target<'a>> {
        let positions = 0..self.policy.limits().len().min(MAX_LIMITS);
        positions.filter_map(|position| self.target(position))
    }

    #[inline]
    fn target(&self, position: usize) -> Option<Target<'a>> {
        if self.without[position] {
            return None;
        }
        let limit = &self.policy.limits()[position];
        let subject = match limit.scope() {
            Scope::Tenant | Scope::Category | Scope::ClientAddress => Subject::Whole,
            Scope::Key => Subject::Key(self.key?),
            Scope::Address => Subject::Address(self.address?),
        };
        Some(Target {
            position,
            limit,
            subject,
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
