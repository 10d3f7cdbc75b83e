//! The suite of [`Store`].

use std::{
    future::{Future, poll_fn},
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use crate::{
    bucket::Retry,
    clock::Timestamp,
    name::{Category, Tier},
    policy::{Limit, MAX_LIMITS, Policies, PoliciesBuilder, Policy, Rate, Rule},
    request::Request,
    store::{Charge, ChargeOutcome, Store},
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
    // The other clauses look at buckets by peeks.
    fresh().await.a_cost_of_zero_changes_nothing().await;
    fresh().await.one_step().await;
    fresh().await.all_or_nothing().await;
    fresh().await.all_or_nothing_of_four().await;
    fresh().await.all_or_nothing_with_shadows().await;
    fresh().await.exact_burst().await;
    fresh().await.exact_wait(&pass).await;
    fresh().await.exact_beyond_the_burst().await;
    fresh().await.exact_in_milliseconds().await;
    fresh().await.exact_when_the_clock_steps_back().await;
    fresh().await.changed_limits_keep_the_tokens_used().await;
    fresh().await.separate().await;
    fresh().await.separate_kinds().await;
    fresh().await.separate_whatever_the_names().await;
}

#[derive(Debug)]
struct Suite {
    store: Arc<dyn Store>,
    now: Timestamp,
}

impl Suite {
    async fn one_step(&self) {
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
        let charge = Charge::for_request(&policy, &request("acme"), self.now);
        let charges: Vec<_> = (0..32).map(|_| self.store.charge(&charge)).collect();
        let outcomes = together(charges).await;
        let admitted = outcomes
            .into_iter()
            .map(|outcome| outcome.expect("the store under test answers"))
            .filter(|outcome| !is_refused(&policy, outcome))
            .count();
        assert_eq!(
            admitted, 5,
            "one step: charges at the same time admitted this many of a burst of 5"
        );
    }

    async fn all_or_nothing(&self) {
        let policy = policy(|rules| {
            rules
                .tenant(TIER, hourly(9))
                .category(TIER, CATEGORY, hourly(8))
                .key(TIER, CATEGORY, hourly(2))
                .address(TIER, CATEGORY, hourly(7).shadow())
        });
        let request = request("acme").with_key("k").with_address(address(1));
        self.charge(&policy, request.with_cost(2)).await;
        let refused = self.charge(&policy, request).await;
        assert!(
            is_refused(&policy, &refused),
            "all or nothing: a key with a burst of 2 took 3"
        );
        let after = self.charge(&policy, request.with_cost(0)).await;
        for outcome in [refused, after] {
            assert_eq!(
                remaining(&outcome),
                [7, 6, 0, 5],
                "all or nothing: a refusal took tokens"
            );
        }
    }

    async fn all_or_nothing_of_four(&self) {
        let policy = policy(|rules| {
            rules
                .tenant(TIER, hourly(40))
                .category(TIER, CATEGORY, hourly(30))
                .key(TIER, CATEGORY, hourly(20))
                .address(TIER, CATEGORY, hourly(10))
        });
        let whole = request("acme").with_key("k").with_address(address(1));
        let outcome = self.charge(&policy, whole.with_cost(3)).await;
        assert_eq!(
            remaining(&outcome),
            [37, 27, 17, 7],
            "all or nothing: four limits are charged together"
        );
        let outcome = self.charge(&policy, request("acme")).await;
        assert_eq!(
            remaining(&outcome),
            [36, 26],
            "all or nothing: limits without a subject do not apply"
        );
    }

    async fn all_or_nothing_with_shadows(&self) {
        let policy = policy(|rules| {
            rules
                .tenant(TIER, hourly(9))
                .category(TIER, CATEGORY, hourly(2).shadow())
        });
        for expected in [[8, 1], [7, 0], [6, 0], [5, 0]] {
            let outcome = self.charge(&policy, request("acme")).await;
            assert!(
                !is_refused(&policy, &outcome),
                "all or nothing: a shadow refused"
            );
            assert_eq!(
                remaining(&outcome),
                expected,
                "all or nothing: a shadow is charged while it has room, the others always"
            );
        }
        let outcome = self.charge(&policy, request("acme")).await;
        assert!(
            refusal(&outcome, 1).is_some(),
            "all or nothing: a shadow without room does not say so"
        );
    }

    async fn a_cost_of_zero_changes_nothing(&self) {
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(2)));
        self.charge(&policy, request("acme")).await;
        for _ in 0..3 {
            let outcome = self.charge(&policy, request("acme").with_cost(0)).await;
            assert!(
                !is_refused(&policy, &outcome),
                "a cost of zero changes nothing: it was refused"
            );
            assert_eq!(
                remaining(&outcome),
                [1],
                "a cost of zero changes nothing: it took tokens"
            );
        }
    }

    async fn exact_burst(&self) {
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
        for left in (0..5).rev() {
            let outcome = self.charge(&policy, request("acme")).await;
            assert_eq!(
                remaining(&outcome),
                [left],
                "exact: each admission takes one token of a burst of 5"
            );
        }
        let outcome = self.charge(&policy, request("acme")).await;
        assert!(
            is_refused(&policy, &outcome),
            "exact: the sixth of a burst of 5 was admitted"
        );
        assert_eq!(remaining(&outcome), [0], "exact: the burst is used up");
    }

    async fn exact_wait(mut self, pass: &impl AsyncFn(Duration)) {
        let limit = limit(Rate::tokens_per_second(5), 4);
        let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        self.charge(&policy, request("acme").with_cost(4)).await;
        let outcome = self.charge(&policy, request("acme").with_cost(3)).await;
        let Some(Retry::After(wait)) = refusal(&outcome, 0) else {
            panic!("exact: three tokens right after a burst of 4 were admitted")
        };
        assert!(
            wait <= Duration::from_millis(600),
            "exact: three tokens at five a second take 600 ms, not {wait:?}"
        );
        pass(wait).await;
        self.now = Timestamp::from_micros(self.now.as_micros() + whole_micros(wait));
        let outcome = self.charge(&policy, request("acme").with_cost(3)).await;
        assert!(
            !is_refused(&policy, &outcome),
            "exact: refused after the time that was asked for"
        );
    }

    async fn exact_beyond_the_burst(&self) {
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
        let outcome = self.charge(&policy, request("acme").with_cost(6)).await;
        assert_eq!(
            refusal(&outcome, 0),
            Some(Retry::NeverSatisfiable),
            "exact: a cost above the burst can never be satisfied"
        );
        assert_eq!(remaining(&outcome), [5], "exact: a refusal took tokens");
    }

    async fn exact_in_milliseconds(&self) {
        // Counted in milliseconds, because the volume in microseconds would be too large.
        let limit = limit(Rate::tokens_per_day(1), 60_000);
        let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        self.charge(&policy, request("acme").with_cost(59_999))
            .await;
        let outcome = self.charge(&policy, request("acme")).await;
        assert_eq!(
            remaining(&outcome),
            [0],
            "exact: a burst of 60,000 of a token a day"
        );
        let outcome = self.charge(&policy, request("acme")).await;
        let Some(Retry::After(wait)) = refusal(&outcome, 0) else {
            panic!("exact: a burst of 60,000 admitted one more")
        };
        let day = Duration::from_secs(86_400);
        assert!(
            (day - Duration::from_secs(60)..=day).contains(&wait),
            "exact: one token a day comes back in a day, not in {wait:?}"
        );
    }

    async fn exact_when_the_clock_steps_back(mut self) {
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(2)));
        self.charge(&policy, request("acme")).await;
        // By more than five days, and the second token is taken there.
        let (present, past) = (self.now, Timestamp::from_micros(self.now.as_micros() / 2));
        self.now = past;
        let outcome = self.charge(&policy, request("acme")).await;
        assert!(
            !is_refused(&policy, &outcome),
            "exact: a clock that stepped back took a token away"
        );
        for now in [past, present, Timestamp::default()] {
            self.now = now;
            let outcome = self.charge(&policy, request("acme")).await;
            assert!(
                is_refused(&policy, &outcome),
                "exact: a clock that stepped back refilled the bucket"
            );
        }
    }

    async fn changed_limits_keep_the_tokens_used(&self) {
        let with = |limit| policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        let before = with(limit(Rate::tokens_per_hour(7), 10));
        self.charge(&before, request("acme").with_cost(6)).await;
        for (burst, left) in [(100, 94), (8, 2), (3, 0), (60_000, 59_994)] {
            let after = with(limit(Rate::tokens_per_day(11), burst));
            let outcome = self.charge(&after, request("acme").with_cost(0)).await;
            assert_eq!(
                remaining(&outcome),
                [left],
                "changed limits: six tokens were used before the burst became {burst}"
            );
        }
        let after = with(limit(Rate::tokens_per_day(11), 100));
        let outcome = self.charge(&after, request("acme").with_cost(4)).await;
        assert_eq!(
            remaining(&outcome),
            [90],
            "changed limits: a charge after the change adds to the tokens used before"
        );
    }

    async fn separate(&self) {
        let policy = policy(|rules| {
            rules
                .category(TIER, CATEGORY, hourly(9))
                .key(TIER, CATEGORY, hourly(9))
                .address(TIER, CATEGORY, hourly(9))
        });
        let first = request("one").with_key("k").with_address(address(1));
        for (request, expected) in [
            (first, [8, 8, 8]),
            (first.with_key("l"), [7, 8, 7]),
            (first.with_address(address(2)), [6, 7, 8]),
            (
                request("two").with_key("k").with_address(address(1)),
                [8, 8, 8],
            ),
        ] {
            assert_eq!(
                remaining(&self.charge(&policy, request).await),
                expected,
                "separate: tenants, keys and addresses are counted apart"
            );
        }
        let other_tier = Policies::builder()
            .category(Tier::FREE, CATEGORY, hourly(9))
            .build();
        let other_tier = other_tier.expect("one limit has one name");
        let other_tier = other_tier
            .policy(&Tier::FREE, &CATEGORY)
            .expect("just made");
        assert_eq!(
            remaining(&self.charge(other_tier, first).await),
            [8],
            "separate: tiers are counted apart"
        );
    }

    async fn separate_kinds(&self) {
        let before_authentication = Policies::builder().client_address(hourly(9)).build();
        let before_authentication = before_authentication.expect("one limit has one name");
        let policy = policy(|rules| {
            rules
                .key(TIER, CATEGORY, hourly(9))
                .address(TIER, CATEGORY, hourly(9))
        });
        let text = address(1).to_string();
        let tenant = request(&text).with_key(&text).with_address(address(1));
        assert_eq!(
            remaining(&self.charge(&policy, tenant).await),
            [8, 8],
            "separate: a key and an address of the same text"
        );
        for (last, left) in [(1, 8), (1, 7), (2, 8)] {
            let policy = before_authentication.client_address();
            let charge = Charge::for_address(policy, address(last), self.now);
            let outcome = self.store.charge(&charge).await;
            assert_eq!(
                remaining(&outcome.expect("the store under test answers")),
                [left],
                "separate: addresses before authentication, and a tenant of the same text"
            );
        }
    }

    async fn separate_whatever_the_names(&self) {
        let policy = policy(|rules| rules.key(TIER, CATEGORY, hourly(9)));
        for separator in [
            ":", "/", "|", "-", ".", ",", ";", "#", " ", "{", "}", "\n", "\0",
        ] {
            let longer = format!("a{separator}b");
            let longer_key = format!("b{separator}c");
            for (tenant, key) in [("a", longer_key.as_str()), (longer.as_str(), "c")] {
                let outcome = self.charge(&policy, request(tenant).with_key(key)).await;
                assert_eq!(
                    remaining(&outcome),
                    [8],
                    "separate: names that hold {separator:?} share a bucket"
                );
            }
        }
    }

    async fn charge(&self, policy: &Policy, request: Request<'_>) -> ChargeOutcome {
        let charge = Charge::for_request(policy, &request, self.now);
        let outcome = self.store.charge(&charge).await;
        outcome.expect("the store under test answers")
    }
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

fn limit(rate: Rate, burst: u32) -> Limit {
    Limit::new(rate, burst).expect("the suite's limits are valid")
}

fn request(tenant: &str) -> Request<'_> {
    Request::new(tenant, &TIER, &CATEGORY)
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn remaining(outcome: &ChargeOutcome) -> Vec<u32> {
    (0..MAX_LIMITS)
        .filter_map(|position| outcome.status(position))
        .map(|status| status.remaining())
        .collect()
}

fn refusal(outcome: &ChargeOutcome, position: usize) -> Option<Retry> {
    outcome.status(position)?.refusal()
}

fn is_refused(policy: &Policy, outcome: &ChargeOutcome) -> bool {
    let mut limits = policy.limits().iter().enumerate();
    limits.any(|(position, limit)| limit.is_enforced() && refusal(outcome, position).is_some())
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
