//! A store in memory that is full.

use std::{collections::HashMap, net::IpAddr};

use proptest::prelude::*;

use super::{
    admits, assert_bound, charge, forward, four_limits, histories, millis, one_limit, request,
    store,
};
use crate::{
    clock::Timestamp,
    name::{Category, Tier},
    policy::{Limit, Policies, Rate, Rule},
    store::WhenFull,
};

proptest! {
    #[test]
    fn a_full_table_forgets_nothing_for_a_refused_request_or_a_peek(history in histories(6, 0..=13_u32)) {
        let store = store(4, WhenFull::EvictLeast);
        let policy = four_limits();
        for step in history {
            let before = store.stats();
            if !admits(&store, &policy, &step.request(), step.at) || step.cost == 0 {
                let after = store.stats();
                prop_assert_eq!(after.forgotten, before.forgotten);
            }
            prop_assert!(store.stats().entries <= 4);
        }
    }

    #[test]
    fn shared_overflow_forgets_nothing_and_adds_one_bucket_a_limit(
        history in histories(12, 0..=4_u32),
        capacity in 4..=8_usize,
    ) {
        let store = store(capacity, WhenFull::SharedOverflow);
        let policy = four_limits();
        for step in history {
            charge(&store, &policy, &step.request(), step.at);
            let stats = store.stats();
            prop_assert_eq!(stats.forgotten, 0);
            prop_assert!(stats.entries <= capacity + 4, "{:?}", stats);
        }
    }

    #[test]
    fn shared_overflow_never_admits_more_than_a_store_without_bounds(
        history in histories(12, Just(1_u32)),
    ) {
        let (full, ample) = (
            store(4, WhenFull::SharedOverflow),
            store(1_000, WhenFull::SharedOverflow),
        );
        let policy = one_limit(1, 3);
        let mut admitted: HashMap<String, (Vec<(Timestamp, u32)>, usize)> = HashMap::new();
        for step in forward(history) {
            let (in_full, in_ample) = admitted.entry(step.tenant.clone()).or_default();
            if admits(&full, &policy, &step.request(), step.at) {
                in_full.push((step.at, 1));
            }
            if admits(&ample, &policy, &step.request(), step.at) {
                *in_ample += 1;
            }
            prop_assert!(in_full.len() <= *in_ample);
            prop_assert!(full.stats().entries <= 5, "four, and one that is shared");
        }
        for (admissions, _) in admitted.values() {
            assert_bound(admissions, policy.limits()[0].limit());
        }
    }
}

#[test]
fn what_a_key_owes_in_a_shared_bucket_is_waited_for_by_all_of_them() {
    let limit = Limit::new(Rate::tokens_per_second(1), 3)
        .unwrap()
        .with_debt(10)
        .unwrap();
    let rules = Policies::builder().category(Tier::STANDARD, Category::INGEST, Rule::new(limit));
    let policies = rules.build().unwrap();
    let policy = policies.policy(&Tier::STANDARD, &Category::INGEST).unwrap();
    let store = store(4, WhenFull::SharedOverflow);
    let at = |seconds: u64| Timestamp::from_micros(1_000_000 * seconds);
    for tenant in ["a", "b", "c", "d"] {
        assert!(admits(
            &store,
            policy,
            &request(tenant).with_cost(13),
            at(1)
        ));
    }
    assert!(admits(&store, policy, &request("e").with_cost(9), at(1)));
    for (seconds, is_admitted) in [(1, false), (7, false), (8, true)] {
        assert_eq!(
            admits(&store, policy, &request("f"), at(seconds)),
            is_admitted
        );
    }
    // A drained bucket makes room; what is owed in the shared one goes with the key.
    assert!(!admits(&store, policy, &request("g").with_cost(4), at(10)));
    assert!(admits(&store, policy, &request("a").with_cost(13), at(14)));
}

#[test]
fn a_full_table_sends_new_keys_to_a_shared_bucket_and_back_without_a_gift() {
    let (store, policy) = (store(4, WhenFull::SharedOverflow), one_limit(1, 3));
    let at = millis(1_000);
    for tenant in ["a", "b", "c", "d"] {
        assert!(admits(&store, &policy, &request(tenant).with_cost(3), at));
    }
    assert!(admits(&store, &policy, &request("e").with_cost(2), at));
    assert!(
        !admits(&store, &policy, &request("f").with_cost(2), at),
        "e and f share one bucket"
    );
    assert!(admits(&store, &policy, &request("f"), at));
    assert_eq!(store.stats().entries, 5);
    assert_eq!(store.stats().overflowed, 3);
    assert_eq!(store.stats().drained_reused, 0);

    // After 2 s the shared bucket holds one used token, a to d still one each; after 3 s all
    // have drained.
    assert!(!admits(
        &store,
        &policy,
        &request("f").with_cost(3),
        millis(3_000)
    ));
    assert!(admits(
        &store,
        &policy,
        &request("f").with_cost(3),
        millis(4_000)
    ));
    assert_eq!(store.stats().drained_reused, 1);
    assert_eq!(store.stats().forgotten, 0);
}

#[test]
fn a_key_that_gets_its_own_bucket_still_owes_what_it_took_from_the_shared_one() {
    let (store, policy) = (store(4, WhenFull::SharedOverflow), one_limit(1, 3));
    for tenant in ["a", "b", "c"] {
        assert!(admits(
            &store,
            &policy,
            &request(tenant).with_cost(3),
            millis(1_000)
        ));
    }
    assert!(admits(&store, &policy, &request("d"), millis(1_000)));
    assert!(
        admits(&store, &policy, &request("e").with_cost(3), millis(1_000)),
        "shared"
    );
    // d has drained and makes room, e has two tokens left to pay.
    assert!(!admits(
        &store,
        &policy,
        &request("e").with_cost(2),
        millis(2_000)
    ));
    assert!(admits(&store, &policy, &request("e"), millis(2_000)));
    assert_eq!(store.stats().overflowed, 1);
}

#[test]
fn a_full_table_reuses_drained_buckets_before_it_forgets_any() {
    let (store, policy) = (store(32, WhenFull::EvictLeast), one_limit(1, 3));
    for tenant in 0..32 {
        let cost = if tenant == 17 { 1 } else { 3 };
        let tenant = format!("tenant-{tenant}");
        assert!(admits(
            &store,
            &policy,
            &request(&tenant).with_cost(cost),
            millis(1_000)
        ));
    }
    assert!(admits(&store, &policy, &request("new"), millis(2_000)));
    let stats = store.stats();
    assert_eq!(
        (stats.entries, stats.drained_reused, stats.forgotten),
        (32, 1, 0)
    );
}

#[test]
fn a_full_table_forgets_the_least_used_bucket_and_counts_its_tokens() {
    let (store, policy) = (store(32, WhenFull::EvictLeast), one_limit(1, 9));
    let at = millis(1_000);
    for tenant in 0..32 {
        let cost = if tenant == 17 { 2 } else { 9 };
        let tenant = format!("tenant-{tenant}");
        assert!(admits(
            &store,
            &policy,
            &request(&tenant).with_cost(cost),
            at
        ));
    }
    assert!(admits(&store, &policy, &request("new").with_cost(9), at));
    let stats = store.stats();
    assert_eq!(
        (stats.entries, stats.forgotten, stats.forgotten_tokens),
        (32, 1, 2)
    );
    assert!(
        !admits(&store, &policy, &request("tenant-3"), at),
        "others are remembered"
    );
}

#[test]
fn a_charge_does_not_forget_its_own_buckets_for_one_another() {
    let (store, filler) = (store(8, WhenFull::EvictLeast), one_limit(1, 9));
    let at = millis(1_000);
    for tenant in 0..8 {
        let tenant = format!("tenant-{tenant}");
        assert!(admits(&store, &filler, &request(&tenant).with_cost(9), at));
    }
    let policy = four_limits();
    let new = request("new")
        .with_key("k")
        .with_address(IpAddr::from([192, 0, 2, 1]));
    let after = charge(&store, &policy, &new, at);
    assert_eq!(store.stats().forgotten, 4);
    let peek = charge(&store, &policy, &new.with_cost(0), at);
    for (position, left) in [11, 8, 5, 4].into_iter().enumerate() {
        for outcome in [&after, &peek] {
            let status = outcome.status(&policy, position);
            assert_eq!(status.map(|status| status.remaining()), Some(left));
        }
    }
}

#[test]
fn a_clock_that_steps_back_refills_nothing_in_place_of_a_removed_bucket() {
    let (store, policy) = (store(4, WhenFull::EvictLeast), one_limit(1, 3));
    for tenant in ["a", "b", "c", "d"] {
        assert!(admits(
            &store,
            &policy,
            &request(tenant).with_cost(3),
            millis(1_000)
        ));
    }
    assert!(
        admits(&store, &policy, &request("e").with_cost(3), millis(4_000)),
        "one of them made room"
    );
    // Its whole burst came back by 4 s. Taken again at 2 s, it must not come back twice.
    let taken_again = |tenant: &&str| {
        let request = request(tenant).with_cost(3);
        admits(&store, &policy, &request, millis(2_000))
    };
    let removed = ["a", "b", "c", "d"].into_iter().find(taken_again);
    let removed = removed.expect("one was removed");
    assert!(!admits(&store, &policy, &request(removed), millis(4_999)));
    assert!(admits(&store, &policy, &request(removed), millis(5_000)));
}
