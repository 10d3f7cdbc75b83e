//! The configured limiter.

use std::{num::NonZeroUsize, sync::Arc};

use portcullis_ratelimit::{
    BuildError, RateLimiter,
    observer::Observer,
    policy::{Policies, PolicyError},
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
