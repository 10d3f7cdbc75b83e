//! Which limits hold unless an operator sets others, and for which tiers.

use portcullis_ratelimit::{
    Category, Tier,
    policy::{Limit, Policies, PoliciesBuilder, PolicyError, Rate, Rule},
};

/// The tiers that have limits.
pub(crate) const TIERS: [Tier; 3] = [Tier::FREE, Tier::STANDARD, Tier::ENTERPRISE];

/// What one client address may ask for in a second and at once, whatever keys it shows: more than
/// any honest client needs, and what keeps a flood of invented keys from the key store.
const ADDRESS_RATE: u32 = 10_000;
const ADDRESS_BURST: u32 = 20_000;

/// The given policies, with the defaults in place of those they leave out: a tier without a
/// policy could ask for nothing at all.
pub(crate) fn complete(given: PoliciesBuilder) -> Result<Policies, PolicyError> {
    let named = given.clone().build()?;
    let defaults = Policies::tier_defaults();
    let mut complete = given;
    if named.client_address().limits().is_empty() {
        complete = complete.client_address(address_rule());
    }
    for tier in TIERS {
        for category in [Category::INGEST, Category::READ] {
            let default = defaults.policy(&tier, &category);
            if named.policy(&tier, &category).is_some() {
                continue;
            }
            for limit in default.into_iter().flat_map(|policy| policy.limits()) {
                let rule = Rule::new(*limit.limit());
                complete = complete.category(tier.clone(), category.clone(), rule);
            }
        }
    }
    complete.build()
}

fn address_rule() -> Rule {
    let rate = Rate::tokens_per_second(ADDRESS_RATE);
    Rule::new(Limit::new(rate, ADDRESS_BURST).expect("small numbers above zero make a limit"))
}

/// How often a client network may show a wrong admin token: five at once, and one every ten seconds.
pub(crate) fn failed_admin_tokens() -> Limit {
    Limit::new(Rate::tokens_per_minute(6), 5).expect("small numbers above zero make a limit")
}

/// How often a client network may show a wrong API key: many tenants may be behind one address, and one of
/// them may have lost its key.
pub(crate) fn failed_api_keys() -> Limit {
    Limit::new(Rate::tokens_per_second(20), 200).expect("small numbers above zero make a limit")
}

#[cfg(test)]
mod tests {
    use portcullis_ratelimit::{
        Category, Tier,
        policy::{Limit, Policies, Rate},
    };

    use super::complete;

    #[test]
    fn without_policies_the_defaults_hold_and_an_address_has_10000_a_second_and_20000_at_once() {
        let policies = complete(Policies::builder()).unwrap();
        let expected = Limit::new(Rate::tokens_per_second(10_000), 20_000).unwrap();
        let [address] = policies.client_address().limits() else {
            panic!("{policies:?}");
        };
        assert_eq!(*address.limit(), expected);
        let defaults = Policies::tier_defaults();
        for tier in [Tier::FREE, Tier::STANDARD, Tier::ENTERPRISE] {
            for category in [Category::INGEST, Category::READ] {
                let policy = policies.policy(&tier, &category);
                assert_eq!(
                    policy,
                    defaults.policy(&tier, &category),
                    "{tier} {category}"
                );
            }
        }
    }

    #[test]
    fn what_is_given_replaces_its_default_and_nothing_else() {
        let given = serde_json::json!({ "tier": { "free": { "category": { "ingest": {
            "key": { "per-minute": 1, "burst": 1 } } } } } });
        let policies = complete(serde_json::from_value(given).unwrap()).unwrap();
        let free = policies.policy(&Tier::FREE, &Category::INGEST).unwrap();
        assert_eq!(free.largest_cost(), Some(1));
        assert_eq!(free.limits().len(), 1);
        let others = [
            (Tier::FREE, Category::READ),
            (Tier::STANDARD, Category::INGEST),
        ];
        for (tier, category) in others {
            let default = Policies::tier_defaults();
            let policy = policies.policy(&tier, &category);
            assert_eq!(policy, default.policy(&tier, &category));
        }
        assert_eq!(policies.client_address().limits().len(), 1);
    }
}
