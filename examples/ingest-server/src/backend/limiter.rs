//! The configured limiter.

use std::{num::NonZeroUsize, sync::Arc};

use portcullis_ratelimit::{
    BuildError, RateLimiter,
    observer::Observer,
    policy::{Limit, Policies, PolicyError, Rule},
    store::{MemoryStore, WhenFull},
};

use crate::{
    config::{LimitStore, Providers},
    limits,
};

/// Buckets that are kept at once; keys beyond it share one, so that none escapes its limit.
const MAX_BUCKETS: NonZeroUsize = NonZeroUsize::new(200_000).expect("200,000 is not zero");

/// The limiter cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LimiterError {
    #[error("the rate limiter cannot be built")]
    Build(#[from] BuildError),
    #[error("the default limits cannot be used")]
    Policies(#[from] PolicyError),
}

/// Makes the limiter over the store that is configured.
pub(super) fn configured(
    providers: Providers,
    observer: Option<Arc<dyn Observer>>,
) -> Result<RateLimiter, LimiterError> {
    let store = match providers.limits {
        LimitStore::Memory => Arc::new(MemoryStore::new(MAX_BUCKETS, WhenFull::SharedOverflow)),
    };
    let mut limiter = RateLimiter::builder()
        .policies(limits::complete(Policies::builder())?)
        .store(store);
    if let Some(observer) = observer {
        limiter = limiter.observer(observer);
    }
    Ok(limiter.build()?)
}

/// Makes the limiter of operators, by client network. It is this process's own for the same reason as
/// [`of_failures`].
pub(super) fn of_operators(
    observer: Option<Arc<dyn Observer>>,
) -> Result<RateLimiter, LimiterError> {
    let store = MemoryStore::new(MAX_NETWORKS, WhenFull::SharedOverflow);
    let mut limiter = RateLimiter::builder()
        .policies(limits::complete(Policies::builder())?)
        .store(Arc::new(store));
    if let Some(observer) = observer {
        limiter = limiter.observer(observer);
    }
    Ok(limiter.build()?)
}

/// Makes a limiter of attempts that failed, by client network. It is this process's own whatever store is
/// configured: it guards against noise, and must work where the store does not.
pub(super) fn of_failures(limit: Limit) -> Result<RateLimiter, LimiterError> {
    let policies = Policies::builder().client_address(Rule::new(limit));
    let store = MemoryStore::new(MAX_NETWORKS, WhenFull::SharedOverflow);
    let limiter = RateLimiter::builder()
        .policies(policies.build()?)
        .store(Arc::new(store));
    Ok(limiter.build()?)
}

/// Client networks that are counted apart; those beyond share one bucket.
const MAX_NETWORKS: NonZeroUsize = NonZeroUsize::new(10_000).expect("10,000 is not zero");
