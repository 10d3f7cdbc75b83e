//! Each limit decides exactly, and keeps the tokens used when its numbers change.

use std::time::Duration;

use super::{
    CATEGORY, Clause, Suite, TIER, hourly, is_refused, limit, policy, refusal, remaining, request,
};
use crate::{
    bucket::Retry,
    clock::Timestamp,
    policy::{Rate, Rule},
};

pub(super) async fn a_burst_admits_its_tokens_and_no_more(clause: Clause, suite: Suite) {
    let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
    for left in (0..5).rev() {
        let outcome = suite.charge(clause, &policy, request("acme")).await;
        clause.same("tokens left of 5", remaining(&policy, &outcome), [left]);
    }
    let outcome = suite.charge(clause, &policy, request("acme")).await;
    let is_refused = is_refused(&policy, &outcome);
    clause.holds(is_refused, "the sixth of a burst of 5 was admitted");
    clause.same(
        "tokens left after the sixth",
        remaining(&policy, &outcome),
        [0],
    );
}

pub(super) async fn a_refused_request_is_admitted_after_the_wait_that_it_was_told(
    clause: Clause,
    mut suite: Suite,
    pass: &impl AsyncFn(Duration),
) {
    let limit = limit(Rate::tokens_per_second(1), 4);
    let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
    let three = request("acme").with_cost(3);
    suite.charge(clause, &policy, three.with_cost(4)).await;
    let outcome = suite.charge(clause, &policy, three).await;
    let Some(Retry::After(wait)) = refusal(&policy, &outcome, 0) else {
        clause.fails("three tokens right after a burst of 4 were admitted")
    };
    if wait > Duration::from_secs(3) {
        let seen = format_args!("three tokens at one a second take 3 s, not {wait:?}");
        clause.fails(seen);
    }
    pass(wait).await;
    suite.now = Timestamp::from_micros(suite.now.as_micros() + whole_micros(wait));
    let outcome = suite.charge(clause, &policy, three).await;
    clause.holds(!is_refused(&policy, &outcome), "it was refused again");
}

pub(super) async fn a_cost_above_the_burst_is_never_satisfiable(clause: Clause, suite: Suite) {
    let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
    let six = request("acme").with_cost(6);
    let outcome = suite.charge(clause, &policy, six).await;
    let never = Some(Retry::NeverSatisfiable);
    clause.same(
        "6 tokens of a burst of 5",
        refusal(&policy, &outcome, 0),
        never,
    );
    clause.same("tokens left after it", remaining(&policy, &outcome), [5]);
}

pub(super) async fn a_limit_counted_in_milliseconds_is_exact(clause: Clause, suite: Suite) {
    // Counted in milliseconds, because the volume in microseconds would be too large.
    let limit = limit(Rate::tokens_per_day(1), 60_000);
    let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
    let all_but_one = request("acme").with_cost(59_999);
    suite.charge(clause, &policy, all_but_one).await;
    let outcome = suite.charge(clause, &policy, request("acme")).await;
    clause.same("tokens left of 60,000", remaining(&policy, &outcome), [0]);
    let outcome = suite.charge(clause, &policy, request("acme")).await;
    let Some(Retry::After(wait)) = refusal(&policy, &outcome, 0) else {
        clause.fails("a burst of 60,000 admitted one more")
    };
    let day = Duration::from_secs(86_400);
    if !(day - Duration::from_secs(60)..=day).contains(&wait) {
        let seen = format_args!("one token a day comes back in a day, not in {wait:?}");
        clause.fails(seen);
    }
}

pub(super) async fn a_clock_that_steps_back_refills_nothing(clause: Clause, mut suite: Suite) {
    let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(2)));
    suite.charge(clause, &policy, request("acme")).await;
    // By more than five days, and the second token is taken there.
    let (present, past) = (suite.now, Timestamp::from_micros(suite.now.as_micros() / 2));
    suite.now = past;
    let outcome = suite.charge(clause, &policy, request("acme")).await;
    clause.holds(!is_refused(&policy, &outcome), "it took a token away");
    for now in [past, present, Timestamp::default()] {
        suite.now = now;
        let outcome = suite.charge(clause, &policy, request("acme")).await;
        let is_refused = is_refused(&policy, &outcome);
        clause.holds(is_refused, "the third of a burst of 2 was admitted");
    }
}

pub(super) async fn changed_limits_keep_the_tokens_used(clause: Clause, suite: Suite) {
    let with = |limit| policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
    let before = with(limit(Rate::tokens_per_hour(7), 10));
    let request = request("acme");
    suite.charge(clause, &before, request.with_cost(6)).await;
    for (burst, left) in [(100, 94), (8, 2), (3, 0), (60_000, 59_994)] {
        let after = with(limit(Rate::tokens_per_day(11), burst));
        let outcome = suite.charge(clause, &after, request.with_cost(0)).await;
        let what = format!("tokens left after six were used and the burst became {burst}");
        clause.same(&what, remaining(&after, &outcome), [left]);
    }
    let after = with(limit(Rate::tokens_per_day(11), 100));
    let outcome = suite.charge(clause, &after, request.with_cost(4)).await;
    let what = "tokens left of 100 after six were used before the change and four after it";
    clause.same(what, remaining(&after, &outcome), [90]);
}

fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
