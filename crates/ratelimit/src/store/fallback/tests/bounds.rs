//! The bounds that the documentation of [`FallbackStore`](super::FallbackStore) states.

use std::{collections::HashMap, time::Duration};

use portcullis_breaker::BreakerSettings;
use proptest::prelude::*;

use super::{
    CATEGORY, FallbackStoreBuilder, Fraction, LONGEST_OPEN, Link, Node, NodeCount, Step, TIER,
    histories, limit, memory, number, one_limit, policy, request, seconds, start_plus,
};
use crate::{
    clock::Timestamp,
    policy::{Limit, Policy, Rule},
};

/// Long enough that the keys of these histories are leased.
const LIFETIME: Duration = Duration::from_secs(10);

/// Fourths of a limit that the nodes admit together, so that the sums are exact.
#[derive(Clone, Copy, Debug)]
struct Fourths(u32);

impl Fourths {
    fn fraction(self) -> Fraction {
        Fraction::new(f64::from(self.0) / 4.0).unwrap()
    }
}

/// Nodes on one primary, and limits of a tenant and its keys, one or both with debt.
#[derive(Debug, Clone)]
struct Setup {
    nodes: u32,
    part: Fourths,
    tenant: Limit,
    key: Limit,
    /// Of the leases of each node; zero: they ask the primary itself.
    lifetime: Duration,
}

fn setups() -> impl Strategy<Value = Setup> {
    let debt = || prop_oneof![Just(0), 1..60_u32];
    let numbers = (
        1..=4_u32,
        1..=4_u32,
        1..=30_u32,
        1..=80_u32,
        debt(),
        1..=40_u32,
        debt(),
        prop_oneof![Just(Duration::ZERO), Just(LIFETIME)],
    );
    numbers.prop_map(
        |(nodes, part, rate, burst, debt, key_burst, key_debt, lifetime)| Setup {
            nodes,
            part: Fourths(part),
            tenant: limit(rate, burst).with_debt(debt).unwrap(),
            key: limit(rate, key_burst).with_debt(key_debt).unwrap(),
            lifetime,
        },
    )
}

impl Setup {
    fn policy(&self) -> Policy {
        policy(|rules| {
            rules
                .tenant(TIER, Rule::new(self.tenant))
                .key(TIER, CATEGORY, Rule::new(self.key))
        })
    }

    fn nodes(&self) -> Vec<Node> {
        self.nodes_with(BreakerSettings::default())
    }

    fn nodes_with(&self, breaker: BreakerSettings) -> Vec<Node> {
        let shared = memory();
        let node = |seed| {
            let build = |builder: FallbackStoreBuilder| {
                builder
                    .nodes(NodeCount::fixed(number(self.nodes)))
                    .fraction(self.part.fraction())
                    .breaker(breaker)
                    .seed(seed)
            };
            if self.lifetime.is_zero() {
                Node::on(&shared, build)
            } else {
                Node::leasing_on(&shared, self.lifetime, build).0
            }
        };
        (0..u64::from(self.nodes)).map(node).collect()
    }
}

/// What was admitted of each bucket, and when.
#[derive(Debug, Default)]
struct Admitted {
    by_bucket: HashMap<(bool, String), Vec<(Timestamp, u32)>>,
}

impl Admitted {
    fn run(&mut self, history: &[Step], nodes: &[Node], policy: &Policy) {
        for step in history {
            self.run_step(step, nodes, policy);
        }
    }

    fn run_step(&mut self, step: &Step, nodes: &[Node], policy: &Policy) {
        let node = &nodes[step.node % nodes.len()];
        for cost in step.run(&node.store, policy).into_iter().flatten() {
            let key = format!("{}/{}", step.tenant, step.key);
            for bucket in [(false, step.tenant.clone()), (true, key)] {
                let admissions = self.by_bucket.entry(bucket).or_default();
                admissions.push((step.at, cost));
            }
        }
    }

    /// In each window `W` that begins and ends with an admission, at most
    /// `bursts · (burst + debt) + rates · R · W` fourths were admitted, and `R · lifetime` of leases.
    fn assert_at_most(&self, setup: &Setup, bursts: u32, rates: u32) {
        for ((is_key, bucket), admissions) in &self.by_bucket {
            let limit = if *is_key { &setup.key } else { &setup.tenant };
            let most = u128::from(limit.burst() + limit.debt()) * 1_000_000;
            for (first, (from, _)) in admissions.iter().enumerate() {
                let mut admitted = 0;
                for (to, cost) in &admissions[first..] {
                    admitted += u128::from(*cost);
                    let refilled = to.since(*from).as_micros() * u128::from(limit.rate().tokens());
                    let leased = setup.lifetime.as_micros() * u128::from(limit.rate().tokens());
                    let bound =
                        most * u128::from(bursts) + refilled * u128::from(rates) + leased * 4;
                    assert!(
                        admitted * 1_000_000 * 4 <= bound,
                        "{admitted} of {bucket} from {from:?} to {to:?}"
                    );
                }
            }
        }
    }
}

fn set_all(nodes: &[Node], link: Link) {
    for node in nodes {
        node.primary.set(link);
    }
}

fn end(history: &[Step]) -> Timestamp {
    history
        .last()
        .map_or_else(Timestamp::default, |step| step.at)
}

/// The same steps, from `start` on.
fn moved(history: Vec<Step>, start: Timestamp) -> Vec<Step> {
    let first = history.first().map_or(start, |step| step.at);
    let moved = |step: Step| Step {
        at: start_plus(start, step.at.since(first)),
        ..step
    };
    history.into_iter().map(moved).collect()
}

proptest! {
    /// `f · (B + R · D)`, over all nodes.
    #[test]
    fn an_outage_admits_at_most_its_part_of_burst_and_rate(
        setup in setups(),
        history in histories(seconds(10), 2, 12, 150),
    ) {
        // Without leases, which can only be left from before.
        let setup = Setup { lifetime: Duration::ZERO, ..setup };
        let (nodes, policy) = (setup.nodes(), setup.policy());
        set_all(&nodes, Link::Down);
        let mut admitted = Admitted::default();
        admitted.run(&history, &nodes, &policy);
        admitted.assert_at_most(&setup, setup.part.0, setup.part.0);
    }

    /// `B + R · W + f · B`, for an outage that all nodes see, and settle before more is admitted.
    #[test]
    fn a_settled_outage_admits_at_most_its_part_of_one_more_burst(
        setup in setups(),
        before in histories(seconds(10), 2, 12, 60),
        during in histories(seconds(10), 2, 12, 100),
        after in histories(seconds(10), 2, 12, 60),
        is_deaf in any::<bool>(),
        pause in 0..3_u64,
        opens in any::<bool>(),
    ) {
        let breaker = BreakerSettings::default();
        let breaker = if opens { breaker } else { breaker.opens_at(number(1_000), number(1_000)) };
        let (nodes, policy) = (setup.nodes_with(breaker), setup.policy());
        let mut admitted = Admitted::default();
        admitted.run(&before, &nodes, &policy);

        set_all(&nodes, if is_deaf { Link::Deaf } else { Link::Down });
        let during = moved(during, start_plus(end(&before), Duration::from_secs(pause)));
        admitted.run(&during, &nodes, &policy);

        set_all(&nodes, Link::Up);
        let up = start_plus(end(&during), if opens { LONGEST_OPEN } else { Duration::ZERO });
        for node in &nodes {
            for tenant in ["tenant-0", "tenant-1"] {
                for key in ["key-0", "key-1"] {
                    let peek = request(tenant).with_key(key).with_cost(0);
                    node.charge(&policy, &peek, up).known();
                }
            }
            prop_assert_eq!(node.store.stats().unsettled_tokens, 0);
        }
        admitted.run(&moved(after, up), &nodes, &policy);
        admitted.assert_at_most(&setup, 4 + setup.part.0, 4);
    }

    /// `(1 + f) · (B + R · W)`, whatever fails for whom and for how long.
    #[test]
    fn whatever_fails_admits_at_most_its_part_on_top(
        setup in setups(),
        history in histories(seconds(10), 2, 12, 200),
        links in prop::collection::vec((0..200_usize, 0..4_usize, 0..4_u8), 0..20),
    ) {
        let (nodes, policy) = (setup.nodes(), setup.policy());
        let mut admitted = Admitted::default();
        for (number, step) in history.iter().enumerate() {
            for (when, node, link) in &links {
                if *when == number {
                    let link = [Link::Up, Link::Down, Link::Deaf, Link::Malformed][usize::from(*link)];
                    nodes[node % nodes.len()].primary.set(link);
                }
            }
            admitted.run_step(step, &nodes, &policy);
        }
        admitted.assert_at_most(&setup, 4 + setup.part.0, 4 + setup.part.0);
    }

    /// While nodes leave, what those that stay and those that left admit holds the same bound as ever;
    /// nodes that join late bring a burst of their own, so that here all are there from the start.
    #[test]
    fn nodes_that_leave_do_not_raise_what_an_outage_admits(
        setup in setups(),
        history in histories(seconds(10), 1, 12, 150),
        leave_at in prop::collection::vec(0..150_usize, 0..4),
    ) {
        let setup = Setup { lifetime: Duration::ZERO, ..setup };
        let policy = setup.policy();
        let (shared, count) = (memory(), NodeCount::starting_at(number(setup.nodes)));
        let nodes: Vec<_> = (0..u64::from(setup.nodes))
            .map(|seed| {
                Node::on(&shared, |builder| {
                    let builder = builder.nodes(count.clone()).seed(seed);
                    builder.fraction(setup.part.fraction())
                })
            })
            .collect();
        set_all(&nodes, Link::Down);
        let mut admitted = Admitted::default();
        let mut there = nodes.len();
        for (step_number, step) in history.iter().enumerate() {
            if leave_at.contains(&step_number) && there > 1 {
                there -= 1;
                count.set(number(u32::try_from(there).unwrap()));
                // A heartbeat is noticed with the next request at the latest, which each node has now.
                for node in &nodes[..there] {
                    node.charge(&policy, &request("other").with_cost(0), step.at).known();
                }
            }
            admitted.run_step(step, &nodes[..there], &policy);
        }
        admitted.assert_at_most(&setup, setup.part.0, setup.part.0);
    }
}

#[test]
fn the_burst_of_an_outage_is_split_among_nodes_to_the_token() {
    let setup = Setup {
        nodes: 2,
        part: Fourths(2),
        tenant: limit(10, 100),
        key: limit(10, 1_000),
        lifetime: Duration::ZERO,
    };
    let (nodes, policy) = (setup.nodes(), setup.policy());
    set_all(&nodes, Link::Down);
    let take = |at| -> usize {
        let request = request("acme").with_key("k");
        let of_node = |node: &Node| {
            (0..100)
                .filter(|_| node.admits(&policy, &request, at))
                .count()
        };
        nodes.iter().map(of_node).sum()
    };
    assert_eq!(take(seconds(1)), 50, "f · B");
    assert_eq!(take(seconds(5)), 20, "f · R · 4 s");
    assert_eq!(take(seconds(1_000)), 50);
}

#[test]
fn after_an_outage_in_which_a_burst_came_back_a_part_of_another_is_all_there_is() {
    let setup = Setup {
        nodes: 2,
        part: Fourths(2),
        tenant: limit(1, 100),
        key: limit(1, 1_000),
        lifetime: Duration::ZERO,
    };
    let (nodes, policy) = (setup.nodes(), setup.policy());
    let take = |node: &Node, cost, at| {
        let request = request("acme").with_key("k").with_cost(cost);
        assert!(node.admits(&policy, &request, seconds(at)));
    };
    // The whole burst, and a half of another burst in the fallback at once and of what comes back.
    take(&nodes[0], 100, 1);
    set_all(&nodes, Link::Down);
    for at in [1, 101] {
        take(&nodes[0], 25, at);
        take(&nodes[1], 25, at);
    }
    set_all(&nodes, Link::Up);
    for node in &nodes {
        take(node, 0, 101);
    }
    // B + R · W + f · B are 250, of which 200 were admitted. All that settles is a whole burst.
    let request = request("acme").with_key("k");
    assert!(!nodes[0].admits(&policy, &request, seconds(101)));
    assert!(nodes[1].admits(&policy, &request, seconds(102)));
}

#[test]
fn an_outage_spends_what_leases_have_left_on_top_and_no_more() {
    let (shared, policy) = (memory(), one_limit(10, 1_000));
    let node = |seed| {
        Node::leasing_on(&shared, LIFETIME, |builder| {
            builder.nodes(NodeCount::fixed(number(2))).seed(seed)
        })
    };
    let nodes = [node(1), node(2)];
    let mut held = 0;
    for (node, leases) in &nodes {
        while leases.stats().outstanding < 20 {
            assert!(node.admits(&policy, &request("acme"), seconds(1)));
        }
        held += usize::try_from(leases.stats().outstanding).unwrap();
        node.primary.set(Link::Down);
    }
    // What the rate gives in a lifetime, in each of them.
    assert!((40..=2 * 100).contains(&held), "{held}");
    let mut admitted = 0;
    for (node, _) in &nodes {
        let admits = |_: &u32| node.admits(&policy, &request("acme"), seconds(1));
        admitted += (0..1_000).filter(admits).count();
    }
    assert_eq!(admitted, held + 500, "f · B, and the leases");
}
