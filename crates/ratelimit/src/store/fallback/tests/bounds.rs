//! The bounds that the documentation of [`FallbackStore`](super::FallbackStore) states.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;

use super::{
    CATEGORY, Fraction, LONGEST_OPEN, Link, Node, NodeCount, Step, TIER, histories, limit, memory,
    number, policy, request, seconds, start_plus,
};
use crate::{
    clock::Timestamp,
    policy::{Limit, Policy, Rule},
};

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
    );
    numbers.prop_map(
        |(nodes, part, rate, burst, debt, key_burst, key_debt)| Setup {
            nodes,
            part: Fourths(part),
            tenant: limit(rate, burst).with_debt(debt).unwrap(),
            key: limit(rate, key_burst).with_debt(key_debt).unwrap(),
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
        let shared = memory();
        let node = |seed| {
            Node::on(&shared, |builder| {
                builder
                    .nodes(NodeCount::fixed(number(self.nodes)))
                    .fraction(self.part.fraction())
                    .seed(seed)
            })
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
    /// `bursts · (burst + debt) + rates · R · W` fourths were admitted.
    fn assert_at_most(&self, setup: &Setup, bursts: u32, rates: u32) {
        for ((is_key, bucket), admissions) in &self.by_bucket {
            let limit = if *is_key { &setup.key } else { &setup.tenant };
            let most = u128::from(limit.burst() + limit.debt()) * 1_000_000;
            for (first, (from, _)) in admissions.iter().enumerate() {
                let mut admitted = 0;
                for (to, cost) in &admissions[first..] {
                    admitted += u128::from(*cost);
                    let refilled = to.since(*from).as_micros() * u128::from(limit.rate().tokens());
                    let bound = most * u128::from(bursts) + refilled * u128::from(rates);
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
    ) {
        let (nodes, policy) = (setup.nodes(), setup.policy());
        let mut admitted = Admitted::default();
        admitted.run(&before, &nodes, &policy);

        set_all(&nodes, if is_deaf { Link::Deaf } else { Link::Down });
        let during = moved(during, start_plus(end(&before), Duration::from_secs(pause)));
        admitted.run(&during, &nodes, &policy);

        set_all(&nodes, Link::Up);
        let up = start_plus(end(&during), LONGEST_OPEN);
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
