//! Costs above the burst, and requests that are charged twice.

use std::time::Duration;

use super::{
    CATEGORY, Clause, Suite, TIER, answered, hourly, is_refused, limit, owing, policy, refusal,
    remaining, request, rest,
};
use crate::{
    bucket::Retry,
    clock::Timestamp,
    policy::{Rate, Rule},
};

pub(super) async fn a_cost_above_the_burst_is_charged_in_full_where_debt_is_allowed(
    clause: Clause,
    suite: Suite,
) {
    let policy = policy(|rules| rules.category(TIER, CATEGORY, owing(5, 100)));
    let more = request("acme").with_cost(106);
    let outcome = suite.charge(clause, &policy, more).await;
    let never = Some(Retry::NeverSatisfiable);
    let what = "106 tokens of a burst of 5 with a debt of 100";
    clause.same(what, refusal(&policy, &outcome, 0), never);
    let outcome = suite
        .charge(clause, &policy, request("acme").with_cost(105))
        .await;
    clause.holds(!is_refused(&policy, &outcome), "105 tokens were refused");
    clause.same("tokens left after 105", remaining(&policy, &outcome), [0]);
    let outcome = suite.charge(clause, &policy, request("acme")).await;
    let Some(Retry::After(wait)) = refusal(&policy, &outcome, 0) else {
        clause.fails("one more token was admitted in debt")
    };
    // 101 tokens have to drain, one an hour.
    let hours = Duration::from_secs(101 * 3_600);
    if !(hours - Duration::from_secs(60)..=hours).contains(&wait) {
        clause.fails(format_args!(
            "101 tokens drain in 101 hours, not in {wait:?}"
        ));
    }
    suite.charge(clause, &policy, request("b")).await;
    let six = suite
        .charge(clause, &policy, request("b").with_cost(6))
        .await;
    let seen = "6 tokens were admitted though one of a burst of 5 was in use";
    clause.holds(is_refused(&policy, &six), seen);
    clause.same("tokens left after it", remaining(&policy, &six), [4]);
}

pub(super) async fn nothing_else_is_admitted_until_debt_has_drained(
    clause: Clause,
    mut suite: Suite,
    pass: &impl AsyncFn(Duration),
) {
    let limit = limit(Rate::tokens_per_second(10), 5).with_debt(100);
    let rule = Rule::new(limit.expect("the suite's limits are valid"));
    let policy = policy(|rules| rules.category(TIER, CATEGORY, rule.clone()));
    let request = request("acme");
    suite.charge(clause, &policy, request.with_cost(30)).await;
    let outcome = suite.charge(clause, &policy, request).await;
    let Some(Retry::After(wait)) = refusal(&policy, &outcome, 0) else {
        clause.fails("a token was admitted right after 30 of a burst of 5")
    };
    if wait > Duration::from_millis(2_600) {
        let seen = format_args!("26 tokens at ten a second drain in 2.6 s, not in {wait:?}");
        clause.fails(seen);
    }
    pass(wait).await;
    let waited = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    suite.now = Timestamp::from_micros(suite.now.as_micros() + waited);
    let outcome = suite.charge(clause, &policy, request).await;
    let is_refused = is_refused(&policy, &outcome);
    clause.holds(
        !is_refused,
        "it was refused after the wait that it was told",
    );
}

pub(super) async fn debt_is_all_or_nothing(clause: Clause, suite: Suite) {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, owing(9, 100))
            .category(TIER, CATEGORY, hourly(20))
            .key(TIER, CATEGORY, owing(5, 2))
    });
    let request = request("acme").with_key("k");
    for (cost, left) in [(21, [9, 20, 5]), (8, [9, 20, 5]), (7, [2, 13, 0])] {
        let outcome = suite.charge(clause, &policy, request.with_cost(cost)).await;
        let what = format!("tokens left of 9, 20 and 5 after a cost of {cost}");
        clause.same(&what, remaining(&policy, &outcome), left);
    }
}

pub(super) async fn debt_stays_when_limits_change(clause: Clause, suite: Suite) {
    let with = |rule: Rule| policy(|rules| rules.category(TIER, CATEGORY, rule.clone()));
    let before = with(owing(5, 100));
    suite
        .charge(clause, &before, request("acme").with_cost(65))
        .await;
    for (burst, debt, left) in [(100, 0, 35), (66, 0, 1), (65, 1, 0)] {
        let daily = limit(Rate::tokens_per_day(11), burst).with_debt(debt);
        let after = with(Rule::new(daily.expect("the suite's limits are valid")));
        let peek = request("acme").with_cost(0);
        let outcome = suite.charge(clause, &after, peek).await;
        let what = format!("tokens left after 65 were used and the burst became {burst}");
        clause.same(&what, remaining(&after, &outcome), [left]);
    }
}

pub(super) async fn the_first_charge_of_a_request_does_not_stand_in_the_way_of_its_rest(
    clause: Clause,
    suite: Suite,
) {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, owing(9, 100))
            .category(TIER, CATEGORY, owing(5, 100))
    });
    suite.charge(clause, &policy, request("acme")).await;
    let whole = rest(&suite, &policy, request("acme").with_cost(104), 1);
    let outcome = answered(clause, suite.store.charge(&whole).await);
    let is_refused = is_refused(&policy, &outcome);
    clause.holds(!is_refused, "104 tokens after the first one were refused");
    clause.same(
        "tokens left after 105",
        remaining(&policy, &outcome),
        [0, 0],
    );
}

pub(super) async fn the_rest_of_a_request_is_refused_whole_and_says_when_all_of_it_passes(
    clause: Clause,
    suite: Suite,
) {
    let policy = policy(|rules| {
        rules
            .tenant(TIER, owing(9, 100))
            .category(TIER, CATEGORY, owing(5, 100))
    });
    for _ in 0..2 {
        suite.charge(clause, &policy, request("acme")).await;
    }
    let eight = rest(&suite, &policy, request("acme").with_cost(7), 1);
    let outcome = answered(clause, suite.store.charge(&eight).await);
    let is_refused = is_refused(&policy, &outcome);
    let seen = "a request of 8 was admitted though another's token is in use of a burst of 5";
    clause.holds(is_refused, seen);
    clause.same("tokens left after it", remaining(&policy, &outcome), [7, 3]);
    let waits = |position| match outcome.status(&policy, position)?.retry()? {
        Retry::After(wait) => Some(wait.as_secs().div_ceil(3_600)),
        Retry::NeverSatisfiable => None,
    };
    // Eight of nine, and five of five, are free after one hour and after two.
    let what = "hours until all eight tokens are there";
    clause.same(what, [waits(0), waits(1)], [Some(1), Some(2)]);
    let four = rest(&suite, &policy, request("acme").with_cost(3), 1);
    let outcome = answered(clause, suite.store.charge(&four).await);
    clause.same("tokens left after 4", remaining(&policy, &outcome), [4, 0]);
}
