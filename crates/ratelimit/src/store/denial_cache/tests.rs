//! A denial cache decides as the store behind it.

mod late;

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use super::DenialCache;
use crate::{
    bucket::Retry,
    clock::Timestamp,
    conformance,
    policy::{Limit, MAX_LIMITS, Policy, Rate, Rule},
    store::{
        Answer, Charge, ChargeOutcome, Source, Store,
        histories::{
            CATEGORY, Counted, OwnTime, TIER, admits, capacity, charged, histories, memory, millis,
            one_limit, policy, request, rule,
        },
    },
};

fn cached(inner: &Arc<Counted>) -> DenialCache {
    DenialCache::new(Arc::clone(inner) as Arc<dyn Store>, capacity(1_000))
}

/// Limits that get in each other's way: with debt, and a shadow that is narrower than the others.
fn contrary_limits() -> Policy {
    policy(|rules| {
        rules
            .tenant(TIER, rule(9, 12))
            .category(TIER, CATEGORY, rule(2, 3).shadow())
            .key(TIER, CATEGORY, rule(5, 6))
            .address(TIER, CATEGORY, rule(4, 8))
            .with_debt_in(&CATEGORY, 9)
            .unwrap()
    })
}

fn single(policy: &Policy, cost: u32, at: Timestamp) -> Charge<'_> {
    Charge::for_request(policy, &request("acme").with_cost(cost), at).with_amounts(0, cost)
}

fn retry(policy: &Policy, outcome: &ChargeOutcome) -> Option<Retry> {
    outcome.status(policy, 0)?.refusal()
}

/// Every limit that `outcome` tells of is told as in `other`.
fn assert_told_alike(policy: &Policy, outcome: &ChargeOutcome, other: &ChargeOutcome) {
    for position in 0..MAX_LIMITS {
        if let Some(status) = outcome.status(policy, position) {
            assert_eq!(Some(status), other.status(policy, position));
        }
    }
}

#[tokio::test]
async fn a_denial_cache_conforms() {
    let make = async || {
        let inner: Arc<dyn Store> = Arc::new(memory());
        Arc::new(DenialCache::new(inner, capacity(100))) as Arc<dyn Store>
    };
    conformance::store(make, async |_| {}).await;
}

proptest! {
    #[test]
    fn every_decision_is_the_same_with_and_without_it(
        history in histories(-100..=300_i64, 0..=14_u32),
    ) {
        let (inner, plain, policy) = (Counted::new(), memory(), contrary_limits());
        let cached = cached(&inner);
        for step in &history {
            let charge = step.charge(&policy);
            let (outcome, expected) = (charged(&cached, &charge), charged(&plain, &charge));
            prop_assert_eq!(admits(&policy, &outcome), admits(&policy, &expected));
            assert_told_alike(&policy, &outcome, &expected);
        }
        let stats = cached.stats();
        prop_assert_eq!(stats.refused + stats.passed_on, history.len() as u64);
        prop_assert_eq!(stats.passed_on, inner.asked());
    }

    /// Several nodes over one store, whose clocks show different times and whose questions take a
    /// while to arrive.
    #[test]
    fn it_never_refuses_what_the_store_would_admit(
        history in histories(0..=300_i64, 0..=14_u32),
        ahead in prop::collection::vec(0..=5_000_u64, 3),
        underway in prop::collection::vec(0..=40_u64, 200),
    ) {
        let (inner, policy) = (Arc::new(OwnTime::default()), contrary_limits());
        let nodes: Vec<_> = (0..3)
            .map(|_| DenialCache::new(Arc::clone(&inner) as Arc<dyn Store>, capacity(16)))
            .collect();
        for (mut step, underway) in history.into_iter().zip(underway) {
            let sent = step.at;
            step.at = sent.plus(Duration::from_millis(ahead[step.node]));
            inner.set(sent.plus(Duration::from_millis(underway)));
            let outcome = charged(&nodes[step.node], &step.charge(&policy));
            if outcome.source() == Source::DenialCache {
                prop_assert!(!admits(&policy, &outcome));
                inner.set(sent);
                let direct = charged(inner.as_ref(), &step.charge(&policy));
                prop_assert!(!admits(&policy, &direct), "{:?} {:?}", outcome, direct);
            }
        }
    }

    #[test]
    fn a_flood_asks_the_store_once_a_wait_and_once_a_second_of_a_longer_one(
        calls in 1..400_u64,
        wait in 1..3_000_u64,
    ) {
        let inner = Counted::new();
        let cached = cached(&inner);
        // One token comes back in `wait` milliseconds.
        let limit = Limit::new(Rate::tokens_per(1, Duration::from_millis(wait)), 1).unwrap();
        let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        prop_assert!(admits(&policy, &charged(&cached, &single(&policy, 1, millis(0)))));
        for call in 0..calls {
            let at = Timestamp::from_micros(call * wait * 1_000 / calls);
            let outcome = charged(&cached, &single(&policy, 1, at));
            prop_assert!(!admits(&policy, &outcome));
            let expected = Duration::from_millis(wait) - at.since(millis(0));
            prop_assert_eq!(retry(&policy, &outcome), Some(Retry::After(expected)));
        }
        let asked = inner.asked() - 1;
        prop_assert!(asked <= wait.div_ceil(1_000), "{} of {} in {} ms", asked, calls, wait);
        let outcome = charged(&cached, &single(&policy, 1, millis(wait)));
        prop_assert!(admits(&policy, &outcome));
    }
}

#[test]
fn what_can_never_be_admitted_is_refused_here_too() {
    let (inner, policy) = (Counted::new(), one_limit(1, 5));
    let cached = cached(&inner);
    for call in 0..100 {
        let outcome = charged(&cached, &single(&policy, 6, millis(call)));
        assert_eq!(retry(&policy, &outcome), Some(Retry::NeverSatisfiable));
        assert_eq!(outcome.status(&policy, 0).unwrap().remaining(), 5);
    }
    assert_eq!(inner.asked(), 1);
    let outcome = charged(&cached, &single(&policy, 5, millis(100)));
    assert!(admits(&policy, &outcome));
}

#[test]
fn one_refused_bucket_refuses_for_every_key_of_its_tenant() {
    let inner = Counted::new();
    let cached = cached(&inner);
    let policy = policy(|rules| {
        rules
            .tenant(TIER, rule(1, 2))
            .key(TIER, CATEGORY, rule(1, 9))
    });
    let charge_with = |key: &str| {
        let request = request("acme").with_key(key).with_cost(2);
        charged(&cached, &Charge::for_request(&policy, &request, millis(5)))
    };
    assert!(admits(&policy, &charge_with("first")));
    assert!(!admits(&policy, &charge_with("second")));
    let outcome = charge_with("third");
    assert_eq!(outcome.source(), Source::DenialCache);
    assert_eq!(outcome.answer(0), Answer::Refuses);
    assert_eq!(
        outcome.answer(1),
        Answer::NotAsked,
        "nothing is known of it"
    );
    assert_eq!(inner.asked(), 2);
}

#[test]
fn peeks_and_smaller_costs_that_may_pass_are_passed_on() {
    let (inner, policy) = (Counted::new(), one_limit(1, 5));
    let cached = cached(&inner);
    charged(&cached, &single(&policy, 3, millis(0)));
    assert!(!admits(
        &policy,
        &charged(&cached, &single(&policy, 3, millis(0)))
    ));
    assert!(admits(
        &policy,
        &charged(&cached, &single(&policy, 0, millis(0)))
    ));
    assert!(admits(
        &policy,
        &charged(&cached, &single(&policy, 2, millis(0)))
    ));
    assert_eq!(inner.asked(), 4);
    // And that was learned: nothing is left now.
    let outcome = charged(&cached, &single(&policy, 1, millis(0)));
    assert_eq!(outcome.source(), Source::DenialCache);
    assert_eq!(
        retry(&policy, &outcome),
        Some(Retry::After(Duration::from_secs(1)))
    );
}

#[test]
fn what_can_refuse_nothing_any_more_gives_way_first() {
    let inner = Counted::new();
    let cached = DenialCache::new(Arc::clone(&inner) as Arc<dyn Store>, capacity(8));
    let (fast, slow) = (one_limit(1_000, 1), one_limit(1, 1));
    let twice = |policy: &Policy, tenant: &str, at| {
        for _ in 0..2 {
            charged(&cached, &Charge::for_request(policy, &request(tenant), at));
        }
    };
    for tenant in 0..4 {
        twice(&slow, &format!("slow-{tenant}"), millis(0));
        twice(&fast, &format!("fast-{tenant}"), millis(0));
    }
    // The fast ones have drained.
    for tenant in 4..8 {
        twice(&slow, &format!("slow-{tenant}"), millis(2));
    }
    assert_eq!(cached.stats().forgotten, 0);
    let asked = inner.asked();
    for tenant in 0..8 {
        let tenant = format!("slow-{tenant}");
        let charge = Charge::for_request(&slow, &request(&tenant), millis(3));
        assert!(!admits(&slow, &charged(&cached, &charge)));
    }
    assert_eq!(inner.asked(), asked, "all of them were remembered");
    twice(&slow, "one more", millis(3));
    assert_eq!((cached.stats().forgotten, cached.stats().entries), (1, 8));
}
