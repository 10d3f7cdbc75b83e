//! Fields and problem bodies against the draft.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use super::{Decision, Refused, retry_after};
use crate::{
    bucket::Retry,
    clock::FakeClock,
    jitter::Jitter,
    limiter::RateLimiter,
    name::{Category, LimitName, Tier},
    policy::{Limit, Policies, PoliciesBuilder, Rate, Rule},
    request::RateLimitRequest,
    store::{
        Charge, ChargeFuture, FallbackStore, MemoryStore, Source, Store, StoreError, WhenFull,
    },
};

const TIER: Tier = Tier::FREE;
const CATEGORY: Category = Category::INGEST;

struct Fixture {
    limiter: RateLimiter,
    clock: Arc<FakeClock>,
}

fn with(rules: PoliciesBuilder, jitter: Jitter) -> Fixture {
    let capacity = NonZeroUsize::new(100).unwrap();
    let store = MemoryStore::new(capacity, WhenFull::SharedOverflow);
    with_store(rules, jitter, Arc::new(store))
}

fn with_store(rules: PoliciesBuilder, jitter: Jitter, store: Arc<dyn Store>) -> Fixture {
    let clock = Arc::new(FakeClock::new());
    let limiter = RateLimiter::builder()
        .policies(rules.build().unwrap())
        .store(store)
        .clock(clock.clone())
        .jitter(jitter)
        .build()
        .unwrap();
    Fixture { limiter, clock }
}

impl Fixture {
    async fn check(&self, cost: u32) -> Decision {
        let request = RateLimitRequest::new("acme", &TIER, &CATEGORY)
            .with_key("k")
            .with_cost(cost);
        self.limiter.check(&request).await.unwrap()
    }

    async fn refused(&self, cost: u32) -> (Decision, Refused) {
        match self.check(cost).await {
            Decision::Refused(refused) => (Decision::Refused(refused.clone()), refused),
            Decision::Admitted(_) => panic!("expected a refusal"),
        }
    }
}

fn rule(rate: Rate, burst: u32) -> Rule {
    Rule::new(Limit::new(rate, burst).unwrap())
}

fn burst_and_daily() -> PoliciesBuilder {
    let name = |name| LimitName::new(name).unwrap();
    Policies::builder()
        .tenant(
            TIER,
            rule(Rate::tokens_per_minute(100), 100).named(name("burst")),
        )
        .category(
            TIER,
            CATEGORY,
            rule(Rate::tokens_per_day(1_000), 1_000).named(name("daily")),
        )
        .key(TIER, CATEGORY, rule(Rate::tokens_per_second(1), 1).shadow())
}

/// The field of the draft's introduction: `"burst";q=100;w=60,"daily";q=1000;w=86400`
/// (draft-ietf-httpapi-ratelimit-headers, section "RateLimit-Policy Field").
#[tokio::test]
async fn fields_have_the_form_of_the_draft_and_leave_shadows_out() {
    let fixture = with(burst_and_daily(), Jitter::none());
    let decision = fixture.check(50).await;
    let fields: Vec<_> = decision.fields().collect();
    assert_eq!(
        fields,
        [
            (
                "ratelimit-policy",
                r#""burst";q=100;w=60, "daily";q=1000;w=86400"#.to_owned()
            ),
            // The next token is there in 0.6 s and in 86.4 s.
            (
                "ratelimit",
                r#""burst";r=50;t=1, "daily";r=950;t=87"#.to_owned()
            ),
        ]
    );
}

#[tokio::test]
async fn a_full_bucket_says_no_time() {
    let fixture = with(burst_and_daily(), Jitter::none());
    let decision = fixture.check(0).await;
    assert_eq!(
        decision.rate_limit().unwrap(),
        r#""burst";r=100, "daily";r=1000"#
    );
}

#[tokio::test]
async fn a_refusal_names_only_the_limits_that_refused_and_the_longest_wait() {
    let fixture = with(burst_and_daily(), Jitter::none());
    fixture.check(99).await;
    let (decision, refused) = fixture.refused(5).await;
    assert_eq!(refused.retry(), Retry::After(Duration::from_millis(2_400)));
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(3)));
    let fields: Vec<_> = decision.fields().collect();
    assert_eq!(fields[1], ("ratelimit", r#""burst";r=1;t=1"#.to_owned()));
    assert_eq!(fields[2], ("retry-after", "3".to_owned()));

    for _ in 0..9 {
        fixture.clock.advance(Duration::from_secs(60));
        fixture.check(100).await;
    }
    let (decision, refused) = fixture.refused(100).await;
    let violated: Vec<_> = refused.violated().map(LimitName::as_str).collect();
    assert_eq!(violated, ["burst", "daily"]);
    // 999 were taken and 540 s at 1,000 a day gave back 6.25, so 7.25 are left.
    let missing = Duration::from_micros(8_013_600_000);
    assert_eq!(refused.retry(), Retry::After(missing));
    assert_eq!(
        decision.rate_limit().unwrap(),
        r#""burst";r=0;t=1, "daily";r=7;t=65"#
    );
}

#[tokio::test]
async fn retry_after_is_at_least_a_second_and_never_too_early() {
    let rules =
        || Policies::builder().category(TIER, CATEGORY, rule(Rate::tokens_per_second(50), 1));
    let fixture = with(rules(), Jitter::none());
    fixture.check(1).await;
    let (_, refused) = fixture.refused(1).await;
    assert_eq!(refused.retry(), Retry::After(Duration::from_millis(20)));
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));

    assert_eq!(
        retry_after(Retry::After(Duration::ZERO), &Jitter::none()),
        Some(NonZeroU64::MIN)
    );

    let fixture = with(rules(), Jitter::seeded(3));
    fixture.check(1).await;
    let mut waits = Vec::new();
    for _ in 0..50 {
        waits.push(fixture.refused(1).await.1.retry_after().unwrap().as_secs());
    }
    assert!(waits.contains(&1) && waits.contains(&2), "{waits:?}");
    assert!(waits.iter().all(|wait| (1..=2).contains(wait)), "{waits:?}");
}

#[tokio::test]
async fn the_problem_is_the_one_of_the_draft() {
    let fixture = with(burst_and_daily(), Jitter::none());
    fixture.check(100).await;
    let (_, refused) = fixture.refused(1).await;
    let problem = refused.problem();
    assert_eq!(
        problem.kind,
        "https://iana.org/assignments/http-problem-types#quota-exceeded"
    );
    assert_eq!(problem.status, 429);
    assert_eq!(problem.violated_policies, ["burst"]);
}

#[tokio::test]
async fn a_cost_above_the_burst_is_not_to_be_tried_again() {
    let fixture = with(burst_and_daily(), Jitter::none());
    let (decision, refused) = fixture.refused(101).await;
    assert_eq!(refused.retry(), Retry::NeverSatisfiable);
    assert_eq!(refused.retry_after(), None);
    assert!(refused.problem().detail.contains("Split"));
    assert!(decision.fields().all(|(name, _)| name != "retry-after"));
}

/// A store that is down.
#[derive(Debug)]
struct Down;

impl Store for Down {
    fn charge<'a>(&'a self, _: &'a Charge<'a>) -> ChargeFuture<'a> {
        ChargeFuture::ready(Err(StoreError::Unavailable("down".into())))
    }
}

#[tokio::test]
async fn a_refusal_by_a_fallback_is_a_temporary_reduction() {
    let store = FallbackStore::builder(Arc::new(Down)).build();
    let fixture = with_store(burst_and_daily(), Jitter::none(), Arc::new(store));
    // Of a burst of 100, a half; the fields tell of that.
    let decision = fixture.check(49).await;
    assert!(decision.is_admitted());
    assert_eq!(
        decision.rate_limit().unwrap(),
        r#""burst";r=1;t=2, "daily";r=451;t=173"#
    );
    let (decision, refused) = fixture.refused(2).await;
    assert_eq!(decision.source(), Source::Fallback);
    let problem = refused.problem();
    assert_eq!(
        problem.kind,
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    );
    assert_eq!(problem.status, 503);
    assert_eq!(problem.violated_policies, ["burst"]);
    // Two tokens of the bucket are missing, at 100 a minute: 1.2 s.
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(2)));

    let (_, refused) = fixture.refused(51).await;
    assert_eq!(refused.retry_after(), None, "more than the half");
    assert!(refused.problem().detail.contains("later"));
}

#[tokio::test]
async fn a_second_charge_is_reduced_as_the_first_is() {
    let store = FallbackStore::builder(Arc::new(Down)).build();
    let fixture = with_store(burst_and_daily(), Jitter::none(), Arc::new(store));
    let Decision::Admitted(admitted) = fixture.check(1).await else {
        panic!("49 more are left");
    };
    assert_eq!(admitted.affordable(), Some(49));
    let rest = RateLimitRequest::new("acme", &TIER, &CATEGORY).with_key("k");
    for (cost, is_admitted) in [(50, false), (49, true)] {
        let rest = rest.with_cost(cost);
        let decision = admitted.charge_more(&fixture.limiter, &rest).await.unwrap();
        assert_eq!(decision.is_admitted(), is_admitted, "{cost}");
    }
}
