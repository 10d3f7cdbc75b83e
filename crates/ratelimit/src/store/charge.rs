//! What a store is asked to charge.

mod owned;

use std::net::IpAddr;

use crate::{
    address::ClientNetwork,
    clock::Timestamp,
    name::Category,
    policy::{MAX_LIMITS, Policy, PolicyLimit, Scope},
    request::RateLimitRequest,
    store::{Answer, ChargeOutcome},
};

pub(super) use self::owned::OwnedCharge;

/// What to charge, for which tenant or address, under which policy.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    policy: &'a Policy,
    category: Option<&'a Category>,
    partition: Partition<'a>,
    key: Option<&'a str>,
    address: Option<ClientNetwork>,
    before: u32,
    cost: u32,
    now: Timestamp,
    corrections: Option<&'a Corrections>,
    /// The limits, by position, that are left out.
    without: [bool; MAX_LIMITS],
}

/// Tokens by which buckets are corrected in the step of a charge, before it is decided: for each limit, by
/// its position in the policy, what was taken elsewhere and is to count here (above zero), or what counts
/// here and is given back (below).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrections {
    by_position: [i64; MAX_LIMITS],
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
    correction: i64,
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
            category: Some(request.category),
            partition: Partition::Tenant(request.tenant),
            key: request.key,
            address: request.address.map(ClientNetwork::from),
            before: 0,
            cost: request.cost_under(policy, 0),
            now,
            corrections: None,
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
            category: None,
            partition,
            key: None,
            address: None,
            before: 0,
            cost: 1,
            now,
            corrections: None,
            without: [false; MAX_LIMITS],
        }
    }

    /// The same charge of `cost` more tokens, for a request that has taken `before` already: what a store
    /// in front of another asks that one for.
    #[must_use]
    pub const fn with_amounts(self, before: u32, cost: u32) -> Self {
        Self {
            before,
            cost,
            ..self
        }
    }

    /// The same charge, which corrects its buckets first, even if it is refused then or only a peek.
    #[must_use]
    pub const fn with_corrections(self, corrections: &'a Corrections) -> Self {
        Self {
            corrections: Some(corrections),
            ..self
        }
    }

    /// Whether it corrects any bucket.
    #[must_use]
    #[inline]
    pub const fn has_corrections(&self) -> bool {
        self.corrections.is_some()
    }

    /// The category of the request; `None` for an address whose tenant is not known.
    #[must_use]
    pub const fn category(&self) -> Option<&'a Category> {
        self.category
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
            correction: self
                .corrections
                .map_or(0, |corrections| corrections.at(position)),
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

    /// The tokens to add to what the bucket counts before the charge is decided; below zero, to take off.
    #[must_use]
    pub const fn correction(&self) -> i64 {
        self.correction
    }
}

impl Corrections {
    /// None yet.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// With this one for the limit at `position` of the policy, counted from 0.
    #[must_use]
    pub fn with(mut self, position: usize, tokens: i64) -> Self {
        if let Some(correction) = self.by_position.get_mut(position) {
            *correction = tokens;
        }
        self
    }

    /// The correction for the limit at `position` of the policy.
    #[must_use]
    pub fn at(&self, position: usize) -> i64 {
        self.by_position.get(position).copied().unwrap_or_default()
    }
}
