//! The store in memory: several limits at once, a store that is full, and limits changed while
//! tokens used still count.
//!
//! `cargo run -p portcullis-ratelimit --example memory_store`

use std::{error::Error, num::NonZeroUsize, sync::Arc, time::Duration};

use portcullis_ratelimit::{
    Category, Decision, RateLimitRequest, RateLimiter, Tier,
    bucket::Retry,
    clock::FakeClock,
    policy::{Limit, Policies, Rate, Rule},
    store::{MemoryStore, WhenFull},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let rule =
        |per_second, burst| Limit::new(Rate::tokens_per_second(per_second), burst).map(Rule::new);
    let policies = Policies::builder().tenant(Tier::FREE, rule(10, 30)?).key(
        Tier::FREE,
        Category::INGEST,
        rule(5, 10)?,
    );
    let clock = Arc::new(FakeClock::new());
    let capacity = NonZeroUsize::new(4).ok_or("above zero")?;
    let store = Arc::new(MemoryStore::new(capacity, WhenFull::SharedOverflow));
    let limiter = RateLimiter::builder()
        .policies(policies.build()?)
        .store(store.clone())
        .clock(clock.clone())
        .build()?;

    // Two limits, all or nothing: the tenant has 30 tokens, each key 10.
    let request = RateLimitRequest::new("acme", &Tier::FREE, &Category::INGEST).with_cost(8);
    assert!(limiter.check(&request.with_key("one")).await?.is_admitted());
    let Decision::Refused(refused) = limiter.check(&request.with_key("one")).await? else {
        return Err("two tokens of the key are left".into());
    };
    let violated: Vec<_> = refused.violated().map(|name| name.as_str()).collect();
    assert_eq!(violated, ["key"]);
    assert_eq!(refused.retry(), Retry::After(Duration::from_millis(1_200)));
    clock.advance(Duration::from_millis(1_200));
    assert!(limiter.check(&request.with_key("one")).await?.is_admitted());

    // Changed while running: what was used still counts under the new numbers.
    let policies = Policies::builder().tenant(Tier::FREE, rule(10, 100)?);
    let policies = policies.category(Tier::FREE, Category::INGEST, rule(100, 100)?);
    limiter.replace_policies(policies.build()?);
    let decision = limiter.check(&request.with_cost(0)).await?;
    let remaining: Vec<_> = decision
        .limits()
        .map(|(_, status)| status.remaining())
        .collect();
    assert_eq!(remaining, [92, 100], "8 of the tenant's tokens are in use");

    // Full: four buckets at most, and one shared by all that found no room. Nothing is forgotten.
    for tenant in ["a", "b", "c", "d", "e"] {
        let request = RateLimitRequest::new(tenant, &Tier::FREE, &Category::INGEST);
        assert!(limiter.check(&request).await?.is_admitted());
    }
    let stats = store.stats();
    assert!(stats.entries <= 4 + 2 && stats.overflowed > 0, "{stats:?}");
    assert_eq!(stats.forgotten, 0);
    Ok(())
}
