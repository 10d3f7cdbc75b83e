//! What is asked and answered while the primary does not answer.

use super::{
    CATEGORY, Link, Node, Outcome, TIER, answered, capacity, millis, number, one_limit, policy,
    poll, request, rule, seconds,
};
use crate::{
    bucket::Retry,
    name::Category,
    observer::BreakerState,
    policy::Policies,
    request::RateLimitRequest,
    store::{
        Charge, ChargeFuture, Corrections, NodeCount, OnOutage, Source, Store as _, StoreError,
    },
};

/// Has the primary fail until it is not asked any more.
fn open(node: &Node, at: u64) {
    let policy = one_limit(1, 1);
    for call in 0.. {
        let tenant = format!("opens-{call}");
        node.charge(&policy, &request(&tenant).with_cost(0), millis(at));
        if node.store.stats().state == BreakerState::Open {
            return;
        }
        assert!(call < 1_000, "it does not open");
    }
}

#[test]
fn a_healthy_primary_decides() {
    let (node, policy) = (Node::of(4, 0.5), one_limit(1, 10));
    let outcome = node.charge(&policy, &request("acme").with_cost(9), seconds(1));
    assert!(outcome.is_admitted(&policy));
    assert_eq!(outcome.known().source(), Source::Memory);
    assert!(!node.admits(&policy, &request("acme").with_cost(2), seconds(1)));
    assert_eq!(node.primary.asked(), 2);
    let stats = node.store.stats();
    assert_eq!((stats.admitted_tokens, stats.unsettled_buckets), (0, 0));
    assert_eq!(
        (stats.state, stats.open_since),
        (BreakerState::Closed, None)
    );
}

#[test]
fn a_call_that_fails_is_answered_from_memory() {
    let (node, policy) = (Node::of(2, 0.5), one_limit(1, 100));
    node.primary.set(Link::Down);
    let outcome = node.charge(&policy, &request("acme").with_cost(25), seconds(1));
    assert!(
        outcome.is_admitted(&policy),
        "a quarter of 100 is this node's"
    );
    assert_eq!(outcome.known().source(), Source::Fallback);
    assert!(!node.admits(&policy, &request("acme"), seconds(1)));
    assert_eq!(node.primary.asked(), 2);
}

#[test]
fn no_call_waits_for_the_primary_while_it_is_not_asked() {
    let (node, policy) = (Node::of(1, 0.5), one_limit(1, 100));
    node.primary.set(Link::Down);
    open(&node, 1_000);
    node.primary.set(Link::Hangs);
    let asked = node.primary.asked();
    for call in 0..1_000 {
        let tenant = format!("tenant-{call}");
        let request = request(&tenant);
        let charge = Charge::for_request(&policy, &request, millis(1_500));
        let ChargeFuture::Decided(outcome) = node.store.charge(&charge) else {
            panic!("it has to be waited for");
        };
        assert_eq!(outcome.source(), Source::Fallback);
    }
    assert_eq!(node.primary.asked(), asked);

    // After the open time one call is the probe, and hangs; the others do not.
    let (probing, passing) = (request("probe"), request("other"));
    let probe = Charge::for_request(&policy, &probing, seconds(2));
    let mut probe = std::pin::pin!(node.store.charge(&probe));
    assert!(poll(probe.as_mut()).is_none());
    for _ in 0..100 {
        node.charge(&policy, &passing.with_cost(0), seconds(3))
            .known();
    }
    assert_eq!(node.primary.asked(), asked + 1);
}

#[test]
fn a_probe_that_is_given_up_does_not_keep_the_primary_from_being_asked() {
    let (node, policy) = (Node::of(1, 0.5), one_limit(1, 100));
    node.primary.set(Link::Down);
    open(&node, 1_000);
    node.primary.set(Link::Hangs);
    let request = request("acme");
    let charge = Charge::for_request(&policy, &request, seconds(2));
    for _ in 0..3 {
        assert!(poll(node.store.charge(&charge)).is_none(), "a probe");
    }
    node.primary.set(Link::Up);
    assert_eq!(
        answered(node.store.charge(&charge)).unwrap().source(),
        Source::Memory
    );
    assert_eq!(node.store.stats().state, BreakerState::Closed);
}

#[test]
fn each_change_of_state_is_told_once() {
    let (node, policy) = (Node::of(1, 0.5), one_limit(1, 100));
    node.primary.set(Link::Down);
    open(&node, 1_000);
    let stats = node.store.stats();
    assert_eq!(stats.open_since, Some(millis(1_000)));
    assert!((Some(millis(1_750))..=Some(millis(2_000))).contains(&stats.open_until));
    node.admits(&policy, &request("acme"), seconds(2));
    node.primary.set(Link::Up);
    for second in 0..10 {
        node.admits(&policy, &request("acme"), seconds(4 + second));
    }
    let states = node.told.states.lock().unwrap().clone();
    use BreakerState::{Closed, HalfOpen, Open};
    assert_eq!(states, [Open, HalfOpen, Open, HalfOpen, Closed]);
    assert_eq!(node.store.stats().open_since, None);
}

#[test]
fn categories_choose_what_an_outage_does_to_them() {
    let categories = [
        (Category::INGEST, OnOutage::Fallback),
        (Category::READ, OnOutage::FailOpen),
        (Category::ADMIN, OnOutage::FailClosed),
    ];
    let node = Node::new(|builder| {
        categories
            .iter()
            .fold(builder, |builder, (category, then)| {
                builder.on_outage(category.clone(), *then)
            })
    });
    let rules = categories
        .iter()
        .fold(Policies::builder(), |rules, (category, _)| {
            rules.category(TIER, category.clone(), rule(1, 4))
        });
    let policies = rules.build().unwrap();
    node.primary.set(Link::Down);
    for (category, then) in &categories {
        let policy = policies.policy(&TIER, category).unwrap();
        let request = RateLimitRequest::new("acme", &TIER, category);
        let outcomes: Vec<_> = (0..10)
            .map(|_| node.charge(policy, &request, seconds(1)))
            .collect();
        let admitted = outcomes
            .iter()
            .filter(|outcome| outcome.is_admitted(policy))
            .count();
        let failed = outcomes.iter().filter(|outcome| outcome.0.is_err()).count();
        let expected = match then {
            OnOutage::Fallback => (2, 0),
            OnOutage::FailOpen => (10, 0),
            OnOutage::FailClosed => (0, 10),
        };
        assert_eq!((admitted, failed), expected, "{then:?}");
    }
    // What is let through counts later as far as a bucket can hold it: here the whole of it.
    assert_eq!(node.store.stats().unsettled_tokens, 2 + 4);
}

#[test]
fn addresses_without_a_tenant_do_as_all_others() {
    for (then, admitted) in [(OnOutage::Fallback, 2), (OnOutage::FailClosed, 0)] {
        let node = Node::new(|builder| builder.otherwise(then));
        node.primary.set(Link::Down);
        let policies = Policies::builder()
            .client_address(rule(1, 4))
            .build()
            .unwrap();
        let policy = policies.client_address();
        let admits = |_: &u8| {
            let charge = Charge::for_address(policy, [192, 0, 2, 1].into(), seconds(1));
            Outcome(answered(node.store.charge(&charge))).is_admitted(policy)
        };
        assert_eq!((0..10).filter(admits).count(), admitted, "{then:?}");
    }
}

#[test]
fn an_error_of_one_bucket_does_not_keep_the_others_from_the_primary() {
    let (node, policy) = (Node::of(1, 0.5), one_limit(1, 1_000));
    node.primary.set(Link::Malformed);
    for _ in 0..100 {
        assert!(node.admits(&policy, &request("acme"), seconds(1)));
    }
    assert_eq!(node.primary.asked(), 100);
    assert_eq!(node.store.stats().state, BreakerState::Closed);
}

#[test]
fn a_bucket_that_cannot_be_remembered_is_refused() {
    let node = Node::new(|builder| builder.capacity(capacity(4)));
    node.primary.set(Link::Down);
    let policy = one_limit(1, 100);
    for tenant in ["a", "b", "c", "d"] {
        assert!(node.admits(&policy, &request(tenant), seconds(1)));
    }
    let refused = node.charge(&policy, &request("e"), seconds(2));
    assert!(!refused.is_admitted(&policy));
    let status = refused.known().status(&policy, 0);
    assert_eq!(
        status.and_then(|status| status.refusal()),
        Some(Retry::After(std::time::Duration::ZERO))
    );
    assert_eq!(node.store.stats().refused_for_room, 1);
    assert!(
        node.admits(&policy, &request("a"), seconds(2)),
        "it has its room"
    );
    // Of a bucket of 100 tokens at one a second, all would have drained after 100 s.
    assert!(!node.admits(&policy, &request("e"), seconds(101)));
    assert!(node.admits(&policy, &request("e"), millis(101_001)));
    assert_eq!(node.store.stats().unsettled_buckets, 2, "of a and e");
}

#[test]
fn shadow_limits_take_no_room_from_enforced_ones() {
    let node = Node::new(|builder| builder.capacity(capacity(4)));
    node.primary.set(Link::Down);
    let policy = policy(|rules| {
        rules
            .tenant(TIER, rule(1, 100))
            .key(TIER, CATEGORY, rule(1, 100).shadow())
    });
    for key in 0..20 {
        let key = format!("key-{key}");
        assert!(node.admits(&policy, &request("acme").with_key(&key), seconds(1)));
    }
    assert_eq!(node.store.stats().unsettled_buckets, 1 + 4);
}

#[test]
fn what_a_store_in_front_corrects_stays_with_it() {
    let (node, policy) = (Node::of(1, 0.5), one_limit(1, 100));
    node.primary.set(Link::Down);
    let (corrections, request) = (Corrections::none().with(0, 7), request("acme"));
    let charge = Charge::for_request(&policy, &request, seconds(1));
    let failed = answered(node.store.charge(&charge.with_corrections(&corrections)));
    assert!(matches!(failed, Err(StoreError::Unavailable(_))));
}

#[test]
fn a_larger_number_of_nodes_counts_at_once_and_a_smaller_one_when_buckets_have_drained() {
    let count = NodeCount::starting_at(number(2));
    let node = Node::new(|builder| builder.nodes(count.clone()));
    node.primary.set(Link::Down);
    // 100 tokens drain in 10 s.
    let policy = one_limit(10, 100);
    let left = |at| {
        let outcome = node
            .charge(&policy, &request("acme").with_cost(0), at)
            .known();
        outcome.status(&policy, 0).unwrap().remaining()
    };
    assert_eq!(left(seconds(1)), 25);
    count.set(number(5));
    assert_eq!(left(seconds(2)), 10);
    count.set(number(1));
    assert_eq!(left(seconds(3)), 10);
    assert_eq!(left(seconds(12)), 10);
    assert_eq!(left(millis(13_001)), 50);
    for nodes in (1..40).rev() {
        count.set(number(nodes));
        left(seconds(20));
    }
    assert_eq!(left(seconds(20)), 1, "39 nodes");
    assert_eq!(left(seconds(31)), 50);
}

#[test]
fn a_fixed_number_of_nodes_stays() {
    let count = NodeCount::fixed(number(3));
    count.set(number(9));
    assert_eq!(count.current(), number(3));
}

#[test]
fn a_number_of_nodes_never_falls_below_its_minimum() {
    let count = NodeCount::at_least(number(3));
    let clone = count.clone();
    for (set, expected) in [(1, 3), (5, 5), (2, 3)] {
        count.set(number(set));
        assert_eq!(clone.current(), number(expected));
    }
}
