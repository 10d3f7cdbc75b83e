//! The defaults, the file format and its mistakes.

use super::{Policies, PoliciesBuilder, PolicyError};
use crate::{
    name::{Category, LimitName, Tier},
    policy::{Limit, LimitError, Mode, Rate, Rule, Scope},
};

fn rule(tokens_per_second: u32, burst: u32) -> Rule {
    Rule::new(Limit::new(Rate::tokens_per_second(tokens_per_second), burst).unwrap())
}

fn error(text: &str) -> String {
    toml::from_str::<Policies>(text).unwrap_err().to_string()
}

#[test]
fn tier_defaults_are_those_of_the_reference_service() {
    let policies = Policies::tier_defaults();
    for (tier, category, tokens_per_second, burst) in [
        ("free", "ingest", 10, 20),
        ("free", "read", 5, 10),
        ("free", "admin", 20, 40),
        ("standard", "ingest", 200, 400),
        ("standard", "read", 50, 100),
        ("standard", "admin", 20, 40),
        ("enterprise", "ingest", 5_000, 10_000),
        ("enterprise", "read", 1_000, 2_000),
        ("enterprise", "admin", 20, 40),
    ] {
        let (tier, category) = (Tier::new(tier).unwrap(), Category::new(category).unwrap());
        let policy = policies.policy(&tier, &category).unwrap();
        let [limit] = policy.limits() else {
            panic!("{} has one limit", policy.label())
        };
        let expected = Limit::new(Rate::tokens_per_second(tokens_per_second), burst).unwrap();
        assert_eq!(*limit.limit(), expected, "{tier}/{category}");
        assert_eq!(
            (limit.scope(), limit.mode()),
            (Scope::Category, Mode::Enforced)
        );
        assert_eq!(policy.largest_cost(), Some(burst));
    }
    assert_eq!(policies.iter().count(), 10, "nine, and one for addresses");
    assert_eq!(policies.client_address().limits(), []);
}

#[test]
fn a_category_gets_a_debt_where_no_rule_gives_one() {
    let file = r#"
        [tier.free]
        tenant = { per-second = 10, burst = 20 }
        [tier.free.category.ingest]
        tenant = { per-second = 10, burst = 20, debt = 0 }
        key = { per-second = 10, burst = 20, debt = 7 }
        address = { per-second = 10, burst = 20, mode = "shadow" }
        [tier.free.category.read]
        key = { per-second = 10, burst = 20 }
        [tier.standard]
        tenant = { per-second = 10, burst = 20 }
    "#;
    let rules: PoliciesBuilder = toml::from_str(file).unwrap();
    let policies = rules
        .clone()
        .with_debt_in(&Category::INGEST, 1_256)
        .unwrap();
    let policies = policies.build().unwrap();
    let debts = |category| -> Vec<u32> {
        let policy = policies.policy(&Tier::FREE, category).unwrap();
        policy
            .limits()
            .iter()
            .map(|limit| limit.limit().debt())
            .collect()
    };
    assert_eq!(debts(&Category::INGEST), [1_256, 0, 7, 1_256]);
    // The tenant's limit is one for all categories.
    assert_eq!(debts(&Category::READ), [1_256, 0]);
    let daily = Limit::new(Rate::tokens_per_day(1), 52_000_000).unwrap();
    let rules = rules.category(Tier::FREE, Category::INGEST, Rule::new(daily));
    let error = rules
        .with_debt_in(&Category::INGEST, 1_000_000)
        .unwrap_err();
    let source = LimitError::TooLarge;
    assert_eq!(
        error,
        PolicyError::Debt {
            most: 1_000_000,
            source
        }
    );
}

#[test]
fn a_file_gives_the_same_policies_as_the_builder() {
    let from_file: Policies = toml::from_str(
        r#"
        [client-address]
        per-second = 50
        burst = 100

        [tier.free]
        tenant = { per-day = 1000, burst = 25 }

        [tier.free.category.ingest]
        tenant = { per-second = 10, burst = 20 }
        key = { per-minute = 300, burst = 10, name = "burst" }
        address = { per-hour = 900, burst = 10, mode = "shadow" }

        [tier.free.category.read]
        "#,
    )
    .unwrap();
    let limit = |rate, burst| Rule::new(Limit::new(rate, burst).unwrap());
    let (free, ingest) = (Tier::FREE, Category::INGEST);
    let burst = LimitName::new("burst").unwrap();
    let built = Policies::builder()
        .client_address(rule(50, 100))
        .tenant(free.clone(), limit(Rate::tokens_per_day(1_000), 25))
        .category(free.clone(), ingest.clone(), rule(10, 20))
        .key(
            free.clone(),
            ingest.clone(),
            limit(Rate::tokens_per_minute(300), 10).named(burst),
        )
        .address(
            free.clone(),
            ingest.clone(),
            limit(Rate::tokens_per_hour(900), 10).shadow(),
        )
        .build()
        .unwrap();
    assert_eq!(
        from_file.policy(&free, &ingest),
        built.policy(&free, &ingest)
    );
    assert_eq!(from_file.client_address(), built.client_address());

    let policy = from_file.policy(&free, &ingest).unwrap();
    assert_eq!(policy.label(), "free/ingest");
    let names: Vec<_> = policy
        .limits()
        .iter()
        .map(|limit| limit.name().as_str())
        .collect();
    assert_eq!(names, ["tenant", "category", "burst", "address"]);
    assert_eq!(policy.largest_cost(), Some(10), "the shadow does not count");
    let of_read = from_file.policy(&free, &Category::READ).unwrap();
    assert_eq!(of_read.limits().len(), 1, "the limit over all categories");
    assert_eq!(
        of_read.limits()[0].identity(),
        policy.limits()[0].identity()
    );
}

#[test]
fn identities_differ_for_every_limit_of_every_tier_and_category() {
    let mut rules = Policies::builder().client_address(rule(1, 1));
    for tier in [Tier::FREE, Tier::STANDARD, Tier::new("tenant").unwrap()] {
        rules = rules.tenant(tier.clone(), rule(1, 1));
        for category in [
            Category::INGEST,
            Category::READ,
            Category::new("tenant").unwrap(),
        ] {
            rules = rules
                .category(tier.clone(), category.clone(), rule(1, 1))
                .key(tier.clone(), category.clone(), rule(1, 1))
                .address(tier.clone(), category, rule(1, 1));
        }
    }
    let policies = rules.build().unwrap();
    let limits = policies.iter().flat_map(|policy| policy.limits());
    let mut identities: Vec<_> = limits
        .map(|limit| (limit.identity_hash(), limit.identity()))
        .collect();
    identities.sort_unstable();
    identities.dedup();
    // Three times three categories have three each, the three tiers one, the addresses one.
    assert_eq!(identities.len(), 9 * 3 + 3 + 1);
    identities.dedup_by_key(|(hash, _)| *hash);
    assert_eq!(identities.len(), 9 * 3 + 3 + 1);
}

#[test]
fn a_limit_without_exactly_one_rate_is_refused_with_its_place() {
    let message = error("[client-address]\nper-second = 1\nper-minute = 60\nburst = 5\n");
    assert!(
        message.contains("exactly one of per-second, per-minute"),
        "{message}"
    );
    assert!(message.contains("line 1"), "{message}");
    let message = error("[tier.free]\ntenant = { burst = 5 }\n");
    assert!(message.contains("exactly one of"), "{message}");
    assert!(message.contains("line 2"), "{message}");
}

#[test]
fn mistakes_in_a_file_are_named() {
    for (text, expected) in [
        (
            "[client-address]\nper-second = 0\nburst = 5",
            "rate must be at least one token",
        ),
        (
            "[client-address]\nper-second = 5\nburst = 0",
            "burst must be at least one token",
        ),
        ("[client-address]\nper-second = 5", "missing field `burst`"),
        (
            "[client-address]\nper-second = 5\nburst = -1",
            "invalid value: integer `-1`",
        ),
        (
            "[client-address]\nper-day = 1\nburst = 60000000",
            "burst is too large",
        ),
        (
            "[client-address]\nper-secund = 5\nburst = 5",
            "unknown field `per-secund`",
        ),
        (
            "[client-address]\nper-second = 5\nburst = 5\nmode = \"off\"",
            "unknown variant `off`",
        ),
        (
            "[client-address]\nper-second = 5\nburst = 5\nname = \"a b\"",
            "a-z, 0-9, '-' and '_'",
        ),
        ("[tiers.free]", "unknown field `tiers`"),
        ("[tier.free.ingest]", "unknown field `ingest`"),
        ("[tier.Free.category.ingest]", "a-z, 0-9, '-' and '_'"),
    ] {
        let message = error(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn two_limits_of_a_policy_cannot_have_one_name() {
    let name = || LimitName::new("burst").unwrap();
    let (tier, category) = (Tier::FREE, Category::INGEST);
    let built = Policies::builder()
        .category(tier.clone(), category.clone(), rule(1, 1).named(name()))
        .key(tier, category, rule(1, 1).named(name()))
        .build();
    let (policy, name) = ("free/ingest".to_owned(), "burst".to_owned());
    assert_eq!(built, Err(PolicyError::DuplicateName { policy, name }));
    let message = error(
        "[tier.free.category.ingest]\n\
         tenant = { per-second = 1, burst = 1, name = \"key\" }\n\
         key = { per-second = 1, burst = 1 }",
    );
    assert!(
        message.contains("two limits of policy free/ingest are named key"),
        "{message}"
    );
}
