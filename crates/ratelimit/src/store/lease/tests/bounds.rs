//! What several nodes that lease from one store admit together, in every interval of time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::LIFETIME;
use crate::{
    clock::Timestamp,
    policy::{Limit, Policy, Rate, Rule},
    store::{
        Charge, LeaseStore, Store,
        histories::{CATEGORY, Counted, Step, TIER, admits, capacity, charged, policy, request},
    },
};

/// Limits fast enough to be leased, one of them with debt, one by key.
fn fast_limits() -> Policy {
    let limit = |rate, burst| Limit::new(Rate::tokens_per_second(rate), burst).unwrap();
    let owing = limit(400, 300).with_debt(60).unwrap();
    policy(|rules| {
        rules
            .tenant(TIER, Rule::new(limit(500, 400)))
            .category(TIER, CATEGORY, Rule::new(owing))
            .key(TIER, CATEGORY, Rule::new(limit(300, 200)))
    })
}

fn nodes(inner: &Arc<Counted>, lifetime: Duration) -> Vec<LeaseStore> {
    let node = |_| {
        LeaseStore::builder(Arc::clone(inner) as Arc<dyn Store>)
            .lifetime(lifetime)
            .capacity(capacity(64))
            .build()
    };
    (0..3).map(node).collect()
}

/// In each interval between two admissions at most burst + debt + rate · (interval + lifetime): what
/// has drained at that rate never leaves more than burst + debt + rate · lifetime.
fn assert_bound(admissions: &[(Timestamp, u32)], limit: &Limit, lifetime: Duration) {
    let period = limit.rate().period().as_micros();
    let come_in = |time: Duration| time.as_micros() * u128::from(limit.rate().tokens());
    let most = u128::from(limit.largest_cost()) * period + come_in(lifetime);
    let (mut volume, mut last) = (0_u128, Timestamp::default());
    for (at, cost) in admissions {
        volume = volume.saturating_sub(come_in(at.since(last))) + u128::from(*cost) * period;
        last = *at;
        assert!(volume <= most, "{volume} > {most} at {at:?}");
    }
}

/// Bursts of charges on changing nodes, with pauses.
fn storms() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..2_u8;
    let cost = prop_oneof![30 => 1..=3_u32, 1 => 1..=60_u32, 1 => 200..=360_u32];
    let charges = (
        0..3_usize,
        key,
        prop_oneof![9 => Just(0), 1 => 1..=2_u32],
        cost,
    );
    let storm = (
        0..=150_u64,
        0..=8_u64,
        prop::collection::vec(charges, 1..40),
    );
    prop::collection::vec(storm, 1..25).prop_map(|storms| {
        let mut now = Timestamp::from_micros(10_000_000);
        let mut steps = Vec::new();
        for (pause, between, charges) in storms {
            now = now.plus(Duration::from_millis(pause));
            for (node, key, before, cost) in charges {
                now = now.plus(Duration::from_millis(between));
                steps.push(Step {
                    at: now,
                    node,
                    tenant: "acme".to_owned(),
                    key: format!("key-{key}"),
                    before,
                    cost,
                });
            }
        }
        steps
    })
}

/// Charges the steps on their nodes, and gives what each bucket has admitted.
fn admitted(
    steps: &[Step],
    nodes: &[LeaseStore],
    policy: &Policy,
) -> HashMap<(usize, String), Vec<(Timestamp, u32)>> {
    let mut of_bucket: HashMap<_, Vec<_>> = HashMap::new();
    for step in steps {
        let outcome = charged(&nodes[step.node], &step.charge(policy));
        if admits(policy, &outcome) {
            let keys = [String::new(), String::new(), step.key.clone()];
            for bucket in keys.into_iter().enumerate() {
                of_bucket
                    .entry(bucket)
                    .or_default()
                    .push((step.at, step.cost));
            }
        }
    }
    of_bucket
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_limit_admits_at_most_burst_and_rate_and_a_lifetime_in_every_interval(
        steps in storms(),
        millis in 20..=400_u64,
    ) {
        let (inner, policy) = (Counted::new(), fast_limits());
        let lifetime = Duration::from_millis(millis);
        let nodes = nodes(&inner, lifetime);
        for ((position, _), admissions) in admitted(&steps, &nodes, &policy) {
            assert_bound(&admissions, policy.limits()[position].limit(), lifetime);
        }
        for node in nodes {
            let stats = node.stats();
            prop_assert_eq!(
                stats.fetched,
                stats.spent + stats.outstanding + stats.expired + stats.returned
            );
        }
    }

    /// Nodes that see only what is admitted go on like those that see everything, but for what
    /// refused requests say about the demand.
    #[test]
    fn a_refusal_takes_nothing_from_the_store(steps in storms()) {
        let (inner, policy) = (Counted::new(), fast_limits());
        let nodes = nodes(&inner, LIFETIME);
        for step in &steps {
            let peek = step.charge(&policy).with_amounts(0, 0);
            let before = charged(inner.as_ref(), &peek);
            let held = nodes[step.node].stats().outstanding;
            let outcome = charged(&nodes[step.node], &step.charge(&policy));
            if !admits(&policy, &outcome) {
                let after = charged(inner.as_ref(), &peek);
                for (position, limit) in policy.limits().iter().enumerate() {
                    let left = |outcome: &crate::store::ChargeOutcome| {
                        outcome.status(&policy, position).unwrap().remaining()
                    };
                    // What it gave back for it, and nothing less.
                    prop_assert!(left(&after) >= left(&before), "{}", limit.name());
                    let gave_back = u64::from(left(&after) - left(&before));
                    prop_assert!(gave_back <= held);
                }
            }
        }
    }
}

/// Takes a lease on one node, lets it grow old, and asks on the others meanwhile.
#[test]
fn an_adversary_who_alternates_nodes_gets_no_more() {
    let limit = Limit::new(Rate::tokens_per_second(1_000), 400).unwrap();
    let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
    for hold in (0..200).step_by(7) {
        let inner = Counted::new();
        let nodes = nodes(&inner, LIFETIME);
        let mut admissions = Vec::new();
        let mut ask = |node: usize, cost: u32, millis: u64| {
            let at = Timestamp::from_micros(millis * 1_000);
            let charge = Charge::for_request(&policy, &request("acme"), at).with_amounts(0, cost);
            let is_admitted = admits(&policy, &charged(&nodes[node], &charge));
            if is_admitted {
                admissions.push((at, cost));
            }
            is_admitted
        };
        let mut now = 5_000;
        for round in 0..40_u64 {
            // Each node in turn takes what it can hold, without spending it.
            for node in 0..3 {
                (0..12).for_each(|_| {
                    ask(node, 1, now);
                });
            }
            now += hold;
            // Then everything at once, with costs that make it give leases back.
            for node in 0..3 {
                ask(node, 40 + u32::try_from(round).unwrap(), now);
                while ask(node, 1, now) {}
            }
            now += 400 - hold;
        }
        assert_bound(&admissions, &limit, LIFETIME);
    }
}
