//! What several nodes that lease from one store admit together, in every interval of time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::LIFETIME;
use crate::{
    clock::Timestamp,
    policy::{Limit, Policy, Rate, Rule},
    store::{
        Charge, ChargeOutcome, LeaseStore, Store,
        histories::{
            CATEGORY, Counted, Step, TIER, admits, capacity, charged, histories, policy, request,
        },
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
                    let left = |outcome: &ChargeOutcome| {
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

proptest! {
    /// From the change on by the new numbers, whatever is leased under the old ones.
    #[test]
    fn limits_replaced_meanwhile_hold_from_then_on(
        steps in storms(),
        change in 0..400_usize,
        rate in 50..=900_u32,
        burst in 20..=900_u32,
    ) {
        let (inner, before) = (Counted::new(), fast_limits());
        let after = Limit::new(Rate::tokens_per_second(rate), burst).unwrap();
        let after = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(after)));
        let nodes = nodes(&inner, LIFETIME);
        let change = change.min(steps.len());
        admitted(&steps[..change], &nodes, &before);
        for (_, admissions) in admitted(&steps[change..], &nodes, &after) {
            assert_bound(&admissions, after.limits()[0].limit(), LIFETIME);
        }
    }
}

/// What the adversary does on a node.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// Asks for so many tokens one by one, which makes the node ask for leases as large.
    Spend(u32),
    /// Asks for what can never be admitted, which gives a lease back and takes nothing.
    GiveBack,
    /// Asks again and again for more than there is, which takes nothing and looks like demand.
    Flood,
}

/// Moves on the nodes, each so many tenths of a millisecond after the one before.
fn plots() -> impl Strategy<Value = Vec<(u64, usize, Move)>> {
    let spend = prop_oneof![2 => Just(1), 1 => 8..=140_u32].prop_map(Move::Spend);
    let next = prop_oneof![4 => spend, 1 => Just(Move::GiveBack), 1 => Just(Move::Flood)];
    let pause = prop_oneof![2 => Just(0), 1 => 1..=200_u64, 1 => 180..=199_u64];
    prop::collection::vec((pause, 0..3_usize, next), 1..24)
}

/// Rate · lifetime is a tenth of the burst, so that several leases together can hold more than that.
struct Plot {
    inner: Arc<Counted>,
    nodes: Vec<LeaseStore>,
    policy: Policy,
    now: Timestamp,
    admissions: Vec<(Timestamp, u32)>,
}

impl Plot {
    const LIFETIME: Duration = Duration::from_millis(20);
    const BURST: u32 = 2_000;
    const IN_LIFETIME: u32 = 200;

    fn begin() -> Self {
        let limit = Limit::new(Rate::tokens_per_second(10_000), Self::BURST).unwrap();
        let inner = Counted::new();
        Self {
            nodes: nodes(&inner, Self::LIFETIME),
            inner,
            policy: policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit))),
            now: Timestamp::from_micros(5_000_000),
            admissions: Vec::new(),
        }
    }

    fn pause(&mut self, tenths: u64) {
        self.now = self.now.plus(Duration::from_micros(tenths * 100));
    }

    fn ask(&mut self, store: Option<usize>, cost: u32) -> ChargeOutcome {
        let charge = Charge::for_request(&self.policy, &request("acme"), self.now);
        let charge = charge.with_amounts(0, cost);
        let outcome = match store {
            Some(node) => charged(&self.nodes[node], &charge),
            None => charged(self.inner.as_ref(), &charge),
        };
        if admits(&self.policy, &outcome) {
            self.admissions.push((self.now, cost));
        }
        outcome
    }

    fn make(&mut self, node: usize, next: Move) {
        match next {
            Move::Spend(tokens) => (0..tokens).for_each(|_| {
                self.ask(Some(node), 1);
            }),
            Move::GiveBack => {
                self.ask(Some(node), Self::BURST + 1);
            }
            Move::Flood => (0..9).for_each(|_| {
                let more = self.free() + 1;
                self.ask(Some(node), more.max(Self::BURST / 2));
            }),
        }
    }

    /// Spends all leases, and then all that the store has, at one moment. How much that was.
    fn take_everything(&mut self) -> u32 {
        let before = self.admissions.len();
        for node in 0..self.nodes.len() {
            let held = self.nodes[node].stats().outstanding;
            for _ in 0..held {
                self.ask(Some(node), 1);
            }
        }
        let free = self.free();
        self.ask(None, free);
        self.admissions[before..].iter().map(|(_, cost)| cost).sum()
    }

    fn free(&mut self) -> u32 {
        let peek = self.ask(None, 0);
        peek.status(&self.policy, 0).unwrap().remaining()
    }

    fn assert_bound(&self) {
        let limit = self.policy.limits()[0].limit();
        assert_bound(&self.admissions, limit, Self::LIFETIME);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn an_adversary_who_alternates_nodes_gets_no_more(plot in plots(), pause in 0..=600_u64) {
        let mut state = Plot::begin();
        for (pause, node, next) in plot {
            state.pause(pause);
            state.make(node, next);
        }
        state.pause(pause);
        state.take_everything();
        state.assert_bound();
    }
}

/// Leases that hold more than the rate gives in a lifetime are kept until just before they expire, while
/// the bucket fills: then nearly all of the bound is there at one moment. A moment later it is not.
#[test]
fn the_bound_is_no_larger_than_it_must_be() {
    let most = |pause| {
        let mut plot = Plot::begin();
        for node in 0..3 {
            plot.make(node, Move::Spend(60));
            while plot.nodes[node].stats().outstanding > 0 {
                plot.make(node, Move::Spend(1));
            }
        }
        plot.pause(199);
        (0..3).for_each(|node| plot.make(node, Move::Spend(1)));
        plot.pause(pause);
        let taken = plot.take_everything();
        plot.assert_bound();
        taken
    };
    let bound = Plot::BURST + Plot::IN_LIFETIME;
    assert!(most(199) >= bound - 50, "{} of {bound}", most(199));
    assert!(most(200) <= Plot::BURST, "{}", most(200));
}

/// What was held has drained in part, and would have had nothing to drain, had it not been taken: to give
/// back all of it would lend the bucket more than it has.
#[test]
fn only_what_has_not_drained_is_given_back() {
    let mut plot = Plot::begin();
    for node in 0..3 {
        plot.make(node, Move::Spend(8));
        plot.make(node, Move::Flood);
    }
    plot.make(0, Move::Spend(1));
    plot.pause(149);
    plot.make(1, Move::Spend(1));
    plot.make(2, Move::Spend(1));
    plot.make(0, Move::GiveBack);
    plot.pause(199);
    let held: u64 = plot.nodes.iter().map(|node| node.stats().outstanding).sum();
    assert!(held >= 390, "{held}");
    plot.take_everything();
    plot.assert_bound();
}

proptest! {
    /// While there is room to watch their keys, tenants do not notice each other.
    #[test]
    fn another_tenants_load_changes_no_decision(history in histories(0..30_i64, 1..=3_u32)) {
        let policy = fast_limits();
        let [shared, alone] = [Counted::new(), Counted::new()].map(|inner| nodes(&inner, LIFETIME));
        for step in &history {
            let outcome = charged(&shared[step.node], &step.charge(&policy));
            if step.tenant == "tenant-0" {
                let expected = charged(&alone[step.node], &step.charge(&policy));
                prop_assert_eq!(outcome, expected);
            }
        }
    }
}
