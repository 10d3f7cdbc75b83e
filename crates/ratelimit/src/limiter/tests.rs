//! Whole checks: limits together, policies replaced, events.

mod charge_more;

use std::{
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{BuildError, CheckError, RateLimiter};
use crate::{
    bucket::{Bucket, Retry},
    clock::{FakeClock, Timestamp},
    decision::Decision,
    jitter::Jitter,
    name::{Category, Tier},
    observer::{Event, Observer},
    policy::{Limit, Policies, PoliciesBuilder, Rate, Rule},
    request::RateLimitRequest,
    store::{
        Answer, Charge, ChargeFuture, ChargeOutcome, MemoryStore, Store, StoreError, WhenFull,
    },
};

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;

#[derive(Debug, Default)]
struct Recorder {
    events: Mutex<Vec<String>>,
}

impl Recorder {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        let text = match event {
            Event::Admitted { policy, .. } => format!("admitted {}", policy.label()),
            Event::Refused { policy, .. } => format!("refused {}", policy.label()),
            Event::Exceeded { limit, .. } => {
                format!("exceeded {} {:?}", limit.name(), limit.mode())
            }
            Event::NearLimit { limit, .. } => format!("near {}", limit.name()),
            other => format!("{other:?}"),
        };
        self.events.lock().unwrap().push(text);
    }
}

/// Answers as another store does, but not at once.
#[derive(Debug)]
struct Boxed(MemoryStore);

impl Store for Boxed {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        ChargeFuture::boxed(async move {
            tokio::task::yield_now().await;
            self.0.charge(charge).await
        })
    }
}

#[derive(Debug)]
struct Down;

impl Store for Down {
    fn charge<'a>(&'a self, _: &'a Charge<'a>) -> ChargeFuture<'a> {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        ChargeFuture::ready(Err(StoreError::Unavailable(refused.into())))
    }
}

/// Refuses whatever there is room for, as a store does whose clock is behind.
#[derive(Debug)]
struct Stern;

impl Store for Stern {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        let mut outcome = ChargeOutcome::new(charge, charge.now());
        for target in charge.targets() {
            let limit = target.limit().limit();
            let full = Bucket::full(limit, Timestamp::default());
            outcome.set(&target, Answer::Refuses, &full.at(limit, charge.now()));
        }
        outcome.into()
    }
}

fn memory() -> MemoryStore {
    MemoryStore::new(NonZeroUsize::new(1_000).unwrap(), WhenFull::SharedOverflow)
}

fn rule(tokens_per_second: u32, burst: u32) -> Rule {
    Rule::new(Limit::new(Rate::tokens_per_second(tokens_per_second), burst).unwrap())
}

fn category(tokens_per_second: u32, burst: u32) -> Policies {
    Policies::builder()
        .category(TIER, CATEGORY, rule(tokens_per_second, burst))
        .build()
        .unwrap()
}

struct Fixture {
    limiter: RateLimiter,
    clock: Arc<FakeClock>,
    recorder: Arc<Recorder>,
}

fn limiter(policies: Policies, store: impl Store + 'static) -> Fixture {
    let clock = Arc::new(FakeClock::new());
    let recorder = Arc::new(Recorder::default());
    let limiter = RateLimiter::builder()
        .policies(policies)
        .store(Arc::new(store))
        .clock(clock.clone())
        .observer(recorder.clone())
        .jitter(Jitter::none())
        .most_limited(NonZeroUsize::new(2).unwrap())
        .build()
        .unwrap();
    Fixture {
        limiter,
        clock,
        recorder,
    }
}

impl Fixture {
    async fn check(&self, tenant: &str, cost: u32) -> Decision {
        let request = RateLimitRequest::new(tenant, &TIER, &CATEGORY).with_cost(cost);
        self.limiter.check(&request).await.unwrap()
    }

    async fn admits(&self, tenant: &str, cost: u32) -> bool {
        self.check(tenant, cost).await.is_admitted()
    }
}

#[tokio::test]
async fn four_limits_are_decided_together_and_a_refusal_names_each_without_room() {
    let rules = Policies::builder()
        .tenant(TIER, rule(1, 40))
        .category(TIER, CATEGORY, rule(1, 30))
        .key(TIER, CATEGORY, rule(2, 20))
        .address(TIER, CATEGORY, rule(1, 20));
    let Fixture { limiter, .. } = limiter(rules.build().unwrap(), memory());
    let request = RateLimitRequest::new("acme", &TIER, &CATEGORY)
        .with_key("key-1")
        .with_address(IpAddr::from([192, 0, 2, 1]));
    assert!(
        limiter
            .check(&request.with_cost(18))
            .await
            .unwrap()
            .is_admitted()
    );
    let decision = limiter.check(&request.with_cost(10)).await.unwrap();
    let Decision::Refused(refused) = &decision else {
        panic!("two of twenty are left")
    };
    let violated: Vec<_> = refused.violated().map(|name| name.as_str()).collect();
    assert_eq!(violated, ["key", "address"]);
    assert_eq!(
        refused.retry(),
        Retry::After(Duration::from_secs(8)),
        "the longest of 4 s and 8 s"
    );
    let left: Vec<_> = decision
        .limits()
        .map(|(_, status)| status.remaining())
        .collect();
    assert_eq!(left, [22, 12, 2, 2], "nothing was taken");
}

#[tokio::test]
async fn stores_that_do_not_answer_at_once_are_waited_for() {
    let fixture = limiter(category(1, 1), Boxed(memory()));
    assert!(fixture.admits("acme", 1).await);
    assert!(!fixture.admits("acme", 1).await);
}

#[tokio::test]
async fn a_refusal_of_the_store_stands_though_its_level_has_room() {
    let fixture = limiter(category(1, 1), Stern);
    let request = RateLimitRequest::new("acme", &TIER, &CATEGORY);
    let decision = fixture.limiter.check(&request).await.unwrap();
    let Decision::Refused(refused) = &decision else {
        panic!("the store refuses")
    };
    assert_eq!(refused.retry(), Retry::After(Duration::ZERO));
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn an_error_of_the_store_is_no_decision() {
    let Fixture {
        limiter, recorder, ..
    } = limiter(category(1, 1), Down);
    let checked = limiter
        .check(&RateLimitRequest::new("acme", &TIER, &CATEGORY))
        .await;
    assert!(matches!(
        checked,
        Err(CheckError::Store(StoreError::Unavailable(_)))
    ));
    assert_eq!(recorder.take(), [""; 0]);
}

#[tokio::test]
async fn a_tier_or_category_without_policy_is_an_error() {
    let Fixture { limiter, .. } = limiter(category(1, 1), memory());
    for (tier, category) in [(Tier::FREE, CATEGORY), (TIER, Category::READ)] {
        let checked = limiter
            .check(&RateLimitRequest::new("acme", &tier, &category))
            .await;
        assert!(matches!(checked, Err(CheckError::NoPolicy)));
    }
}

#[tokio::test]
async fn addresses_are_limited_before_the_tenant_is_known() {
    let policies = Policies::builder()
        .client_address(rule(1, 2))
        .build()
        .unwrap();
    let Fixture { limiter, .. } = limiter(policies, memory());
    let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
    assert!(limiter.check_address(one).await.unwrap().is_admitted());
    assert!(limiter.check_address(one).await.unwrap().is_admitted());
    assert!(!limiter.check_address(one).await.unwrap().is_admitted());
    assert!(limiter.check_address(two).await.unwrap().is_admitted());
    assert_eq!(limiter.most_limited(), [], "an address is no tenant");
}

#[tokio::test]
async fn without_a_limit_addresses_are_admitted_and_nothing_is_advertised() {
    let Fixture { limiter, .. } = limiter(Policies::tier_defaults(), memory());
    let decision = limiter
        .check_address(IpAddr::from([192, 0, 2, 1]))
        .await
        .unwrap();
    assert!(decision.is_admitted());
    assert_eq!(decision.fields().count(), 0);
}

#[tokio::test]
async fn replaced_policies_hold_at_once_for_every_clone_and_keep_what_was_used() {
    let fixture = limiter(category(1, 10), memory());
    let clone = fixture.limiter.clone();
    assert!(fixture.admits("acme", 8).await);
    clone.replace_policies(category(3, 100));
    assert_eq!(*fixture.limiter.policies(), category(3, 100));
    assert!(!fixture.admits("acme", 93).await);
    assert!(fixture.admits("acme", 92).await);
    // Lowered: the bucket is used up, but owes no more than its new burst.
    clone.replace_policies(category(2, 4));
    let Decision::Refused(refused) = fixture.check("acme", 4).await else {
        panic!("used up")
    };
    assert_eq!(refused.retry(), Retry::After(Duration::from_secs(2)));
    fixture.clock.advance(Duration::from_secs(2));
    assert!(fixture.admits("acme", 4).await);
}

#[tokio::test]
async fn after_a_change_at_most_the_new_burst_and_rate_are_admitted() {
    for (rate, burst) in [(7, 3), (1, 30), (50, 11)] {
        let fixture = limiter(category(5, 10), memory());
        for _ in 0..7 {
            fixture.admits("acme", 1).await;
        }
        fixture.limiter.replace_policies(category(rate, burst));
        let mut admitted = 0;
        for tenth in 0..100 {
            while fixture.admits("acme", 1).await {
                admitted += 1;
                let bound = burst * 10 + rate * tenth;
                assert!(
                    admitted * 10 <= bound,
                    "{admitted} after {tenth} tenths of a second"
                );
            }
            fixture.clock.advance(Duration::from_millis(100));
        }
    }
}

#[tokio::test]
async fn a_cost_up_to_the_largest_takes_the_whole_burst_and_no_more() {
    let rules = Policies::builder()
        .tenant(TIER, rule(1, 40))
        .category(TIER, CATEGORY, rule(1, 30));
    let fixture = limiter(rules.build().unwrap(), memory());
    let request = RateLimitRequest::new("acme", &TIER, &CATEGORY);
    for (tokens, left) in [(7, [33, 23]), (100, [33, 23])] {
        let request = request.with_cost_up_to_largest(tokens);
        let decision = fixture.limiter.check(&request).await.unwrap();
        let remaining: Vec<_> = decision
            .limits()
            .map(|(_, status)| status.remaining())
            .collect();
        assert_eq!(remaining, left, "{tokens}");
    }
    // A minute later the category has its whole burst of 30 again.
    fixture.clock.advance(Duration::from_secs(60));
    let request = request.with_cost_up_to_largest(100);
    let decision = fixture.limiter.check(&request).await.unwrap();
    assert!(decision.is_admitted());
    let remaining: Vec<_> = decision
        .limits()
        .map(|(_, status)| status.remaining())
        .collect();
    assert_eq!(remaining, [10, 0]);
}

#[tokio::test]
async fn the_largest_cost_is_the_smallest_enforced_burst() {
    let rules = Policies::builder()
        .tenant(TIER, rule(1, 40))
        .category(TIER, CATEGORY, rule(1, 30))
        .key(TIER, CATEGORY, rule(1, 5).shadow());
    let fixture = limiter(rules.build().unwrap(), memory());
    assert_eq!(fixture.limiter.largest_cost(&TIER, &CATEGORY), Some(30));
    assert!(fixture.admits("acme", 30).await);
    assert_eq!(fixture.limiter.largest_cost(&TIER, &Category::READ), None);
}

#[tokio::test]
async fn events_tell_of_decisions_shadows_and_limits_that_are_nearly_used_up() {
    let rules = |shadow: Rule| -> PoliciesBuilder {
        Policies::builder()
            .category(TIER, CATEGORY, rule(1, 20))
            .key(TIER, CATEGORY, shadow)
    };
    let Fixture {
        limiter, recorder, ..
    } = limiter(rules(rule(1, 5).shadow()).build().unwrap(), memory());
    let request = RateLimitRequest::new("acme", &TIER, &CATEGORY).with_key("key-1");
    let cost = |cost| request.with_cost(cost);

    limiter.check(&cost(0)).await.unwrap();
    assert_eq!(recorder.take(), [""; 0], "a peek is no decision");
    limiter.check(&cost(5)).await.unwrap();
    assert_eq!(
        recorder.take(),
        ["admitted standard/ingest"],
        "15 of 20 left, shadows keep quiet"
    );
    limiter.check(&cost(13)).await.unwrap();
    assert_eq!(
        recorder.take(),
        ["admitted standard/ingest", "exceeded key Shadow"],
        "2 left"
    );
    limiter.check(&cost(1)).await.unwrap();
    assert_eq!(
        recorder.take(),
        [
            "admitted standard/ingest",
            "near category",
            "exceeded key Shadow"
        ],
        "one of twenty left"
    );
    limiter.check(&cost(2)).await.unwrap();
    assert_eq!(
        recorder.take(),
        [
            "refused standard/ingest",
            "exceeded category Enforced",
            "exceeded key Shadow"
        ]
    );
}

#[tokio::test]
async fn the_most_limited_tenants_are_listed() {
    let fixture = limiter(category(1, 1), memory());
    for (tenant, requests) in [("calm", 1), ("eager", 3), ("greedy", 9)] {
        for _ in 0..requests {
            fixture.check(tenant, 1).await;
        }
    }
    fixture.clock.advance(Duration::from_secs(5));
    let limited = fixture.limiter.most_limited();
    let listed: Vec<_> = limited
        .iter()
        .map(|one| (one.tenant.as_str(), one.refusals))
        .collect();
    assert_eq!(listed, [("greedy", 8), ("eager", 2)]);
    assert_eq!(limited[0].last_refused, Duration::from_secs(5));
}

#[test]
fn a_limiter_needs_policies_and_a_store() {
    let built = RateLimiter::builder().store(Arc::new(memory())).build();
    assert_eq!(built.unwrap_err(), BuildError::NoPolicies);
    let built = RateLimiter::builder()
        .policies(Policies::tier_defaults())
        .build();
    assert_eq!(built.unwrap_err(), BuildError::NoStore);
}
