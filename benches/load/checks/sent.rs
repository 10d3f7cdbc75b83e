//! Requests sent at given times, to see which of them are admitted.

use std::{sync::Arc, time::Duration};

use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    policy::{Limit, Policies, Rate, Rule},
    store::RedisStore,
};
use tokio::{runtime, task::JoinSet, time::sleep};

use super::limiter::DEADLINE;
use crate::{Failure, now};

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;

/// Requests of one tenant.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// One limit or two of the tenant: tokens, the seconds that they come in, and the burst.
    pub(crate) limits: Vec<(u32, u64, u32)>,
    /// When each is sent, from the first on.
    pub(crate) at_millis: Vec<u64>,
}

/// Sends them for a tenant of this number, and says when those that were admitted were sent, in milliseconds.
pub(crate) fn send(url: &str, tenant: u64, sent: Sent) -> Result<Vec<f64>, Failure> {
    let mut policies = Policies::builder();
    for (number, (tokens, seconds, burst)) in sent.limits.into_iter().enumerate() {
        let rate = Rate::tokens_per(tokens, Duration::from_secs(seconds));
        let rule = Rule::new(Limit::new(rate, burst)?);
        policies = match number {
            0 => policies.category(TIER, CATEGORY, rule),
            _ => policies.tenant(TIER, rule),
        };
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = RedisStore::builder([url])?.deadline(DEADLINE).build()?;
        let limiter = RateLimiter::builder()
            .policies(policies.build()?)
            .store(Arc::new(store))
            .build()?;
        let tenant: Arc<str> = format!("sent-{tenant}").into();
        let start = now();
        let mut under_way = JoinSet::new();
        for millis in sent.at_millis {
            let due = start + Duration::from_millis(millis);
            if let Some(early) = due.checked_duration_since(now()) {
                sleep(early).await;
            }
            let (limiter, tenant) = (limiter.clone(), Arc::clone(&tenant));
            under_way.spawn(async move {
                let at = now().duration_since(start).as_secs_f64() * 1e3;
                let request = RateLimitRequest::new(&tenant, &TIER, &CATEGORY);
                let is_admitted = limiter.check(&request).await?.is_admitted();
                Ok::<_, Failure>(is_admitted.then_some(at))
            });
        }
        let mut admitted = Vec::new();
        while let Some(ended) = under_way.join_next().await {
            admitted.extend(ended??);
        }
        admitted.sort_by(f64::total_cmp);
        Ok(admitted)
    })
}
