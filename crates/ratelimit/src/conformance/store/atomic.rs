//! A charge is one step, and all or nothing.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use super::{
    CATEGORY, Clause, Suite, TIER, address, answered, hourly, is_refused, policy, refusal,
    remaining, request,
};
use crate::store::Charge;

pub(super) async fn a_cost_of_zero_changes_nothing(clause: Clause, suite: Suite) {
    let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(2)));
    suite.charge(clause, &policy, request("acme")).await;
    for _ in 0..3 {
        let peek = request("acme").with_cost(0);
        let outcome = suite.charge(clause, &policy, peek).await;
        clause.holds(!is_refused(&policy, &outcome), "a peek was refused");
        clause.same(
            "tokens left of 2 after one was taken",
            remaining(&policy, &outcome),
            [1],
        );
    }
}

pub(super) async fn a_charge_is_one_step(clause: Clause, suite: Suite) {
    let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
    let charge = Charge::for_request(&policy, &request("acme"), suite.now);
    let charges: Vec<_> = (0..32).map(|_| suite.store.charge(&charge)).collect();
    let outcomes = together(charges).await;
    let admitted = outcomes
        .into_iter()
        .map(|outcome| answered(clause, outcome))
        .filter(|outcome| !is_refused(&policy, outcome))
        .count();
    clause.same(
        "32 charges at once under a burst of 5, admitted",
        admitted,
        5,
    );
}

pub(super) async fn a_refusal_charges_no_limit(clause: Clause, suite: Suite) {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, hourly(9))
            .category(TIER, CATEGORY, hourly(8))
            .key(TIER, CATEGORY, hourly(2))
            .address(TIER, CATEGORY, hourly(7).shadow())
    });
    let request = request("acme").with_key("k").with_address(address(1));
    suite.charge(clause, &policy, request.with_cost(2)).await;
    let refused = suite.charge(clause, &policy, request).await;
    let is_refused = is_refused(&policy, &refused);
    clause.holds(is_refused, "a key with a burst of 2 took 3");
    let after = suite.charge(clause, &policy, request.with_cost(0)).await;
    for outcome in [refused, after] {
        clause.same(
            "tokens left after a refusal",
            remaining(&policy, &outcome),
            [7, 6, 0, 5],
        );
    }
}

pub(super) async fn an_admission_charges_every_limit_that_applies(clause: Clause, suite: Suite) {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, hourly(40))
            .category(TIER, CATEGORY, hourly(30))
            .key(TIER, CATEGORY, hourly(20))
            .address(TIER, CATEGORY, hourly(10))
    });
    let whole = request("acme").with_key("k").with_address(address(1));
    let outcome = suite.charge(clause, &policy, whole.with_cost(3)).await;
    let left = [37, 27, 17, 7];
    clause.same(
        "tokens left of four limits",
        remaining(&policy, &outcome),
        left,
    );
    let outcome = suite.charge(clause, &policy, request("acme")).await;
    let what = "tokens left without a key and an address";
    clause.same(what, remaining(&policy, &outcome), [36, 26]);
}

pub(super) async fn a_shadow_limit_refuses_nothing_and_is_charged_while_it_has_room(
    clause: Clause,
    suite: Suite,
) {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, hourly(9))
            .category(TIER, CATEGORY, hourly(2).shadow())
    });
    for left in [[8, 1], [7, 0], [6, 0], [5, 0]] {
        let outcome = suite.charge(clause, &policy, request("acme")).await;
        clause.holds(!is_refused(&policy, &outcome), "a shadow limit refused");
        let what = "tokens left of the limit and its shadow";
        clause.same(what, remaining(&policy, &outcome), left);
    }
    let outcome = suite.charge(clause, &policy, request("acme")).await;
    let says_so = refusal(&policy, &outcome, 1).is_some();
    clause.holds(says_so, "a shadow limit without room does not say so");
}

/// Polls all futures in turn until each is done, without a runtime's help.
async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let polled = poll_fn(|cx| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(cx)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    polled.await;
    outputs.into_iter().flatten().collect()
}
