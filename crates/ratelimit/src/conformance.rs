//! The suite that every [`Store`] must pass, whoever wrote it.
//!
//! A store is checked through a [`Harness`], which knows how to make time pass for it. The suite
//! uses tenants of its own, so it can run against a server that holds other buckets, and limits
//! slow enough that real time passing during a step makes no difference.
//!
//! ```
//! # use std::{future::Future, num::NonZeroUsize, pin::Pin, sync::Arc, time::Duration};
//! use portcullis_ratelimit::{Clock, FakeClock, MemoryStore, Store, WhenFull, conformance};
//!
//! #[derive(Debug)]
//! struct Memory(MemoryStore, FakeClock);
//!
//! impl conformance::Harness for Memory {
//!     fn store(&self) -> &dyn Store {
//!         &self.0
//!     }
//!     fn clock(&self) -> &dyn Clock {
//!         &self.1
//!     }
//!     fn pass<'a>(&'a self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
//!         self.1.advance(time);
//!         Box::pin(std::future::ready(()))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let capacity = NonZeroUsize::new(1_000).expect("above zero");
//! let store = MemoryStore::new(capacity, WhenFull::SharedOverflow);
//! conformance::check(&Memory(store, FakeClock::new()), "run-1").await;
//! # }
//! ```

use std::fmt::Debug;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use crate::bucket::Retry;
use crate::clock::Clock;
use crate::limit::{Limit, Rate};
use crate::name::{Category, Tier};
use crate::policies::{Policies, PoliciesBuilder, Rule};
use crate::policy::Policy;
use crate::request::Request;
use crate::store::{Charge, Readings, Store};

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;

/// A store under test, and its time.
pub trait Harness: Debug + Send + Sync {
    /// The store.
    fn store(&self) -> &dyn Store;

    /// The clock whose time charges carry.
    fn clock(&self) -> &dyn Clock;

    /// Lets at least `time` pass, and not much more, for the clock and for the store.
    fn pass<'a>(&'a self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// Checks a store against the contract of [`Store`].
///
/// `run` becomes part of every tenant, so that one server can be checked twice.
///
/// # Panics
/// The store breaks the contract, or fails.
pub async fn check(harness: &dyn Harness, run: &str) {
    let suite = Suite { harness, run };
    suite.a_burst_is_admitted_and_no_more().await;
    suite.a_refusal_says_when_to_come_back().await;
    suite.a_peek_changes_nothing().await;
    suite.more_than_the_burst_is_never_satisfiable().await;
    suite.a_refusal_by_one_limit_charges_no_other().await;
    suite.four_limits_are_charged_together().await;
    suite
        .a_shadow_neither_refuses_nor_is_charged_beyond_its_room()
        .await;
    suite
        .tenants_tiers_keys_and_addresses_are_counted_apart()
        .await;
    suite.a_changed_limit_keeps_the_tokens_used().await;
}

#[derive(Clone, Copy, Debug)]
struct Suite<'a> {
    harness: &'a dyn Harness,
    run: &'a str,
}

impl Suite<'_> {
    async fn a_burst_is_admitted_and_no_more(self) {
        let tenant = self.tenant("burst");
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
        for left in (0..5).rev() {
            let readings = self.charge(&policy, request(&tenant)).await;
            assert_eq!(
                remaining(&readings),
                [left],
                "each admission takes one token"
            );
        }
        let readings = self.charge(&policy, request(&tenant)).await;
        assert!(
            is_refused(&policy, &readings),
            "the sixth of a burst of five was admitted"
        );
        assert_eq!(remaining(&readings), [0]);
    }

    async fn a_refusal_says_when_to_come_back(self) {
        let tenant = self.tenant("retry");
        let limit = limit(Rate::tokens_per_second(5), 4);
        let policy = policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        self.charge(&policy, request(&tenant).with_cost(4)).await;
        let readings = self.charge(&policy, request(&tenant).with_cost(3)).await;
        let refusal = readings.at(0).and_then(|reading| reading.refusal());
        let Some(Retry::After(wait)) = refusal else {
            panic!("three tokens right after a whole burst of four were admitted")
        };
        assert!(
            wait <= Duration::from_millis(600),
            "three tokens at five a second: {wait:?}"
        );
        self.harness.pass(wait).await;
        let readings = self.charge(&policy, request(&tenant).with_cost(3)).await;
        assert!(
            !is_refused(&policy, &readings),
            "refused after the time that was asked for"
        );
    }

    async fn a_peek_changes_nothing(self) {
        let tenant = self.tenant("peek");
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(2)));
        self.charge(&policy, request(&tenant)).await;
        for _ in 0..3 {
            let readings = self.charge(&policy, request(&tenant).with_cost(0)).await;
            assert!(!is_refused(&policy, &readings), "a peek was refused");
            assert_eq!(remaining(&readings), [1]);
        }
    }

    async fn more_than_the_burst_is_never_satisfiable(self) {
        let tenant = self.tenant("never");
        let policy = policy(|rules| rules.category(TIER, CATEGORY, hourly(5)));
        let readings = self.charge(&policy, request(&tenant).with_cost(6)).await;
        let refusal = readings.at(0).and_then(|reading| reading.refusal());
        assert_eq!(refusal, Some(Retry::NeverSatisfiable));
        assert_eq!(remaining(&readings), [5], "a refusal took tokens");
    }

    async fn a_refusal_by_one_limit_charges_no_other(self) {
        let tenant = self.tenant("all-or-nothing");
        let policy = policy(|rules| {
            rules
                .tenant(TIER, hourly(9))
                .category(TIER, CATEGORY, hourly(8))
                .key(TIER, CATEGORY, hourly(2))
                .address(TIER, CATEGORY, hourly(7).shadow())
        });
        let request = request(&tenant).with_key("k").with_address(address(1));
        self.charge(&policy, request.with_cost(2)).await;
        let refused = self.charge(&policy, request).await;
        assert!(
            is_refused(&policy, &refused),
            "the key had two tokens and took three"
        );
        assert_eq!(remaining(&refused), [7, 6, 0, 5], "a refusal took tokens");
        let after = self.charge(&policy, request.with_cost(0)).await;
        assert_eq!(remaining(&after), [7, 6, 0, 5], "a refusal took tokens");
    }

    async fn four_limits_are_charged_together(self) {
        let tenant = self.tenant("four");
        let policy = policy(|rules| {
            rules
                .tenant(TIER, hourly(40))
                .category(TIER, CATEGORY, hourly(30))
                .key(TIER, CATEGORY, hourly(20))
                .address(TIER, CATEGORY, hourly(10))
        });
        let whole = request(&tenant).with_key("k").with_address(address(1));
        let readings = self.charge(&policy, whole.with_cost(3)).await;
        assert_eq!(remaining(&readings), [37, 27, 17, 7]);
        let readings = self.charge(&policy, request(&tenant)).await;
        assert_eq!(
            remaining(&readings),
            [36, 26],
            "limits without a subject do not apply"
        );
    }

    async fn a_shadow_neither_refuses_nor_is_charged_beyond_its_room(self) {
        let tenant = self.tenant("shadow");
        let policy = policy(|rules| {
            rules
                .tenant(TIER, hourly(9))
                .category(TIER, CATEGORY, hourly(2).shadow())
        });
        for expected in [[8, 1], [7, 0], [6, 0], [5, 0]] {
            let readings = self.charge(&policy, request(&tenant)).await;
            assert!(!is_refused(&policy, &readings), "a shadow refused");
            assert_eq!(remaining(&readings), expected);
        }
        let readings = self.charge(&policy, request(&tenant)).await;
        let shadow = readings.at(1).and_then(|reading| reading.refusal());
        assert!(shadow.is_some(), "a shadow without room does not say so");
    }

    async fn tenants_tiers_keys_and_addresses_are_counted_apart(self) {
        let (one, two) = (self.tenant("apart-1"), self.tenant("apart-2"));
        let rules = |rules: PoliciesBuilder| {
            rules
                .category(TIER, CATEGORY, hourly(9))
                .key(TIER, CATEGORY, hourly(9))
                .address(TIER, CATEGORY, hourly(9))
        };
        let policy = policy(rules);
        let first = request(&one).with_key("k").with_address(address(1));
        for (request, expected) in [
            (first, [8, 8, 8]),
            (first.with_key("l"), [7, 8, 7]),
            (first.with_address(address(2)), [6, 7, 8]),
            (
                request(&two).with_key("k").with_address(address(1)),
                [8, 8, 8],
            ),
        ] {
            assert_eq!(remaining(&self.charge(&policy, request).await), expected);
        }
        let other_tier = Policies::builder()
            .category(Tier::FREE, CATEGORY, hourly(9))
            .build();
        let other_tier = other_tier.expect("one limit has one name");
        let other_tier = other_tier
            .policy(&Tier::FREE, &CATEGORY)
            .expect("just made");
        assert_eq!(remaining(&self.charge(other_tier, first).await), [8]);
    }

    async fn a_changed_limit_keeps_the_tokens_used(self) {
        let tenant = self.tenant("change");
        let with = |limit| policy(|rules| rules.category(TIER, CATEGORY, Rule::new(limit)));
        let before = with(limit(Rate::tokens_per_hour(7), 10));
        self.charge(&before, request(&tenant).with_cost(6)).await;
        for (burst, left) in [(100, 94), (8, 2), (3, 0)] {
            let after = with(limit(Rate::tokens_per_day(11), burst));
            let readings = self.charge(&after, request(&tenant).with_cost(0)).await;
            assert_eq!(remaining(&readings), [left], "with a burst of {burst}");
        }
    }

    fn tenant(self, name: &str) -> String {
        format!("conformance-{}-{name}", self.run)
    }

    async fn charge(self, policy: &Policy, request: Request<'_>) -> Readings {
        let charge = Charge::of_request(policy, &request, self.harness.clock().now());
        self.harness
            .store()
            .charge(&charge)
            .await
            .expect("the store under test answers")
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

fn remaining(readings: &Readings) -> Vec<u32> {
    (0..crate::policy::MAX_LIMITS)
        .filter_map(|position| readings.at(position))
        .map(|reading| reading.remaining())
        .collect()
}

fn is_refused(policy: &Policy, readings: &Readings) -> bool {
    policy.limits().iter().enumerate().any(|(position, limit)| {
        let refusal = readings.at(position).and_then(|reading| reading.refusal());
        limit.is_enforced() && refusal.is_some()
    })
}
