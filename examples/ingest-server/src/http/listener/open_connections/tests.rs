//! Against going over all of them.

use std::{net::IpAddr, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::shares::Shares;

#[derive(Debug, Clone)]
enum Step {
    Open(u8),
    Close(usize),
    /// A request comes in whole.
    Serve(usize),
    /// The oldest request of all is answered.
    Answer,
    Wait,
    End(Option<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..3).prop_map(Step::Open),
        1 => any::<usize>().prop_map(Step::Close),
        3 => any::<usize>().prop_map(Step::Serve),
        2 => Just(Step::Answer),
        3 => Just(Step::Wait),
        3 => prop::option::of(0_u8..3).prop_map(Step::End),
    ];
    prop::collection::vec(step, 1..80)
}

fn network(last: u8) -> Option<ClientNetwork> {
    Some(IpAddr::from([192, 0, 2, last]).into())
}

/// The one that has waited longest, found by going over all.
fn longest(open: &OpenConnections, among: Among) -> Option<u64> {
    let is_among = |connection: &Connection| match among {
        Among::All => true,
        Among::Network(network) => connection.network == network,
    };
    let idle = open.connections.iter().filter_map(|(id, connection)| {
        let since = is_among(connection).then(|| connection.idle.unserved_since())??;
        Some((since, *id))
    });
    idle.min().map(|(_, id)| id)
}

async fn run(steps: Vec<Step>) {
    let shares = Shares::new(10_000);
    let mut open = OpenConnections::default();
    let mut known: Vec<(u64, Idle)> = Vec::new();
    let mut served = Vec::new();
    for step in steps {
        match step {
            Step::Open(last) => {
                let share = shares.take(network(last), 1).unwrap();
                let idle = Idle::new();
                known.push((open.add(network(last), idle.clone(), share), idle));
            }
            Step::Close(which) if !known.is_empty() => {
                let (id, _) = known.swap_remove(which % known.len());
                open.remove(id);
            }
            Step::Serve(which) if !known.is_empty() => {
                served.push(known[which % known.len()].1.serve());
            }
            Step::Answer if !served.is_empty() => drop(served.remove(0)),
            Step::Wait => tokio::time::advance(Duration::from_millis(1)).await,
            Step::End(of) => {
                let among = of.map_or(Among::All, |last| Among::Network(network(last)));
                let expected = longest(&open, among);
                let before = open.connections.len();
                let ended = open.remove_longest(among);
                assert_eq!(ended.is_some(), expected.is_some());
                if let Some(expected) = expected {
                    assert!(!open.connections.contains_key(&expected));
                    assert_eq!(open.connections.len(), before - 1);
                    known.retain(|(id, _)| *id != expected);
                }
            }
            _ => {}
        }
        let in_networks: usize = open.by_network.values().map(BTreeSet::len).sum();
        let there = open.connections.len();
        assert_eq!([open.all.len(), in_networks], [there, there]);
    }
}

proptest! {
    #[test]
    fn the_one_that_has_waited_longest_is_found(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(steps));
    }
}

/// One that is ended costs as much as those that had a request since the last look.
#[tokio::test(start_paused = true)]
async fn a_hoard_is_not_gone_over_for_each_connection() {
    let shares = Shares::new(10_000);
    let mut open = OpenConnections::default();
    for _ in 0..1_000 {
        tokio::time::advance(Duration::from_millis(1)).await;
        let share = shares.take(network(1), 1).unwrap();
        open.add(network(1), Idle::new(), share);
    }
    let busy: Vec<_> = open
        .connections
        .values()
        .take(100)
        .map(|it| it.idle.serve())
        .collect();
    let first = open.look(&open.all);
    assert!(first.moved.len() <= busy.len());
    for _ in 0..900 {
        assert!(open.remove_longest(Among::All).is_some());
        assert!(open.look(&open.all).moved.len() <= busy.len());
    }
    assert!(open.remove_longest(Among::Network(network(1))).is_none());
}
