//! No two buckets have one key, and no name gets out of its braces.

use std::collections::HashMap;

use proptest::prelude::*;

use super::key::append_key;
use crate::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    policy::{Limit, Policies, Policy, Rate, Rule},
    store::{Charge, Target},
};

fn policies() -> Policies {
    let rule = || Rule::new(Limit::new(Rate::tokens_per_second(1), 1).expect("valid"));
    Policies::builder()
        .tenant(Tier::FREE, rule())
        .category(Tier::FREE, Category::INGEST, rule())
        .key(Tier::FREE, Category::INGEST, rule())
        .address(Tier::FREE, Category::INGEST, rule())
        .client_address(rule())
        .build()
        .expect("scopes have different names")
}

fn keys(policy: &Policy, tenant: &str, id: &str) -> Vec<String> {
    let (tier, category) = (Tier::FREE, Category::INGEST);
    let request = RateLimitRequest::new(tenant, &tier, &category).with_key(id);
    let request = request.with_address([192, 0, 2, 1].into());
    let charge = Charge::for_request(policy, &request, Timestamp::default());
    charge
        .targets()
        .map(|target| key(&charge, &target))
        .collect()
}

fn key(charge: &Charge<'_>, target: &Target<'_>) -> String {
    let mut key = String::new();
    append_key(&mut key, "rl", charge.partition(), target);
    key
}

/// What a cluster finds the slot of a key by: what stands between the first `{` and the first `}` after it,
/// unless that is empty (Redis cluster specification, "Hash tags").
fn tag(key: &str) -> &str {
    let inside = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    inside.map_or(key, |(tag, _)| if tag.is_empty() { key } else { tag })
}

/// Names of few characters, those with a meaning in a key among them, so that many are nearly alike.
fn name() -> impl Strategy<Value = String> {
    let character =
        prop::sample::select(vec!['a', '{', '}', ':', '%', '2', '5', '@', '/', 'é', '\0']);
    prop::collection::vec(character, 0..5).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #[test]
    fn buckets_of_other_names_have_other_keys_and_those_of_a_tenant_one_slot(
        names in prop::collection::vec((name(), name()), 1..20)
    ) {
        let policies = policies();
        let policy = policies.policy(&Tier::FREE, &Category::INGEST).expect("just made");
        let mut names_by_key = HashMap::new();
        for (tenant, id) in &names {
            let keys = keys(policy, tenant, id);
            let tags: Vec<&str> = keys.iter().map(|key| tag(key)).collect();
            prop_assert!(tags.iter().all(|tag| *tag == tags[0] && !tag.contains(':')), "{keys:?}");
            for (position, key) in keys.into_iter().enumerate() {
                let of_a_key = (position == 2).then_some(id);
                let name = (tenant, position, of_a_key);
                let other = names_by_key.insert(key.clone(), name);
                prop_assert!(other.is_none_or(|other| other == name), "{key}");
            }
        }
    }
}

#[test]
fn an_address_without_a_tenant_has_a_tag_that_no_tenant_has() {
    let policies = policies();
    let charge = Charge::for_address(
        policies.client_address(),
        [192, 0, 2, 1].into(),
        Timestamp::default(),
    );
    let target = charge.targets().next().expect("one limit");
    let of_address = key(&charge, &target);
    assert_eq!(tag(&of_address), "@192.0.2.1");
    let policy = policies
        .policy(&Tier::FREE, &Category::INGEST)
        .expect("just made");
    for tenant in ["@192.0.2.1", "192.0.2.1", "%40192.0.2.1"] {
        let keys = keys(policy, tenant, "k");
        assert!(keys.iter().all(|key| tag(key) != "@192.0.2.1"), "{keys:?}");
    }
}
