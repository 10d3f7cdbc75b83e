//! What the statuses of a fallback say, in tokens of requests.

use std::time::Duration;

use proptest::prelude::*;

use super::{CATEGORY, Link, Node, TIER, limit, one_limit, policy, request, seconds};
use crate::{
    bucket::Retry,
    clock::Timestamp,
    policy::{Policy, Rule},
    store::LimitStatus,
};

fn cut_off(nodes: u32, part: f64) -> Node {
    let node = Node::of(nodes, part);
    node.primary.set(Link::Down);
    node
}

fn with_status<T>(
    node: &Node,
    policy: &Policy,
    cost: u32,
    at: Timestamp,
    seen: impl Fn(&LimitStatus<'_>) -> T,
) -> T {
    let outcome = node
        .charge(policy, &request("acme").with_cost(cost), at)
        .known();
    seen(&outcome.status(policy, 0).expect("it applies"))
}

#[test]
fn a_status_is_told_in_tokens_of_requests() {
    // Each token counts four: 25 of 100, 2.5 a second.
    let (node, policy) = (cut_off(2, 0.5), one_limit(10, 100));
    let seen = |cost| {
        with_status(&node, &policy, cost, seconds(1), |status| {
            let (near, affordable) = (status.is_near(), status.affordable(0));
            (status.remaining(), status.next_token(), near, affordable)
        })
    };
    let wait = Some(Duration::from_millis(400));
    assert_eq!(seen(0), (25, None, false, 25));
    assert_eq!(seen(22), (3, wait, false, 3));
    assert_eq!(seen(1), (2, wait, true, 2));
    assert_eq!(seen(2), (0, wait, true, 0));
    let refused = with_status(&node, &policy, 5, seconds(1), |status| status.refusal());
    assert_eq!(refused, Some(Retry::After(Duration::from_secs(2))));
    let never = with_status(&node, &policy, 26, seconds(1), |status| status.refusal());
    assert_eq!(never, Some(Retry::NeverSatisfiable));
}

#[test]
fn a_burst_that_is_no_multiple_of_the_weight_is_full_with_what_fits() {
    // Each token counts four, and of ten two fit.
    let (node, policy) = (cut_off(2, 0.5), one_limit(10, 10));
    let seen = |cost, at| {
        with_status(&node, &policy, cost, at, |status| {
            (status.remaining(), status.next_token())
        })
    };
    assert_eq!(seen(0, seconds(1)), (2, None));
    assert_eq!(seen(1, seconds(1)), (1, Some(Duration::from_millis(200))));
    assert_eq!(seen(1, seconds(1)), (0, Some(Duration::from_millis(200))));
}

#[test]
fn a_cost_that_cannot_be_counted_is_refused() {
    let (node, policy) = (cut_off(3, 0.5), one_limit(1, 4_000_000_000));
    let refusal = with_status(&node, &policy, 1_000_000_000, seconds(1), |status| {
        status.refusal()
    });
    assert_eq!(refusal, Some(Retry::NeverSatisfiable));
    assert_eq!(node.store.stats().unsettled_buckets, 0);
}

#[test]
fn debt_is_reduced_as_the_burst_is() {
    let limit = limit(10, 20).with_debt(80).unwrap();
    let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
    let node = cut_off(2, 0.5);
    let affordable = with_status(&node, &policy, 0, seconds(1), |status| status.affordable(0));
    assert_eq!(affordable, 25);
    assert!(!node.admits(&policy, &request("acme").with_cost(26), seconds(1)));
    assert!(node.admits(&policy, &request("acme").with_cost(25), seconds(1)));
    // 100 of 20 are used, four are wanted: 84 drain first.
    let refused = with_status(&node, &policy, 1, seconds(1), |status| status.refusal());
    assert_eq!(refused, Some(Retry::After(Duration::from_millis(8_400))));
}

proptest! {
    #[test]
    fn a_refusal_tells_the_first_microsecond_that_admits(
        nodes in 1..9_u32,
        fourths in 1..=4_u32,
        rate in 1..50_u32,
        burst in 40..400_u32,
        debt in prop_oneof![Just(0), 1..300_u32],
        first in 0..300_u32,
        cost in 1..60_u32,
        passed in 0..3_000_000_u64,
    ) {
        let limit = limit(rate, burst).with_debt(debt).unwrap();
        let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        let node = cut_off(nodes, f64::from(fourths) / 4.0);
        node.admits(&policy, &request("acme").with_cost(first), seconds(1));
        let now = Timestamp::from_micros(1_000_000 + passed);
        let (refusal, remaining) = with_status(&node, &policy, cost, now, |status| {
            (status.refusal(), status.remaining())
        });
        match refusal {
            Some(Retry::After(wait)) => {
                prop_assert!(cost > remaining);
                let then = now.as_micros() + u64::try_from(wait.as_micros()).unwrap();
                let admits = |at| {
                    let request = request("acme").with_cost(cost);
                    node.admits(&policy, &request, Timestamp::from_micros(at))
                };
                prop_assert!(!admits(then - 1));
                prop_assert!(admits(then));
            }
            Some(Retry::NeverSatisfiable) => {
                let later = seconds(1_000_000);
                prop_assert!(!node.admits(&policy, &request("acme").with_cost(cost), later));
            }
            None => {}
        }
    }

    #[test]
    fn what_remains_can_be_taken_and_one_more_cannot(
        nodes in 1..9_u32,
        rate in 1..50_u32,
        burst in 1..400_u32,
        first in 0..60_u32,
        passed in 0..3_000_000_u64,
    ) {
        let (node, policy) = (cut_off(nodes, 0.5), one_limit(rate, burst));
        node.admits(&policy, &request("acme").with_cost(first), seconds(1));
        let now = Timestamp::from_micros(1_000_000 + passed);
        let (remaining, affordable, next) = with_status(&node, &policy, 0, now, |status| {
            (status.remaining(), status.affordable(0), status.next_token())
        });
        prop_assert_eq!(remaining, affordable);
        let admits = |cost, at| node.admits(&policy, &request("acme").with_cost(cost), at);
        prop_assert!(!admits(remaining + 1, now));
        if let Some(wait) = next {
            let then = now.as_micros() + u64::try_from(wait.as_micros()).unwrap();
            prop_assert!(!admits(remaining + 1, Timestamp::from_micros(then - 1)));
            prop_assert!(admits(remaining + 1, Timestamp::from_micros(then)));
        } else {
            prop_assert!(!admits(remaining + 1, seconds(1_000_000)));
            prop_assert!(admits(remaining, now));
        }
    }
}
