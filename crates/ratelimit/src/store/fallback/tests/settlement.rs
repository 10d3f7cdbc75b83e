//! What was admitted in place of the primary, and how the primary is told.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::{
    CATEGORY, LONGEST_OPEN, Link, Node, TIER, histories, millis, one_limit, policy, poll, request,
    rule, seconds,
};
use crate::{
    clock::Timestamp,
    policy::{Limit, Policy, Rate, Rule},
    store::{Charge, Store as _},
};

/// The tokens in use of the primary's buckets of a tenant.
fn used(node: &Node, policy: &Policy, at: Timestamp) -> Vec<u32> {
    let request = request("acme").with_key("k").with_cost(0);
    let charge = Charge::for_request(policy, &request, at);
    let outcome = node.primary.shared.decide(&charge);
    let limits = policy.limits().iter().enumerate();
    let used = limits.map(|(position, limit)| {
        let status = outcome.status(policy, position).expect("it applies");
        limit.limit().burst() - status.remaining()
    });
    used.collect()
}

fn three_limits() -> Policy {
    policy(|rules| {
        rules
            .tenant(TIER, rule(1, 1_000))
            .category(TIER, CATEGORY, rule(1, 900))
            .key(TIER, CATEGORY, rule(1, 800).shadow())
    })
}

#[test]
fn the_first_call_tells_the_primary_in_one_round_trip() {
    let (node, policy) = (Node::of(1, 0.5), three_limits());
    let request = request("acme").with_key("k");
    node.primary.set(Link::Down);
    for _ in 0..7 {
        assert!(node.admits(&policy, &request, seconds(1)));
    }
    let stats = node.store.stats();
    assert_eq!((stats.unsettled_buckets, stats.unsettled_tokens), (3, 21));
    assert_eq!(stats.admitted_tokens, 21);

    node.primary.set(Link::Up);
    let asked = node.primary.asked();
    assert!(node.admits(&policy, &request, seconds(1)));
    assert_eq!(node.primary.asked(), asked + 1);
    assert_eq!(used(&node, &policy, seconds(1)), [8, 8, 8]);
    assert!(node.admits(&policy, &request, seconds(1)));
    assert_eq!(used(&node, &policy, seconds(1)), [9, 9, 9], "told once");

    let stats = node.store.stats();
    assert_eq!((stats.unsettled_buckets, stats.unsettled_tokens), (0, 0));
    assert_eq!(stats.settled_tokens, 21);
    assert_eq!(*node.told.settled.lock().unwrap(), [21]);
}

#[test]
fn a_refused_call_and_a_peek_tell_it_too() {
    for cost in [0, 2_000] {
        let (node, policy) = (Node::of(1, 0.5), three_limits());
        let request = request("acme").with_key("k");
        node.primary.set(Link::Down);
        assert!(node.admits(&policy, &request.with_cost(5), seconds(1)));
        node.primary.set(Link::Up);
        node.charge(&policy, &request.with_cost(cost), seconds(1))
            .known();
        assert_eq!(used(&node, &policy, seconds(1)), [5, 5, 5]);
        assert_eq!(node.store.stats().unsettled_buckets, 0);
    }
}

#[test]
fn a_call_that_fails_keeps_what_was_to_be_told() {
    let (node, policy) = (Node::of(1, 0.5), three_limits());
    let request = request("acme").with_key("k");
    node.primary.set(Link::Down);
    assert!(node.admits(&policy, &request.with_cost(5), seconds(1)));
    assert!(node.admits(&policy, &request.with_cost(6), seconds(1)));
    assert_eq!(node.store.stats().unsettled_tokens, 33);
    node.primary.set(Link::Up);
    node.charge(&policy, &request.with_cost(0), seconds(1))
        .known();
    assert_eq!(used(&node, &policy, seconds(1)), [11, 11, 11]);
}

#[test]
fn a_call_that_is_given_up_keeps_what_was_to_be_told() {
    let (node, policy) = (Node::of(1, 0.5), three_limits());
    let request = request("acme").with_key("k");
    node.primary.set(Link::Down);
    assert!(node.admits(&policy, &request.with_cost(5), seconds(1)));
    node.primary.set(Link::Hangs);
    let charge = Charge::for_request(&policy, &request, seconds(1));
    let mut under_way = Box::pin(node.store.charge(&charge));
    assert!(poll(under_way.as_mut()).is_none());
    // Another call does not tell it twice, and does not wait.
    node.primary.set(Link::Up);
    let before = used(&node, &policy, seconds(1));
    node.charge(&policy, &request.with_cost(0), seconds(1))
        .known();
    assert_eq!(used(&node, &policy, seconds(1)), before);
    assert_eq!(node.store.stats().unsettled_tokens, 15);
    // What is admitted while it is under way is kept beside it.
    node.primary.set(Link::Down);
    assert!(node.admits(&policy, &request.with_cost(2), seconds(1)));
    drop(under_way);
    assert_eq!(node.store.stats().unsettled_tokens, 21);
    node.primary.set(Link::Up);
    node.charge(&policy, &request.with_cost(0), seconds(1))
        .known();
    assert_eq!(node.store.stats().unsettled_tokens, 0);
}

#[test]
fn what_would_have_drained_is_not_told() {
    let (node, policy) = (Node::of(1, 0.5), one_limit(1, 100));
    node.primary.set(Link::Down);
    assert!(node.admits(&policy, &request("acme").with_cost(50), seconds(1)));
    node.primary.set(Link::Up);
    let request = request("acme").with_cost(0);
    node.charge(&policy, &request, millis(101_001)).known();
    assert_eq!(node.store.stats().unsettled_buckets, 0);
    assert_eq!(node.store.stats().settled_tokens, 0);
}

#[test]
fn threads_admit_exactly_their_part_and_tell_it_once() {
    let (node, policy) = (Node::of(2, 0.5), three_limits());
    let request = request("acme").with_key("k");
    let all = |cost, at| -> usize {
        let admits = |_: &usize| node.admits(&policy, &request.with_cost(cost), at);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..100).filter(admits).count()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        })
    };
    node.primary.set(Link::Down);
    assert_eq!(all(1, seconds(1)), 225, "a quarter of 900");
    // Of the shadow limit's 800 a quarter is 200.
    assert_eq!(node.store.stats().unsettled_tokens, 225 + 225 + 200);
    node.primary.set(Link::Up);
    all(0, seconds(3));
    let stats = node.store.stats();
    assert_eq!((stats.unsettled_buckets, stats.settled_tokens), (0, 650));
    assert_eq!(used(&node, &policy, seconds(3)), [225, 225, 200]);
}

proptest! {
    /// The primary then holds all that was admitted, or as much as it can: never less.
    #[test]
    fn nothing_that_was_admitted_is_missing(
        history in histories(seconds(10), 1, 9, 80),
        links in prop::collection::vec(0..4_u8, 80),
        burst in 1..300_u32,
        debt in 0..100_u32,
    ) {
        // No token comes back while this runs.
        let hourly = Rate::tokens_per_hour(1);
        let limit = Limit::new(hourly, burst).unwrap().with_debt(debt).unwrap();
        let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        let node = Node::of(1, 1.0);
        let mut admitted = 0;
        for (step, link) in history.iter().zip(links) {
            let links = [Link::Up, Link::Down, Link::Deaf, Link::Malformed];
            node.primary.set(links[usize::from(link)]);
            let taken = step.run(&node.store, &policy);
            admitted += taken.into_iter().flatten().map(u64::from).sum::<u64>();
        }
        node.primary.set(Link::Up);
        let last = history.last().unwrap().at;
        let wait = u64::try_from(LONGEST_OPEN.as_micros()).unwrap();
        let later = Timestamp::from_micros(last.as_micros() + wait);
        let peek = request("tenant-0").with_cost(0);
        node.charge(&policy, &peek, later).known();
        prop_assert_eq!(node.store.stats().unsettled_buckets, 0);
        // A request of all that may be left, and one token more.
        let most = u64::from(burst + debt);
        let charge = Charge::for_request(&policy, &peek, later);
        let outcome = node.primary.shared.decide(&charge);
        let target = charge.targets().next().unwrap();
        let bucket = outcome.bucket(&target).unwrap();
        prop_assert!(bucket.used_at(later) >= admitted.min(most), "{bucket:?} after {admitted}");
    }

    /// Entries that nobody asks for do not fill the ledger.
    #[test]
    fn old_outages_leave_no_entries_in_the_way(outages in 1..6_u64, buckets in 1..40_usize) {
        let node = Node::new(|builder| builder.capacity(NonZeroUsize::new(40).unwrap()));
        node.primary.set(Link::Down);
        let policy = one_limit(10, 100);
        for outage in 0..outages {
            for bucket in 0..buckets {
                let tenant = format!("{outage}-{bucket}");
                let at = seconds(1 + outage * 11);
                prop_assert!(node.admits(&policy, &request(&tenant), at));
            }
        }
        prop_assert!(node.store.stats().unsettled_buckets <= 40);
    }
}

#[test]
fn what_has_drained_is_forgotten_though_its_tenants_never_come_again() {
    let (node, policy) = (Node::of(1, 0.5), three_limits());
    node.primary.set(Link::Down);
    for tenant in 0..50 {
        let tenant = format!("tenant-{tenant}");
        assert!(node.admits(&policy, &request(&tenant).with_key("k"), seconds(1)));
    }
    assert_eq!(node.store.stats().unsettled_buckets, 150);
    node.primary.set(Link::Up);
    // One of them is still there, for a while: the slowest of its buckets drains in 1,000 s.
    for call in 0..40 {
        node.charge(&policy, &request("other"), seconds(1_000 + call / 40));
    }
    assert!(node.store.stats().unsettled_buckets >= 50);
    for _ in 0..40 {
        node.charge(&policy, &request("other"), seconds(1_002));
    }
    let stats = node.store.stats();
    assert_eq!((stats.unsettled_buckets, stats.unsettled_tokens), (0, 0));
    // The next outage is remembered as the first was.
    node.primary.set(Link::Down);
    assert!(node.admits(&policy, &request("acme").with_key("k"), seconds(1_003)));
    assert_eq!(node.store.stats().unsettled_buckets, 3);
}
