//! All limits of a service, and the defaults for its tiers.

mod builder;

use std::sync::Arc;

use serde::Deserialize;

use super::{Limit, LimitError, Policy, Rate, Rule};
use crate::name::{Category, Tier};

pub use self::builder::PoliciesBuilder;

/// The limits of a whole service: one [`Policy`] for each tier and category, and one for client
/// addresses before authentication.
///
/// Made with [`Policies::builder`], taken ready-made from [`Policies::tier_defaults`], or read
/// with serde. In TOML, where every limit is optional:
///
/// ```
/// # use portcullis_ratelimit::policy::Policies;
/// let policies: Policies = toml::from_str(r#"
///     [client-address]                    # one address, before the tenant is known
///     per-second = 50
///     burst = 100
///
///     [tier.free]
///     tenant = { per-second = 12, burst = 25 }            # a tenant, all categories together
///
///     [tier.free.category.ingest]
///     tenant = { per-second = 10, burst = 20, debt = 100 }        # a tenant, this category
///     key = { per-minute = 300, burst = 10, name = "burst" }         # one API key
///     address = { per-hour = 900, burst = 10, mode = "shadow" }      # one address, one tenant
/// "#)?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PoliciesBuilder")]
pub struct Policies {
    client_address: Arc<Policy>,
    /// By tier and then category, in the order of their names. There are a few of each, and most
    /// names differ in length, so that looking at one after the other finds a policy soonest.
    tiers: Vec<(Tier, OfTier)>,
}

type OfTier = Vec<(Category, Arc<Policy>)>;

/// Why rules cannot be made into [`Policies`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Clients could not tell two limits of one policy apart.
    #[error("two limits of policy {policy} are named {name}; rename one")]
    DuplicateName {
        /// The policy's label.
        policy: String,
        /// The name that two limits have.
        name: String,
    },
    /// A limit cannot have the debt of its category.
    #[error("a debt of {most} cannot be added to a limit: {source}")]
    Debt {
        /// The debt.
        most: u32,
        /// Why the limit cannot have it.
        source: LimitError,
    },
}

impl Policies {
    /// An empty set of rules, to be filled.
    #[must_use]
    pub fn builder() -> PoliciesBuilder {
        PoliciesBuilder::default()
    }

    /// One limit for each tenant and category, and none for client addresses:
    ///
    /// | tier | ingest | read | admin |
    /// |---|---|---|---|
    /// | free | 10/s, burst 20 | 5/s, burst 10 | 20/s, burst 40 |
    /// | standard | 200/s, burst 400 | 50/s, burst 100 | 20/s, burst 40 |
    /// | enterprise | 5,000/s, burst 10,000 | 1,000/s, burst 2,000 | 20/s, burst 40 |
    ///
    /// # Panics
    /// Never: the numbers above are valid.
    #[must_use]
    pub fn tier_defaults() -> Self {
        [
            (Tier::FREE, Category::INGEST, 10, 20),
            (Tier::FREE, Category::READ, 5, 10),
            (Tier::FREE, Category::ADMIN, 20, 40),
            (Tier::STANDARD, Category::INGEST, 200, 400),
            (Tier::STANDARD, Category::READ, 50, 100),
            (Tier::STANDARD, Category::ADMIN, 20, 40),
            (Tier::ENTERPRISE, Category::INGEST, 5_000, 10_000),
            (Tier::ENTERPRISE, Category::READ, 1_000, 2_000),
            (Tier::ENTERPRISE, Category::ADMIN, 20, 40),
        ]
        .into_iter()
        .fold(
            Self::builder(),
            |policies, (tier, category, tokens_per_second, burst)| {
                let limit = Limit::new(Rate::tokens_per_second(tokens_per_second), burst)
                    .expect("small numbers above zero make a limit");
                policies.category(tier, category, Rule::new(limit))
            },
        )
        .build()
        .expect("a single limit has no namesake")
    }

    /// The policy of a tier and category.
    #[must_use]
    #[inline]
    pub fn policy(&self, tier: &Tier, category: &Category) -> Option<&Arc<Policy>> {
        let (_, of_tier) = self.tiers.iter().find(|(name, _)| name == tier)?;
        let (_, policy) = of_tier.iter().find(|(name, _)| name == category)?;
        Some(policy)
    }

    /// The same, and none of its policies shared with these.
    pub(crate) fn copied(&self) -> Self {
        let apart = |policy: &Arc<Policy>| Arc::new(Policy::clone(policy));
        let of_tier = |categories: &OfTier| {
            let categories = categories.iter();
            let categories = categories.map(|(name, policy)| (name.clone(), apart(policy)));
            categories.collect()
        };
        let tiers = self.tiers.iter();
        Self {
            client_address: apart(&self.client_address),
            tiers: tiers
                .map(|(name, categories)| (name.clone(), of_tier(categories)))
                .collect(),
        }
    }

    /// The policy for client addresses before authentication; default: no limits.
    #[must_use]
    pub fn client_address(&self) -> &Arc<Policy> {
        &self.client_address
    }

    /// All policies.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        let of_tiers = self.tiers.iter().flat_map(|(_, of_tier)| of_tier);
        std::iter::once(&self.client_address)
            .chain(of_tiers.map(|(_, policy)| policy))
            .map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests;
