//! What has a bucket of its own.

use super::{CATEGORY, Clause, Suite, TIER, address, answered, hourly, policy, remaining, request};
use crate::{name::Tier, policy::Policies, store::Charge};

pub(super) async fn tenants_keys_addresses_and_tiers_are_counted_apart(
    clause: Clause,
    suite: Suite,
) {
    let policy = policy(|rules| {
        rules
            .category(TIER, CATEGORY, hourly(9))
            .key(TIER, CATEGORY, hourly(9))
            .address(TIER, CATEGORY, hourly(9))
    });
    let first = request("one").with_key("k").with_address(address(1));
    let two = request("two").with_key("k").with_address(address(1));
    for (what, request, left) in [
        ("tokens left of 9", first, [8, 8, 8]),
        ("with another key", first.with_key("l"), [7, 8, 7]),
        (
            "with another address",
            first.with_address(address(2)),
            [6, 7, 8],
        ),
        ("of another tenant", two, [8, 8, 8]),
    ] {
        let outcome = suite.charge(clause, &policy, request).await;
        clause.same(what, remaining(&policy, &outcome), left);
    }
    let other_tier = Policies::builder()
        .category(Tier::FREE, CATEGORY, hourly(9))
        .build();
    let other_tier = other_tier.expect("one limit has one name");
    let other_tier = other_tier
        .policy(&Tier::FREE, &CATEGORY)
        .expect("just made");
    let outcome = suite.charge(clause, other_tier, first).await;
    clause.same("of another tier", remaining(&policy, &outcome), [8]);
}

pub(super) async fn subjects_of_the_same_text_are_counted_apart(clause: Clause, suite: Suite) {
    let before_authentication = Policies::builder().client_address(hourly(9)).build();
    let before_authentication = before_authentication.expect("one limit has one name");
    let policy = policy(|rules| {
        rules
            .key(TIER, CATEGORY, hourly(9))
            .address(TIER, CATEGORY, hourly(9))
    });
    let text = address(1).to_string();
    let tenant = request(&text).with_key(&text).with_address(address(1));
    let outcome = suite.charge(clause, &policy, tenant).await;
    let what = "tokens left of 9 for a key and an address";
    clause.same(what, remaining(&policy, &outcome), [8, 8]);
    for (last, left) in [(1, 8), (1, 7), (2, 8)] {
        let policy = before_authentication.client_address();
        let charge = Charge::for_address(policy, address(last), suite.now);
        let outcome = answered(clause, suite.store.charge(&charge).await);
        let what = "for an address before authentication";
        clause.same(what, remaining(policy, &outcome), [left]);
    }
}

pub(super) async fn names_with_any_separator_are_counted_apart(clause: Clause, suite: Suite) {
    let policy = policy(|rules| rules.key(TIER, CATEGORY, hourly(9)));
    for separator in [
        ":", "/", "|", "-", ".", ",", ";", "#", " ", "{", "}", "\n", "\0",
    ] {
        let longer = format!("a{separator}b");
        let longer_key = format!("b{separator}c");
        for (tenant, key) in [("a", longer_key.as_str()), (longer.as_str(), "c")] {
            let request = request(tenant).with_key(key);
            let outcome = suite.charge(clause, &policy, request).await;
            let what = format!("tokens left of 9 for names that hold {separator:?}");
            clause.same(&what, remaining(&policy, &outcome), [8]);
        }
    }
}
