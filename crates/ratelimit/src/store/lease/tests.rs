//! The bounds of leases.

mod bounds;
mod calm;
mod flights;
mod threads;

use std::{sync::Arc, time::Duration};

use super::LeaseStore;
use crate::{
    clock::Timestamp,
    conformance,
    policy::{Limit, Policy, Rate, Rule},
    store::{
        Answer, Charge, ChargeOutcome, Corrections, DenialCache, Source, Store,
        histories::{
            CATEGORY, Counted, TIER, admits, answered, capacity, charged, memory, millis,
            one_limit, policy, request, rule,
        },
    },
};

const LIFETIME: Duration = Duration::from_millis(200);

fn leasing(inner: &Arc<Counted>) -> LeaseStore {
    let inner = Arc::clone(inner) as Arc<dyn Store>;
    LeaseStore::builder(inner).capacity(capacity(100)).build()
}

fn single(policy: &Policy, cost: u32, at: Timestamp) -> Charge<'_> {
    Charge::for_request(policy, &request("acme"), at).with_amounts(0, cost)
}

/// Asks for one token so often that the key is hot and the next charge fetches a lease.
fn warm_up(store: &dyn Store, policy: &Policy, at: Timestamp) {
    for _ in 0..20 {
        assert!(admits(policy, &charged(store, &single(policy, 1, at))));
    }
}

/// A thousand tokens a second: leases of up to 200.
fn thousand() -> Policy {
    one_limit(1_000, 1_000)
}

fn remaining(policy: &Policy, outcome: &ChargeOutcome) -> u32 {
    outcome.status(policy, 0).unwrap().remaining()
}

#[tokio::test]
async fn a_lease_store_conforms() {
    let make = async || {
        let inner: Arc<dyn Store> = Arc::new(memory());
        Arc::new(LeaseStore::builder(inner).build()) as Arc<dyn Store>
    };
    conformance::store(make, async |_| {}).await;
}

#[tokio::test]
async fn a_lease_store_before_a_denial_cache_conforms() {
    let make = async || {
        let denials = DenialCache::new(Arc::new(memory()), capacity(100));
        Arc::new(LeaseStore::builder(Arc::new(denials)).build()) as Arc<dyn Store>
    };
    conformance::store(make, async |_| {}).await;
}

#[test]
fn a_hot_key_asks_once_for_many_requests_and_tells_what_the_store_would() {
    let (inner, plain, policy) = (Counted::new(), memory(), thousand());
    let store = leasing(&inner);
    let mut sources = Vec::new();
    for call in 0..400 {
        // One in a millisecond, as many as come back.
        let charge = single(&policy, 1, millis(call));
        let outcome = charged(&store, &charge);
        sources.push(outcome.source());
        let expected = charged(&plain, &charge);
        assert_eq!(
            remaining(&policy, &outcome),
            remaining(&policy, &expected),
            "{call}"
        );
        assert_eq!(outcome.answer(0), Answer::HasRoom);
    }
    assert_eq!(
        sources[..8],
        [Source::Memory; 8],
        "cold keys go straight through"
    );
    let stats = store.stats();
    assert_eq!(
        stats.fetched,
        stats.spent + stats.outstanding + stats.expired + stats.returned
    );
    assert_eq!(stats.local + inner.asked(), 400);
    assert!(
        inner.asked() <= 20,
        "{stats:?}, asked {} times",
        inner.asked()
    );
}

#[test]
fn a_lease_is_not_spent_after_its_lifetime() {
    let (inner, policy) = (Counted::new(), thousand());
    let store = leasing(&inner);
    warm_up(&store, &policy, millis(0));
    let outstanding = store.stats().outstanding;
    assert!(outstanding > 1);
    let last = charged(&store, &single(&policy, 1, millis(199)));
    assert_eq!(last.source(), Source::Lease);
    let after = charged(&store, &single(&policy, 1, millis(200)));
    assert_eq!(after.source(), Source::Memory);
    assert_eq!(store.stats().expired, outstanding - 1);
}

#[test]
fn a_clock_that_steps_back_spends_no_lease_and_makes_none_larger() {
    let (inner, policy) = (Counted::new(), thousand());
    let store = leasing(&inner);
    warm_up(&store, &policy, millis(10_000));
    assert!(store.stats().outstanding > 0);
    let outcome = charged(&store, &single(&policy, 1, millis(9_799)));
    assert_eq!(outcome.source(), Source::Memory);
    // Not hot by what was asked for in the time to come: seven more ask for themselves.
    for _ in 0..7 {
        let outcome = charged(&store, &single(&policy, 1, millis(9_799)));
        assert_eq!(outcome.source(), Source::Memory);
    }
    // A little is nothing but a charge that was overtaken.
    warm_up(&store, &policy, millis(9_799));
    assert!(store.stats().fetched > 0);
    let local = store.stats().local;
    charged(&store, &single(&policy, 1, millis(9_798)));
    assert_eq!(store.stats().local, local + 1);
}

#[test]
fn a_key_takes_the_memory_that_is_documented() {
    use super::{hot::Hot, shard::Watched};
    use crate::store::fingerprint::Fingerprint;
    assert!(size_of::<Option<(Fingerprint, Watched)>>() <= 64);
    assert!(size_of::<Hot>() <= 200);
}

#[test]
fn requests_without_a_limit_are_passed_on() {
    let (inner, policy) = (
        Counted::new(),
        policy(|rules| rules.key(TIER, CATEGORY, rule(1, 1))),
    );
    let store = leasing(&inner);
    for _ in 0..40 {
        assert!(admits(
            &policy,
            &charged(&store, &single(&policy, 1, millis(0)))
        ));
    }
    assert_eq!((inner.asked(), store.stats().fetched), (40, 0));
}

#[test]
fn leases_that_nobody_asks_for_again_are_not_outstanding_for_ever() {
    let (inner, policy) = (Counted::new(), thousand());
    let store = leasing(&inner);
    warm_up(&store, &policy, millis(0));
    assert_eq!(store.stats().leases, 1);
    let other = Charge::for_request(&policy, &request("other"), millis(200));
    charged(&store, &other);
    assert_eq!((store.stats().leases, store.stats().outstanding), (0, 0));
}

#[test]
fn a_lease_holds_what_was_asked_for_and_no_more_than_the_rate_gives_in_its_lifetime() {
    for (rate, calls, most) in [
        (1_000, 2_000, 200),
        (1_000, 50, 50),
        (100, 2_000, 20),
        (9, 500, 0),
    ] {
        let (inner, policy) = (Counted::new(), one_limit(rate, 10_000));
        let store = leasing(&inner);
        let mut largest = 0;
        for _ in 0..calls {
            charged(&store, &single(&policy, 1, millis(0)));
            largest = largest.max(store.stats().outstanding);
        }
        assert!(
            largest <= most && largest >= most / 2,
            "{largest} of {most}"
        );
    }
}

#[test]
fn below_half_of_the_burst_every_request_asks() {
    let (inner, policy) = (Counted::new(), thousand());
    let store = leasing(&inner);
    charged(&store, &single(&policy, 520, millis(0)));
    let asked = inner.asked();
    for left in (0..480).rev() {
        let outcome = charged(&store, &single(&policy, 1, millis(0)));
        assert_eq!(
            (outcome.source(), remaining(&policy, &outcome)),
            (Source::Memory, left)
        );
    }
    assert_eq!(inner.asked() - asked, 480);
    assert!(!admits(
        &policy,
        &charged(&store, &single(&policy, 1, millis(0)))
    ));
    assert_eq!(store.stats().fetched, 0);
}

#[test]
fn what_a_lease_does_not_suffice_for_gives_it_back_in_the_same_round_trip() {
    let (inner, policy) = (Counted::new(), thousand());
    let store = leasing(&inner);
    for _ in 0..300 {
        if store.stats().outstanding < 90 {
            charged(&store, &single(&policy, 1, millis(0)));
        }
    }
    let (held, asked) = (store.stats().outstanding, inner.asked());
    assert!(held >= 90, "{held}");
    let cost = u32::try_from(held).unwrap() + 1;
    let outcome = charged(&store, &single(&policy, cost, millis(20)));
    assert_eq!(inner.asked(), asked + 1);
    assert!(admits(&policy, &outcome));
    // Of what was held, 20 ms have drained, and 50 ms might until it arrives; none of it beyond.
    let stats = store.stats();
    assert_eq!(stats.returned, held.saturating_sub(71));
}

#[test]
fn debt_and_peeks_and_corrections_are_always_asked_for() {
    let policy = policy(|rules| {
        let limit = Limit::new(Rate::tokens_per_second(1_000), 1_000);
        let limit = limit.unwrap().with_debt(500).unwrap();
        rules.category(TIER, CATEGORY, Rule::new(limit))
    });
    let (inner, plain) = (Counted::new(), memory());
    let store = leasing(&inner);
    warm_up(&store, &policy, millis(0));
    assert!(store.stats().outstanding > 0);
    // The first is the rest of a request that needs debt as a whole, and less than a lease holds.
    assert!(store.stats().outstanding >= 5);
    for (before, cost) in [(998, 5), (0, 0), (0, 1_001)] {
        let asked = inner.asked();
        let charge = single(&policy, cost, millis(1)).with_amounts(before, cost);
        charged(&store, &charge);
        assert_eq!(inner.asked(), asked + 1);
    }
    let corrections = Corrections::none().with(0, 1);
    let asked = inner.asked();
    let charge = single(&policy, 1, millis(1));
    answered(store.charge(&charge.with_corrections(&corrections)));
    assert_eq!(inner.asked(), asked + 1);
    // With nothing in use but what a lease holds, debt passes once that has drained.
    let store = leasing(&inner);
    warm_up(&store, &policy, millis(5_000));
    for call in 0..20 {
        charged(&plain, &single(&policy, 1, millis(5_000 + call / 20)));
    }
    let mut at = 5_020;
    assert!(admits(
        &policy,
        &charged(&plain, &single(&policy, 1_500, millis(at)))
    ));
    while !admits(
        &policy,
        &charged(&store, &single(&policy, 1_500, millis(at))),
    ) {
        at += 1;
    }
    assert!(at <= 5_020 + 200, "{at}");
}

#[test]
fn a_limit_with_other_numbers_does_not_spend_the_leases_of_the_old_one() {
    let (inner, wide) = (Counted::new(), thousand());
    let store = leasing(&inner);
    warm_up(&store, &wide, millis(0));
    assert!(store.stats().outstanding > 0);
    for narrow in [one_limit(1_000, 2), one_limit(1, 1_000)] {
        let outcome = charged(&store, &single(&narrow, 1, millis(1)));
        assert_eq!(outcome.source(), Source::Memory);
    }
}

#[test]
fn a_shadow_limit_tells_the_truth_about_the_cost_alone() {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, rule(1_000, 1_000))
            .category(TIER, CATEGORY, rule(1_000, 100).shadow())
    });
    let (inner, plain) = (Counted::new(), memory());
    let (store, other) = (leasing(&inner), leasing(&inner));
    let both = |store: &dyn Store, cost, at| {
        let charge = single(&policy, cost, at);
        (charged(store, &charge), charged(&plain, &charge))
    };
    let mut used = 0;
    while used < 10 || store.stats().outstanding > 0 {
        both(&store, 1, millis(0));
        used += 1;
    }
    // Behind the back of the first, whose last answer says that the shadow has room for a lease.
    both(&other, 90 - used, millis(0));
    let fetches = store.stats().fetched;
    for call in 0..40 {
        let (outcome, exact) = both(&store, 1, millis(0));
        assert!(admits(&policy, &outcome));
        assert_eq!(
            outcome.status(&policy, 1),
            exact.status(&policy, 1),
            "{call}"
        );
        assert_eq!(outcome.answer(1) == Answer::Refuses, call >= 10);
    }
    assert!(
        store.stats().fetched > fetches,
        "it asked for more than the shadow had"
    );
    assert_eq!(store.stats().outstanding, 0);
}

#[test]
fn keys_beyond_the_capacity_go_straight_through_and_leases_stay() {
    let (inner, policy) = (Counted::new(), thousand());
    let store = LeaseStore::builder(Arc::clone(&inner) as _)
        .capacity(capacity(8))
        .build();
    let hot = |tenant: &str| {
        for _ in 0..20 {
            charged(
                &store,
                &Charge::for_request(&policy, &request(tenant), millis(1)),
            );
        }
    };
    for tenant in 0..20 {
        hot(&tenant.to_string());
    }
    assert_eq!((store.stats().leases, store.stats().expired), (8, 0));
    // Once they have expired, there is room for others.
    for tenant in 20..40 {
        for _ in 0..20 {
            let tenant = tenant.to_string();
            charged(
                &store,
                &Charge::for_request(&policy, &request(&tenant), millis(500)),
            );
        }
    }
    let stats = store.stats();
    assert_eq!(stats.leases, 8);
    assert_eq!(
        stats.fetched,
        stats.spent + stats.outstanding + stats.expired + stats.returned
    );
}
