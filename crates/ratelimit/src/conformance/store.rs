//! The suite of [`Store`].

mod atomic;
mod correction;
mod debt;
mod exact;
mod separate;

use std::{net::IpAddr, sync::Arc, time::Duration};

use self::{
    atomic::{
        a_charge_is_one_step, a_cost_of_zero_changes_nothing, a_refusal_charges_no_limit,
        a_shadow_limit_refuses_nothing_and_is_charged_while_it_has_room,
        an_admission_charges_every_limit_that_applies,
    },
    correction::{
        a_correction_counts_before_the_charge_and_stays_when_it_is_refused,
        what_is_given_back_can_be_taken_again,
    },
    debt::{
        a_cost_above_the_burst_is_charged_in_full_where_debt_is_allowed, debt_is_all_or_nothing,
        debt_stays_when_limits_change, nothing_else_is_admitted_until_debt_has_drained,
        the_first_charge_of_a_request_does_not_stand_in_the_way_of_its_rest,
        the_rest_of_a_request_is_refused_whole_and_says_when_all_of_it_passes,
    },
    exact::{
        a_burst_admits_its_tokens_and_no_more, a_clock_that_steps_back_refills_nothing,
        a_cost_above_the_burst_is_never_satisfiable, a_limit_counted_in_milliseconds_is_exact,
        a_refused_request_is_admitted_after_the_wait_that_it_was_told,
        changed_limits_keep_the_tokens_used,
    },
    separate::{
        names_with_any_separator_are_counted_apart, subjects_of_the_same_text_are_counted_apart,
        tenants_keys_addresses_and_tiers_are_counted_apart,
    },
};
use super::{Clause, clauses};
use crate::{
    bucket::Retry,
    clock::Timestamp,
    name::{Category, Tier},
    policy::{Limit, MAX_LIMITS, Policies, PoliciesBuilder, Policy, Rate, Rule},
    request::RateLimitRequest,
    store::{Answer, Charge, ChargeOutcome, Store, StoreError},
};

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;

/// Checks a store against the contract of [`Store`].
///
/// `make` gives a store without buckets of an earlier call, for example under another key prefix
/// of the same server. The suite's charges carry a time of its own, which it moves together with
/// `pass`: a store that takes the caller's time has nothing to do in `pass`; for a store with a
/// clock of its own it lets at least so much time pass, and not much more, at most 600 ms. The
/// limits are slow enough that real time passing during a step makes no difference.
///
/// # Panics
/// The store breaks the contract, or fails. The message names the clause.
pub async fn store(make: impl AsyncFn() -> Arc<dyn Store>, pass: impl AsyncFn(Duration)) {
    let fresh = async || Suite {
        store: make().await,
        now: Timestamp::from_micros(1_000_000_000_000),
    };
    clauses! { "Store";
        // The other clauses look at buckets by peeks.
        a_cost_of_zero_changes_nothing(fresh().await);
        a_charge_is_one_step(fresh().await);
        a_refusal_charges_no_limit(fresh().await);
        an_admission_charges_every_limit_that_applies(fresh().await);
        a_shadow_limit_refuses_nothing_and_is_charged_while_it_has_room(fresh().await);
        a_burst_admits_its_tokens_and_no_more(fresh().await);
        a_refused_request_is_admitted_after_the_wait_that_it_was_told(fresh().await, &pass);
        a_cost_above_the_burst_is_never_satisfiable(fresh().await);
        a_limit_counted_in_milliseconds_is_exact(fresh().await);
        a_clock_that_steps_back_refills_nothing(fresh().await);
        changed_limits_keep_the_tokens_used(fresh().await);
        a_cost_above_the_burst_is_charged_in_full_where_debt_is_allowed(fresh().await);
        nothing_else_is_admitted_until_debt_has_drained(fresh().await, &pass);
        debt_is_all_or_nothing(fresh().await);
        debt_stays_when_limits_change(fresh().await);
        the_first_charge_of_a_request_does_not_stand_in_the_way_of_its_rest(fresh().await);
        the_rest_of_a_request_is_refused_whole_and_says_when_all_of_it_passes(fresh().await);
        a_correction_counts_before_the_charge_and_stays_when_it_is_refused(fresh().await);
        what_is_given_back_can_be_taken_again(fresh().await);
        tenants_keys_addresses_and_tiers_are_counted_apart(fresh().await);
        subjects_of_the_same_text_are_counted_apart(fresh().await);
        names_with_any_separator_are_counted_apart(fresh().await);
    }
}

/// A store without buckets, and the time of the charges.
#[derive(Debug)]
struct Suite {
    store: Arc<dyn Store>,
    now: Timestamp,
}

impl Suite {
    async fn charge(
        &self,
        clause: Clause,
        policy: &Policy,
        request: RateLimitRequest<'_>,
    ) -> ChargeOutcome {
        let charge = Charge::for_request(policy, &request, self.now);
        answered(clause, self.store.charge(&charge).await)
    }
}

/// What a store is asked for the rest of a request for which `before` tokens were taken.
fn rest<'a>(
    suite: &Suite,
    policy: &'a Policy,
    request: RateLimitRequest<'a>,
    before: u32,
) -> Charge<'a> {
    let first = ChargeOutcome::default();
    Charge::for_rest(policy, &request, suite.now, before, &first)
}

fn answered(clause: Clause, answer: Result<ChargeOutcome, StoreError>) -> ChargeOutcome {
    answer.unwrap_or_else(|error| clause.fails(format_args!("it failed: {error}")))
}

fn policy(rules: impl Fn(PoliciesBuilder) -> PoliciesBuilder) -> Policy {
    let policies = rules(Policies::builder())
        .build()
        .expect("scopes have different names");
    policies
        .policy(&TIER, &CATEGORY)
        .expect("the suite sets a category")
        .as_ref()
        .clone()
}

/// A burst that does not refill noticeably while the suite runs.
fn hourly(burst: u32) -> Rule {
    Rule::new(limit(Rate::tokens_per_hour(1), burst))
}

/// The same, with debt.
fn owing(burst: u32, debt: u32) -> Rule {
    let limit = limit(Rate::tokens_per_hour(1), burst).with_debt(debt);
    Rule::new(limit.expect("the suite's limits are valid"))
}

fn limit(rate: Rate, burst: u32) -> Limit {
    Limit::new(rate, burst).expect("the suite's limits are valid")
}

fn request(tenant: &str) -> RateLimitRequest<'_> {
    RateLimitRequest::new(tenant, &TIER, &CATEGORY)
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn remaining(policy: &Policy, outcome: &ChargeOutcome) -> Vec<u32> {
    (0..MAX_LIMITS)
        .filter_map(|position| outcome.status(policy, position))
        .map(|status| status.remaining())
        .collect()
}

fn refusal(policy: &Policy, outcome: &ChargeOutcome, position: usize) -> Option<Retry> {
    outcome.status(policy, position)?.refusal()
}

fn is_refused(policy: &Policy, outcome: &ChargeOutcome) -> bool {
    let mut limits = policy.limits().iter().enumerate();
    limits
        .any(|(position, limit)| limit.is_enforced() && outcome.answer(position) == Answer::Refuses)
}
