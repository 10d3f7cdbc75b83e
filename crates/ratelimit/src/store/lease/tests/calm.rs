//! What the leases of a node cost a tenant elsewhere.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use super::LIFETIME;
use crate::{
    clock::Timestamp,
    store::{
        Charge, LeaseStore, Store,
        histories::{Counted, Step, admits, capacity, charged, memory, millis, one_limit, request},
    },
};

const RATE: u32 = 500;
const BURST: u32 = 400;
const NODES: usize = 3;

fn nodes(inner: &Arc<Counted>) -> Vec<LeaseStore> {
    let node = |_| {
        LeaseStore::builder(Arc::clone(inner) as Arc<dyn Store>)
            .lifetime(LIFETIME)
            .capacity(capacity(64))
            .build()
    };
    (0..NODES).map(node).collect()
}

/// `burst / 2 + n · min(rate · lifetime, burst / 4)`, with a lease on each node.
fn most_missed() -> u32 {
    let in_lifetime = RATE / 5;
    BURST / 2 + u32::try_from(NODES).unwrap() * in_lifetime.min(BURST / 4)
}

fn storms() -> impl Strategy<Value = Vec<Step>> {
    let charge = (0..NODES, prop_oneof![20 => 1..=2_u32, 1 => 1..=80_u32]);
    let storm = (0..=300_u64, 0..=6_u64, prop::collection::vec(charge, 1..60));
    prop::collection::vec(storm, 1..25).prop_map(|storms| {
        let mut now = Timestamp::from_micros(10_000_000);
        let mut steps = Vec::new();
        for (pause, between, charges) in storms {
            now = now.plus(Duration::from_millis(pause));
            for (node, cost) in charges {
                now = now.plus(Duration::from_millis(between));
                let (tenant, key) = ("acme".to_owned(), String::new());
                steps.push(Step {
                    at: now,
                    node,
                    tenant,
                    key,
                    before: 0,
                    cost,
                });
            }
        }
        steps
    })
}

proptest! {
    #[test]
    fn a_request_that_leaves_enough_free_in_an_exact_store_is_admitted(steps in storms()) {
        let (inner, exact, policy) = (Counted::new(), memory(), one_limit(RATE, BURST));
        let nodes = nodes(&inner);
        for step in &steps {
            let charge = step.charge(&policy);
            let peek = charged(&exact, &charge.with_amounts(0, 0));
            let free = peek.status(&policy, 0).unwrap().remaining();
            let outcome = charged(&nodes[step.node], &charge);
            if admits(&policy, &outcome) {
                // The exact store is told of what the nodes have admitted.
                charged(&exact, &charge);
            } else {
                prop_assert!(free <= step.cost + most_missed(), "{} free, {:?}", free, step);
            }
        }
    }
}

/// Up to nine tenths of its rate, evenly, over all nodes: then the burst is never half used up.
#[test]
fn a_calm_tenant_is_not_refused_once() {
    let (inner, policy) = (Counted::new(), one_limit(RATE, BURST));
    let nodes = nodes(&inner);
    for call in 0..20_000_u64 {
        let at = Timestamp::from_micros(call * 1_000_000 / 450);
        let node = usize::try_from(call % 7 % 3).unwrap();
        let charge = Charge::for_request(&policy, &request("calm"), at);
        assert!(admits(&policy, &charged(&nodes[node], &charge)), "{call}");
    }
    assert!(
        inner.asked() <= 20_000 / 10,
        "asked {} times",
        inner.asked()
    );
}

/// Short storms on all nodes, whose leases mostly expire: with them more is taken than the rate gives, and
/// what is lost that way stops at half of the burst.
#[test]
fn what_leases_lose_never_refuses_a_tenant_below_its_rate() {
    let (inner, policy) = (Counted::new(), one_limit(RATE, BURST));
    let nodes = nodes(&inner);
    let (mut used, mut least_free) = (0, BURST);
    for storm in 0..200 {
        let at = millis(1_000 + storm * 210);
        for node in nodes.iter().cycle().take(26 * NODES) {
            let charge = Charge::for_request(&policy, &request("stormy"), at);
            assert!(admits(&policy, &charged(node, &charge)), "{storm}");
            used += 1;
        }
        let peek = Charge::for_request(&policy, &request("stormy"), at).with_amounts(0, 0);
        let free = charged(inner.as_ref(), &peek)
            .status(&policy, 0)
            .unwrap()
            .remaining();
        least_free = least_free.min(free);
    }
    let expired: u64 = nodes.iter().map(|node| node.stats().expired).sum();
    assert!(
        used + expired > 200 * 105,
        "{used} used and {expired} expired"
    );
    assert!(least_free < BURST - 26 * 3, "{least_free}");
}

/// Tokens that another node holds are missed for a lifetime, and not longer.
#[test]
fn what_another_node_holds_is_missed_for_a_lifetime_at_most() {
    let (inner, policy) = (Counted::new(), one_limit(RATE, BURST));
    let nodes = nodes(&inner);
    let take = |node: usize, cost: u32, at: u64| {
        let charge = Charge::for_request(&policy, &request("acme"), millis(at));
        charged(&nodes[node], &charge.with_amounts(0, cost))
    };
    for _ in 0..60 {
        take(0, 1, 1_000);
    }
    let held = u32::try_from(nodes[0].stats().outstanding).unwrap();
    assert!(held > 0);
    let free = BURST - 60;
    assert!(!admits(&policy, &take(1, free, 1_000)));
    assert!(admits(&policy, &take(1, free - held, 1_000)));
    // What the lease held is back by the time it has expired.
    assert!(admits(&policy, &take(1, held, 1_000 + 200)));
}
