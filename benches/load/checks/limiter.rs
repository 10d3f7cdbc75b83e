//! Ours: a limiter with one limit on the server, and what stands in front of it.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    policy::{Limit, Policies, Rate, Rule},
    store::{DenialCache, LeaseStore, RedisStore, Store},
};

use super::Decider;
use crate::Failure;

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;
/// Above what one tenant is checked in a second, so that all are admitted.
const PER_SECOND: u32 = 100_000_000;
const CAPACITY: NonZeroUsize = NonZeroUsize::new(100_000).expect("above zero");
/// What is measured is how long it takes on a machine that may do something else; none is given up.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// A limiter, and what it is to say.
#[derive(Debug)]
pub(super) struct Limited {
    limiter: RateLimiter,
    admits: bool,
}

impl Limited {
    /// A connection is made with the first check.
    pub(super) fn connect(decider: Decider, url: &str, at_once: usize) -> Result<Self, Failure> {
        let most_in_flight = NonZeroUsize::new(at_once).ok_or("nothing at once")?;
        let redis = RedisStore::builder([url])?
            .deadline(DEADLINE)
            .most_in_flight(most_in_flight)
            .build()?;
        let redis: Arc<dyn Store> = Arc::new(redis);
        let (store, rate, burst): (Arc<dyn Store>, _, _) = match decider {
            Decider::Lease => (
                Arc::new(LeaseStore::builder(redis).build()),
                Rate::tokens_per_second(PER_SECOND),
                PER_SECOND,
            ),
            Decider::Denied => (
                Arc::new(DenialCache::new(redis, CAPACITY)),
                Rate::tokens_per_day(1),
                1,
            ),
            Decider::Bare | Decider::Exact => {
                (redis, Rate::tokens_per_second(PER_SECOND), PER_SECOND)
            }
        };
        let rule = Rule::new(Limit::new(rate, burst)?);
        let limiter = RateLimiter::builder()
            .policies(Policies::builder().category(TIER, CATEGORY, rule).build()?)
            .store(store)
            .build()?;
        Ok(Self {
            limiter,
            admits: decider != Decider::Denied,
        })
    }

    pub(super) async fn check(&self, tenant: &str) -> Result<(), Failure> {
        let request = RateLimitRequest::new(tenant, &TIER, &CATEGORY);
        let decision = self.limiter.check(&request).await?;
        if decision.is_admitted() != self.admits {
            // What is to be refused is admitted once, which uses it up.
            if self.admits || self.limiter.check(&request).await?.is_admitted() {
                return Err("the limiter did not answer what is measured".into());
            }
        }
        Ok(())
    }
}
