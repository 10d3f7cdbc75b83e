//! Which limits hold unless an operator sets others, for which tiers, and how far one request may
//! overdraw them.

mod document;
mod limiters;

use portcullis_ratelimit::{
    Category, Tier,
    policy::{Limit, LimitName, Policies, PoliciesBuilder, Policy, PolicyError, Rate, Rule, Scope},
};

pub(crate) use self::{
    document::{GivenLimits, InvalidLimits, describe, of_report, read, read_stored, write},
    limiters::Limiters,
};

/// The tiers that an API key may have.
pub(crate) const TIERS: [Tier; 3] = [Tier::FREE, Tier::STANDARD, Tier::ENTERPRISE];

/// The tier of those who have the admin token. No API key has it.
pub(crate) const OPERATOR: Tier = Tier::from_static("operator");

/// The tiers that have limits.
const EVERY_TIER: [Tier; 4] = [Tier::FREE, Tier::STANDARD, Tier::ENTERPRISE, OPERATOR];

/// Searches by callers who see masks: each tests a guess.
pub(crate) const SEARCH: Category = Category::from_static("search");

/// The categories of requests with an API key that are limited.
static CATEGORIES: [Category; 3] = [Category::INGEST, Category::READ, SEARCH];

/// Those of operators.
static OPERATORS_CATEGORIES: [Category; 1] = [Category::ADMIN];

/// What an API key may guess in an hour, and at once: enough for a person who looks customers up.
const SEARCH_RATE: u32 = 60;
const SEARCH_BURST: u32 = 60;

/// What an operator may ask for in a second and at once, from one address.
const OPERATOR_RATE: u32 = 20;
const OPERATOR_BURST: u32 = 40;

/// What one client address may ask for in a second and at once, whatever keys it shows: more than
/// any honest client needs, and what keeps a flood of invented keys from the key store.
const ADDRESS_RATE: u32 = 10_000;
const ADDRESS_BURST: u32 = 20_000;

/// The most that a limit of ingestion may be overdrawn by, and so enough for any request that is
/// taken in: the thousand events of a batch and one too many, and the 256 blocks of its body.
pub(crate) const INGEST_DEBT: u32 = 1_256;

/// The most that a limit of reading may be overdrawn by: the leads of a page.
pub(crate) const READ_DEBT: u32 = 100;

/// The given policies, with the defaults in place of those they leave out: a tier without a
/// policy could ask for nothing at all. Limits that give no debt have enough for the largest request.
/// An API key has a limit of searches whatever else is given for them: who limits a tenant's does not
/// mean to lift it. Likewise each address of operators: whose loop is refused keeps no other out.
pub(crate) fn complete(given: PoliciesBuilder) -> Result<Policies, PolicyError> {
    let named = given.clone().build()?;
    let defaults = Policies::tier_defaults();
    let mut complete = given;
    if named.client_address().limits().is_empty() {
        complete = complete.client_address(address_rule());
    }
    for tier in TIERS {
        for category in &CATEGORIES {
            let default = defaults.policy(&tier, category);
            if named.policy(&tier, category).is_some() {
                continue;
            }
            for limit in default.into_iter().flat_map(|policy| policy.limits()) {
                let rule = Rule::new(*limit.limit());
                complete = complete.category(tier.clone(), category.clone(), rule);
            }
        }
        let searches = named.policy(&tier, &SEARCH);
        if !searches.is_some_and(|policy| has(policy, Scope::Key)) {
            complete = complete.key(tier, SEARCH, search_rule());
        }
    }
    let operators = named.policy(&OPERATOR, &Category::ADMIN);
    if !operators.is_some_and(|policy| has(policy, Scope::Address)) {
        complete = complete.address(OPERATOR, Category::ADMIN, operator_rule());
    }
    complete
        .with_debt_in(&Category::INGEST, debt_in(&Category::INGEST))?
        .with_debt_in(&Category::READ, debt_in(&Category::READ))?
        .build()
}

fn address_rule() -> Rule {
    let rate = Rate::tokens_per_second(ADDRESS_RATE);
    Rule::new(Limit::new(rate, ADDRESS_BURST).expect("small numbers above zero make a limit"))
}

/// A name of its own tells a caller which of the limits of a search had no room.
fn search_rule() -> Rule {
    let limit = Limit::new(Rate::tokens_per_hour(SEARCH_RATE), SEARCH_BURST);
    let limit = limit.expect("small numbers above zero make a limit");
    Rule::new(limit).named(LimitName::from_static("search"))
}

/// What one address of operators may ask for: enough for a page that asks for all there is to see.
fn operator_rule() -> Rule {
    let limit = Limit::new(Rate::tokens_per_second(OPERATOR_RATE), OPERATOR_BURST);
    let limit = limit.expect("small numbers above zero make a limit");
    Rule::new(limit).named(LimitName::from_static("admin"))
}

fn has(policy: &Policy, scope: Scope) -> bool {
    let mut limits = policy.limits().iter();
    limits.any(|limit| limit.scope() == scope)
}

/// The categories in which a tier has limits.
fn categories(tier: &Tier) -> &'static [Category] {
    if *tier == OPERATOR {
        &OPERATORS_CATEGORIES
    } else {
        &CATEGORIES
    }
}

/// What a limit of a category may be overdrawn by where it does not say.
fn debt_in(category: &Category) -> u32 {
    match category {
        category if *category == Category::INGEST => INGEST_DEBT,
        category if *category == Category::READ => READ_DEBT,
        _ => 0,
    }
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
    use serde_json::{Value, json};

    use super::{SEARCH, TIERS, complete, describe};

    #[test]
    fn without_policies_the_defaults_hold_and_an_address_has_10000_a_second_and_20000_at_once() {
        let policies = complete(Policies::builder()).unwrap();
        let expected = Limit::new(Rate::tokens_per_second(10_000), 20_000).unwrap();
        let [address] = policies.client_address().limits() else {
            panic!("{policies:?}");
        };
        assert_eq!(*address.limit(), expected);
        for (tier, category, tokens_per_second, burst, debt) in [
            (Tier::FREE, Category::INGEST, 10, 20, 1_256),
            (Tier::FREE, Category::READ, 5, 10, 100),
            (Tier::STANDARD, Category::INGEST, 200, 400, 1_256),
            (Tier::STANDARD, Category::READ, 50, 100, 100),
            (Tier::ENTERPRISE, Category::INGEST, 5_000, 10_000, 1_256),
            (Tier::ENTERPRISE, Category::READ, 1_000, 2_000, 100),
        ] {
            let rate = Rate::tokens_per_second(tokens_per_second);
            let expected = Limit::new(rate, burst).unwrap().with_debt(debt).unwrap();
            let policy = policies.policy(&tier, &category).unwrap();
            let [limit] = policy.limits() else {
                panic!("{policy:?}");
            };
            assert_eq!(*limit.limit(), expected, "{tier} {category}");
        }
    }

    /// The limits of searches of a tier, as an operator sees them.
    fn searches(given: &Value, tier: &Tier) -> Value {
        let policies = complete(serde_json::from_value(given.clone()).unwrap()).unwrap();
        let policy = policies.policy(tier, &SEARCH).unwrap();
        assert!(
            policy
                .limits()
                .iter()
                .all(|limit| limit.limit().debt() == 0)
        );
        describe(&policies)["tier"][tier.as_str()]["category"]["search"].clone()
    }

    #[test]
    fn a_key_searches_60_times_at_once_and_60_times_an_hour_unless_a_limit_of_keys_is_given() {
        let default = json!({ "per-hour": 60, "burst": 60, "name": "search" });
        let rule = json!({ "per-day": 7, "burst": 5 });
        for (rules, free) in [
            (json!({}), json!({ "key": default })),
            (
                json!({ "tenant": rule }),
                json!({ "tenant": rule, "key": default }),
            ),
            (json!({ "key": rule }), json!({ "key": rule })),
        ] {
            let given = json!({ "tier": { "free": { "category": { "search": rules } } } });
            assert_eq!(searches(&given, &Tier::FREE), free, "{given}");
            for tier in [Tier::STANDARD, Tier::ENTERPRISE] {
                assert_eq!(searches(&given, &tier), json!({ "key": default }));
            }
        }
        for tier in TIERS {
            assert_eq!(searches(&json!({}), &tier), json!({ "key": default }));
        }
    }

    #[test]
    fn what_is_given_replaces_its_default_and_nothing_else() {
        let given = serde_json::json!({ "tier": { "free": { "category": { "ingest": {
            "key": { "per-minute": 1, "burst": 1 } } } } } });
        let policies = complete(serde_json::from_value(given).unwrap()).unwrap();
        let free = policies.policy(&Tier::FREE, &Category::INGEST).unwrap();
        assert_eq!(free.largest_cost(), Some(1 + 1_256));
        assert_eq!(free.limits().len(), 1);
        let without = serde_json::json!({ "tier": { "free": { "category": { "ingest": {
            "key": { "per-minute": 1, "burst": 1, "debt": 0 } } } } } });
        let without = complete(serde_json::from_value(without).unwrap()).unwrap();
        let free = without.policy(&Tier::FREE, &Category::INGEST).unwrap();
        assert_eq!(free.largest_cost(), Some(1));
        let others = [
            (Tier::FREE, Category::READ),
            (Tier::STANDARD, Category::INGEST),
        ];
        for (tier, category) in others {
            let default = complete(Policies::builder()).unwrap();
            let policy = policies.policy(&tier, &category);
            assert_eq!(policy, default.policy(&tier, &category));
        }
        assert_eq!(policies.client_address().limits().len(), 1);
    }
}
