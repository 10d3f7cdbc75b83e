//! Buckets are corrected in the step of a charge, before it is decided.

use super::{
    CATEGORY, Clause, Suite, TIER, answered, hourly, is_refused, owing, policy, remaining, request,
};
use crate::{
    policy::Policy,
    store::{Charge, ChargeOutcome, Corrections},
};

pub(super) async fn a_correction_counts_before_the_charge_and_stays_when_it_is_refused(
    clause: Clause,
    suite: Suite,
) {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, hourly(9))
            .category(TIER, CATEGORY, owing(8, 4))
            .key(TIER, CATEGORY, hourly(7).shadow())
    });
    // The tenant's is not corrected.
    let settles = Corrections::none().with(1, 5).with(2, 3);
    let outcome = corrected(clause, &suite, &policy, &settles, 4).await;
    clause.holds(is_refused(&policy, &outcome), "4 of the 3 left were taken");
    let seen = remaining(&policy, &outcome);
    clause.same("tokens left after a refusal", seen, [9, 3, 4]);
    let outcome = corrected(clause, &suite, &policy, &settles, 0).await;
    let seen = remaining(&policy, &outcome);
    clause.same("tokens left after a peek", seen, [9, 0, 1]);
    // As deep as the debt, and no deeper: four tokens given back leave nothing free yet.
    let deepest = Corrections::none().with(1, i64::MAX);
    corrected(clause, &suite, &policy, &deepest, 0).await;
    let back = Corrections::none().with(1, -5);
    let outcome = corrected(clause, &suite, &policy, &back, 1).await;
    clause.holds(
        !is_refused(&policy, &outcome),
        "the one free token was not there",
    );
    let seen = remaining(&policy, &outcome);
    clause.same("tokens left of a bucket out of debt", seen, [8, 0, 0]);
}

pub(super) async fn what_is_given_back_can_be_taken_again(clause: Clause, suite: Suite) {
    let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(6)));
    suite
        .charge(clause, &policy, request("acme").with_cost(6))
        .await;
    let back = Corrections::none().with(0, -4);
    let outcome = corrected(clause, &suite, &policy, &back, 3).await;
    clause.holds(
        !is_refused(&policy, &outcome),
        "3 of 4 given back were not there",
    );
    clause.same("tokens left", remaining(&policy, &outcome), [1]);
    let more = Corrections::none().with(0, i64::MIN);
    let outcome = corrected(clause, &suite, &policy, &more, 0).await;
    clause.same(
        "tokens left of a full bucket",
        remaining(&policy, &outcome),
        [6],
    );
}

async fn corrected(
    clause: Clause,
    suite: &Suite,
    policy: &Policy,
    corrections: &Corrections,
    cost: u32,
) -> ChargeOutcome {
    let request = request("acme").with_key("k").with_cost(cost);
    let charge = Charge::for_request(policy, &request, suite.now);
    answered(
        clause,
        suite
            .store
            .charge(&charge.with_corrections(corrections))
            .await,
    )
}
