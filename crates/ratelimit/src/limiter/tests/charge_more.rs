//! Requests that are charged twice, and limits that owe.

use super::*;
use crate::decision::{Admitted, Refused};

fn owing(tokens_per_second: u32, burst: u32, debt: u32) -> Rule {
    let limit = Limit::new(Rate::tokens_per_second(tokens_per_second), burst).unwrap();
    Rule::new(limit.with_debt(debt).unwrap())
}

fn request() -> RateLimitRequest<'static> {
    RateLimitRequest::new("acme", &TIER, &CATEGORY).with_key("k")
}

impl Fixture {
    async fn first(&self) -> Admitted {
        let request = request().more_to_come();
        match self.limiter.check(&request).await.unwrap() {
            Decision::Admitted(admitted) => admitted,
            Decision::Refused(refused) => panic!("{refused:?}"),
        }
    }

    async fn rest(&self, admitted: &Admitted, cost: u32) -> Decision {
        let rest = request().with_cost(cost);
        admitted.charge_more(&self.limiter, &rest).await.unwrap()
    }

    async fn refused(&self, admitted: &Admitted, cost: u32) -> Refused {
        match self.rest(admitted, cost).await {
            Decision::Refused(refused) => refused,
            Decision::Admitted(admitted) => panic!("{admitted:?}"),
        }
    }

    async fn left(&self) -> Vec<u32> {
        let peek = self.limiter.check(&request().with_cost(0)).await.unwrap();
        peek.limits()
            .map(|(_, status)| status.remaining())
            .collect()
    }
}

fn seconds(seconds: u64) -> Retry {
    Retry::After(Duration::from_secs(seconds))
}

#[tokio::test]
async fn a_full_batch_after_an_idle_time_passes_though_its_first_token_is_taken() {
    let rules = Policies::builder().category(TIER, CATEGORY, owing(10, 20, 1_256));
    let fixture = limiter(rules.build().unwrap(), memory());
    let admitted = fixture.first().await;
    assert!(fixture.rest(&admitted, 1_255).await.is_admitted());
    assert_eq!(fixture.left().await, [0]);
    let Decision::Refused(refused) = fixture.check("acme", 1).await else {
        panic!("1,256 tokens are owed")
    };
    assert_eq!(
        refused.retry(),
        Retry::After(Duration::from_millis(123_700))
    );
    let fields: Vec<_> = Decision::Refused(refused).fields().collect();
    assert_eq!(fields[0].1, "\"category\";q=20;w=2");
    assert_eq!(fields[1].1, "\"category\";r=0;t=124");
    assert_eq!(fields[2].1, "124");
    fixture.clock.advance(Duration::from_millis(123_700));
    assert!(fixture.admits("acme", 1).await);
}

#[tokio::test]
async fn a_refused_rest_keeps_the_first_charge_and_waits_for_the_whole_request() {
    let rules =
        Policies::builder()
            .tenant(TIER, rule(1, 30))
            .category(TIER, CATEGORY, owing(1, 20, 100));
    let fixture = limiter(rules.build().unwrap(), memory());
    let (one, other) = (fixture.first().await, fixture.first().await);
    // The category is not all free, as a request of 25 needs it; the tenant has room for 24 more,
    // but would not have it for 25 and the two that are taken, only from the 27th on.
    let refused = fixture.refused(&one, 24).await;
    let violated: Vec<_> = refused.violated().map(|name| name.as_str()).collect();
    assert_eq!((violated, refused.retry()), (vec!["category"], seconds(2)));
    assert_eq!(fixture.left().await, [28, 18], "the first charges only");
    let refused = fixture.refused(&one, 31).await;
    assert_eq!(refused.retry(), Retry::NeverSatisfiable, "for the tenant");
    // What the other has taken does not matter to a request within the burst.
    assert!(fixture.rest(&other, 17).await.is_admitted());
    assert_eq!(fixture.left().await, [11, 1]);
    let refused = fixture.refused(&one, 2).await;
    assert_eq!(refused.retry(), seconds(2));
    fixture.clock.advance(Duration::from_secs(2));
    let again = fixture.first().await;
    assert!(fixture.rest(&again, 2).await.is_admitted());
    assert_eq!(fixture.left().await, [10, 0]);
}

#[tokio::test]
async fn the_wait_counts_limits_that_had_room_for_the_rest_alone() {
    let rules =
        Policies::builder()
            .tenant(TIER, rule(1, 25))
            .category(TIER, CATEGORY, rule(10, 20));
    let fixture = limiter(rules.build().unwrap(), memory());
    assert!(fixture.admits("acme", 13).await);
    let admitted = fixture.first().await;
    // 11 are left of 25 and 6 of 20. Seven more are too many for the category alone, for 0.2 s if
    // all eight are to be taken; eight of 25 are there at once.
    let refused = fixture.refused(&admitted, 7).await;
    assert_eq!(refused.retry(), Retry::After(Duration::from_millis(200)));
    // Eleven more: the tenant has room for them, but not for twelve.
    let refused = fixture.refused(&admitted, 11).await;
    let violated: Vec<_> = refused.violated().map(|name| name.as_str()).collect();
    assert_eq!((violated, refused.retry()), (vec!["category"], seconds(1)));
}

#[tokio::test]
async fn what_is_affordable_is_admitted_and_one_more_is_not() {
    for (used, first) in [(0, 1), (1, 1), (5, 1), (12, 1), (0, 3)] {
        let rules = Policies::builder()
            .tenant(TIER, owing(1, 30, 7))
            .category(TIER, CATEGORY, owing(1, 20, 100))
            .key(TIER, CATEGORY, owing(1, 2, 0).shadow());
        let fixture = limiter(rules.build().unwrap(), memory());
        fixture.check("acme", used).await;
        let decision = fixture.limiter.check(&request().with_cost(first)).await;
        let decision = decision.unwrap();
        let affordable = decision.affordable().unwrap();
        let expected = if used == 0 {
            37 - first
        } else {
            20 - used - first
        };
        assert_eq!(affordable, expected, "{used} were used");
        let Decision::Admitted(admitted) = decision else {
            panic!("{used} of 20 were used")
        };
        let refused = fixture.refused(&admitted, affordable + 1).await;
        assert_eq!(Decision::Refused(refused).affordable(), Some(affordable));
        assert!(fixture.rest(&admitted, affordable).await.is_admitted());
    }
}

#[tokio::test]
async fn a_request_that_is_charged_twice_is_reported_once() {
    let rules = Policies::builder()
        .category(TIER, CATEGORY, owing(1, 5, 2))
        .key(TIER, CATEGORY, rule(1, 1).shadow());
    let fixture = limiter(rules.build().unwrap(), memory());
    let recorder = &fixture.recorder;
    let admitted = fixture.first().await;
    let more = request().with_cost(1).more_to_come();
    let decision = admitted.charge_more(&fixture.limiter, &more).await.unwrap();
    let Decision::Admitted(admitted) = decision else {
        panic!("{decision:?}")
    };
    assert_eq!(admitted.taken(), 2);
    assert_eq!(recorder.take(), [""; 0], "more is to come");
    assert!(fixture.rest(&admitted, 0).await.is_admitted());
    let all = ["admitted standard/ingest", "exceeded key Shadow"];
    assert_eq!(recorder.take(), all);
    fixture.clock.advance(Duration::from_secs(1));

    // The shadow limit has no room for the first charge, and says so once.
    let admitted = fixture.first().await;
    assert!(fixture.rest(&admitted, 1).await.is_admitted());
    let exceeded = ["admitted standard/ingest", "exceeded key Shadow"];
    assert_eq!(recorder.take(), exceeded);

    let admitted = fixture.first().await;
    fixture.refused(&admitted, 4).await;
    let refused = [
        "refused standard/ingest",
        "exceeded category Enforced",
        "exceeded key Shadow",
    ];
    assert_eq!(recorder.take(), refused);
    assert_eq!(fixture.limiter.most_limited()[0].refusals, 1);

    fixture.first().await;
    assert!(
        !fixture
            .limiter
            .check(&request())
            .await
            .unwrap()
            .is_admitted()
    );
    assert_eq!(recorder.take(), refused);
}

/// A shadow limit that the first charge has exceeded does not take in the rest: enforced, it would
/// have refused the request.
#[tokio::test]
async fn a_shadow_that_had_no_room_for_the_first_charge_is_charged_nothing_of_the_rest() {
    let rules = Policies::builder()
        .category(TIER, CATEGORY, rule(1, 50))
        .key(TIER, CATEGORY, owing(1, 1, 50).shadow());
    let fixture = limiter(rules.build().unwrap(), memory());
    assert!(fixture.admits_key(1).await);
    let admitted = fixture.first().await;
    let decision = fixture.rest(&admitted, 9).await;
    let waits: Vec<_> = decision
        .limits()
        .map(|(_, status)| status.next_token())
        .collect();
    assert_eq!(
        waits,
        [Some(Duration::from_secs(1)); 2],
        "one of one is used"
    );
    assert!(decision.is_admitted());
}

impl Fixture {
    async fn admits_key(&self, cost: u32) -> bool {
        let request = request().with_cost(cost);
        self.limiter.check(&request).await.unwrap().is_admitted()
    }
}

#[tokio::test]
async fn the_rest_is_charged_by_the_policy_that_admitted_the_first_charge() {
    let rules = Policies::builder().category(TIER, CATEGORY, owing(10, 20, 100));
    let fixture = limiter(rules.build().unwrap(), memory());
    let admitted = fixture.first().await;
    fixture.limiter.replace_policies(category(10, 5));
    assert!(fixture.rest(&admitted, 99).await.is_admitted());
    assert!(!fixture.admits("acme", 1).await);
    fixture.limiter.replace_policies(category(100, 200));
    assert_eq!(fixture.left().await, [100], "all 100 are kept");
}

#[tokio::test]
async fn a_cost_up_to_the_largest_counts_the_first_charge() {
    let rules = Policies::builder().category(TIER, CATEGORY, owing(10, 20, 100));
    let fixture = limiter(rules.build().unwrap(), memory());
    assert_eq!(fixture.limiter.largest_cost(&TIER, &CATEGORY), Some(120));
    let admitted = fixture.first().await;
    let rest = request().with_cost_up_to_largest(1_000);
    let decision = admitted.charge_more(&fixture.limiter, &rest).await.unwrap();
    assert!(decision.is_admitted());
    let Decision::Refused(refused) = fixture.check("acme", 20).await else {
        panic!("120 tokens are owed")
    };
    assert_eq!(refused.retry(), seconds(12));
}

#[tokio::test]
async fn an_address_has_no_second_charge() {
    let rules = Policies::builder().client_address(rule(1, 2));
    let fixture = limiter(rules.build().unwrap(), memory());
    let address = IpAddr::from([192, 0, 2, 1]);
    let decision = fixture.limiter.check_address(address).await.unwrap();
    let Decision::Admitted(admitted) = decision else {
        panic!("{decision:?}")
    };
    let charged = admitted.charge_more(&fixture.limiter, &request()).await;
    assert!(matches!(charged, Err(CheckError::NotARequest)));
}
