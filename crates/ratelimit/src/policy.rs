//! What a service allows: limits, the rules they come from, and the policies they make.

mod limit;
mod policies;
mod rule;

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde::Deserialize;

pub use self::{
    limit::{Limit, LimitError, Rate},
    policies::{Policies, PoliciesBuilder, PolicyError},
    rule::Rule,
};
pub use crate::name::LimitName;

/// The most limits that one request is checked against.
pub const MAX_LIMITS: usize = 4;

/// All limits that one request is checked against, at most [`MAX_LIMITS`], in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    label: String,
    limits: Vec<PolicyLimit>,
}

/// One limit of a [`Policy`]: what it counts, how much it allows and whether it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLimit {
    name: LimitName,
    scope: Scope,
    limit: Limit,
    mode: Mode,
    identity: String,
    identity_hash: u64,
    advertised: String,
}

/// Which requests share one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// All requests of a tenant, whatever their category.
    Tenant,
    /// All requests of a tenant in one category.
    Category,
    /// All requests with one API key, in one category.
    Key,
    /// All requests to one tenant from one client address, in one category.
    Address,
    /// All requests from one client address, counted before the tenant is known.
    ClientAddress,
}

/// Whether a limit refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: a limit either refuses or it does not"
)]
pub enum Mode {
    /// It refuses what goes beyond it.
    #[default]
    Enforced,
    /// It is counted and reported, never refuses, and changes no decision of the other limits.
    Shadow,
}

impl Policy {
    pub(crate) fn new(label: String, limits: Vec<PolicyLimit>) -> Self {
        debug_assert!(limits.len() <= MAX_LIMITS, "one limit a scope");
        Self { label, limits }
    }

    /// `<tier>/<category>`, or `client-address`: a label with as many values as the configuration
    /// has policies.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The limits, in the order of their scopes.
    #[must_use]
    pub fn limits(&self) -> &[PolicyLimit] {
        &self.limits
    }

    /// The most that one request may cost under this policy: the smallest enforced burst with its
    /// debt, or `None` where nothing is enforced.
    #[must_use]
    pub fn largest_cost(&self) -> Option<u32> {
        self.limits
            .iter()
            .filter(|limit| limit.is_enforced())
            .map(|limit| limit.limit.largest_cost())
            .min()
    }
}

impl PolicyLimit {
    pub(crate) fn new(
        name: LimitName,
        scope: Scope,
        limit: Limit,
        mode: Mode,
        identity: String,
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        identity.hash(&mut hasher);
        let identity_hash = hasher.finish();
        let advertised = advertise(&name, &limit);
        Self {
            name,
            scope,
            limit,
            mode,
            identity,
            identity_hash,
            advertised,
        }
    }

    /// What clients see it called.
    #[must_use]
    pub fn name(&self) -> &LimitName {
        &self.name
    }

    /// Which requests share one of its buckets.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The bucket's size and speed.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Whether it refuses.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether its mode is [`Mode::Enforced`].
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforced
    }

    pub(crate) fn is_of_addresses(&self) -> bool {
        self.scope == Scope::ClientAddress
    }

    /// A text that tells its buckets from those of every other limit of the same partition, and
    /// that stays the same when its numbers are changed: part of a store's key. ASCII, of `a-z`,
    /// `0-9`, `-`, `_` and `/`.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    pub(crate) fn identity_hash(&self) -> u64 {
        self.identity_hash
    }

    /// Its item in a `RateLimit-Policy` field.
    pub(crate) fn advertised(&self) -> &str {
        &self.advertised
    }
}

impl Scope {
    /// `tenant`, `category`, `key`, `address` or `client-address`; the name of a limit that was
    /// given no other.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Category => "category",
            Self::Key => "key",
            Self::Address => "address",
            Self::ClientAddress => "client-address",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `q` is the burst and `w` the whole seconds in which it comes back.
fn advertise(name: &LimitName, limit: &Limit) -> String {
    let window = limit.refill_time().as_micros().div_ceil(1_000_000);
    format!("\"{name}\";q={};w={window}", limit.burst())
}
