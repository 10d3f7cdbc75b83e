//! From single rules to the policies of a service.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use serde::Deserialize;

use super::{Policies, PolicyError};
use crate::{
    name::{Category, LimitName, Tier},
    policy::{Policy, PolicyLimit, Rule, Scope},
};

/// Collects the rules of [`Policies`]; a rule given twice replaces the first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PoliciesBuilder {
    client_address: Option<Rule>,
    #[serde(default)]
    tier: BTreeMap<Tier, TierRules>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TierRules {
    tenant: Option<Rule>,
    #[serde(default)]
    category: BTreeMap<Category, CategoryRules>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CategoryRules {
    tenant: Option<Rule>,
    key: Option<Rule>,
    address: Option<Rule>,
}

impl PoliciesBuilder {
    /// Limits each client address before its tenant is known.
    #[must_use]
    pub fn client_address(mut self, rule: Rule) -> Self {
        self.client_address = Some(rule);
        self
    }

    /// Limits each tenant of a tier over all categories; the tier needs a category to have a
    /// policy.
    #[must_use]
    pub fn tenant(mut self, tier: Tier, rule: Rule) -> Self {
        self.tier.entry(tier).or_default().tenant = Some(rule);
        self
    }

    /// Limits each tenant of a tier in one category.
    #[must_use]
    pub fn category(mut self, tier: Tier, category: Category, rule: Rule) -> Self {
        self.rules(tier, category).tenant = Some(rule);
        self
    }

    /// Limits each API key in one category.
    #[must_use]
    pub fn key(mut self, tier: Tier, category: Category, rule: Rule) -> Self {
        self.rules(tier, category).key = Some(rule);
        self
    }

    /// Limits each client address of each tenant in one category.
    #[must_use]
    pub fn address(mut self, tier: Tier, category: Category, rule: Rule) -> Self {
        self.rules(tier, category).address = Some(rule);
        self
    }

    /// Lets one request of a category overdraw by `most` the limits that it is checked against, as
    /// far as they give no debt of their own ([`Limit::with_debt`](crate::policy::Limit::with_debt)). To be called when all rules are
    /// there.
    ///
    /// # Errors
    /// A limit cannot count so much exactly.
    pub fn with_debt_in(mut self, category: &Category, most: u32) -> Result<Self, PolicyError> {
        for rules in self.tier.values_mut() {
            let Some(of_category) = rules.category.get_mut(category) else {
                continue;
            };
            let CategoryRules {
                tenant,
                key,
                address,
            } = of_category;
            for rule in [&mut rules.tenant, tenant, key, address] {
                *rule = rule
                    .take()
                    .map(|rule| rule.or_debt(most))
                    .transpose()
                    .map_err(|source| PolicyError::Debt { most, source })?;
            }
        }
        Ok(self)
    }

    /// The policies that follow from the rules.
    ///
    /// # Errors
    /// Two limits of one policy would have the same name.
    pub fn build(self) -> Result<Policies, PolicyError> {
        self.try_into()
    }

    fn rules(&mut self, tier: Tier, category: Category) -> &mut CategoryRules {
        self.tier
            .entry(tier)
            .or_default()
            .category
            .entry(category)
            .or_default()
    }
}

impl TryFrom<PoliciesBuilder> for Policies {
    type Error = PolicyError;

    fn try_from(builder: PoliciesBuilder) -> Result<Self, PolicyError> {
        let mut tiers = Vec::new();
        for (tier, rules) in builder.tier {
            let mut of_tier = Vec::new();
            for (category, of_category) in rules.category {
                let limits = of_category.into_limits(&tier, &category, rules.tenant.clone());
                let policy = distinct(format!("{tier}/{category}"), limits)?;
                of_tier.push((category, policy));
            }
            tiers.push((tier, of_tier));
        }
        let scope = Scope::ClientAddress;
        let limit = builder
            .client_address
            .map(|rule| rule.into_limit(scope, scope.to_string()));
        let client_address = distinct(scope.to_string(), limit.into_iter().collect())?;
        Ok(Self {
            client_address,
            tiers,
        })
    }
}

impl CategoryRules {
    fn into_limits(
        self,
        tier: &Tier,
        category: &Category,
        tenant: Option<Rule>,
    ) -> Vec<PolicyLimit> {
        let within = |scope| format!("{tier}/{category}/{scope}");
        [
            tenant.map(|rule| rule.into_limit(Scope::Tenant, format!("{tier}/{}", Scope::Tenant))),
            self.tenant
                .map(|rule| rule.into_limit(Scope::Category, within(Scope::Category))),
            self.key
                .map(|rule| rule.into_limit(Scope::Key, within(Scope::Key))),
            self.address
                .map(|rule| rule.into_limit(Scope::Address, within(Scope::Address))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Rule {
    fn into_limit(self, scope: Scope, identity: String) -> PolicyLimit {
        let name = self
            .name
            .unwrap_or_else(|| LimitName::from_static(scope.as_str()));
        PolicyLimit::new(name, scope, self.limit, self.mode, identity)
    }
}

fn distinct(label: String, limits: Vec<PolicyLimit>) -> Result<Arc<Policy>, PolicyError> {
    let mut names = HashSet::new();
    match limits.iter().find(|limit| !names.insert(limit.name())) {
        Some(limit) => Err(PolicyError::DuplicateName {
            policy: label,
            name: limit.name().to_string(),
        }),
        None => Ok(Arc::new(Policy::new(label, limits))),
    }
}
