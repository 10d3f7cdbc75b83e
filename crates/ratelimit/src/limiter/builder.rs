//! Putting a limiter together.

use std::{num::NonZeroUsize, sync::Arc};

use super::{InForce, RateLimiter, Shared};
use crate::{
    clock::{Clock, SystemClock},
    jitter::Jitter,
    limited::LimitedTenants,
    observer::Observer,
    policy::Policies,
    store::Store,
};

const DEFAULT_MOST_LIMITED: NonZeroUsize = NonZeroUsize::new(100).expect("above zero");

/// Puts a [`RateLimiter`] together. Policies and store are required.
#[derive(Debug, Default)]
pub struct RateLimiterBuilder {
    policies: Option<Policies>,
    store: Option<Arc<dyn Store>>,
    clock: Option<Arc<dyn Clock>>,
    observer: Option<Arc<dyn Observer>>,
    jitter: Option<Jitter>,
    most_limited: Option<NonZeroUsize>,
}

/// What is missing to build a [`RateLimiter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No policies were given.
    #[error("give the limiter its policies")]
    NoPolicies,
    /// No store was given.
    #[error("give the limiter a store")]
    NoStore,
}

impl RateLimiterBuilder {
    /// The limits to enforce.
    #[must_use]
    pub fn policies(self, policies: Policies) -> Self {
        Self {
            policies: Some(policies),
            ..self
        }
    }

    /// Where to count.
    #[must_use]
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        Self {
            store: Some(store),
            ..self
        }
    }

    /// Where to read the time; default: [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Some(clock),
            ..self
        }
    }

    /// Where to report events; default: nowhere.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// What to add to `Retry-After`; default: [`Jitter::make_random`].
    #[must_use]
    pub fn jitter(self, jitter: Jitter) -> Self {
        Self {
            jitter: Some(jitter),
            ..self
        }
    }

    /// How many tenants [`RateLimiter::most_limited`] keeps; default: 100.
    #[must_use]
    pub fn most_limited(self, tenants: NonZeroUsize) -> Self {
        Self {
            most_limited: Some(tenants),
            ..self
        }
    }

    /// The limiter.
    ///
    /// # Errors
    /// Policies or store are missing.
    pub fn build(self) -> Result<RateLimiter, BuildError> {
        let policies = self.policies.ok_or(BuildError::NoPolicies)?;
        let shared = Shared {
            policies: InForce::new(policies),
            store: self.store.ok_or(BuildError::NoStore)?,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            observer: self.observer,
            jitter: self.jitter.unwrap_or_else(Jitter::make_random),
            limited: LimitedTenants::new(self.most_limited.unwrap_or(DEFAULT_MOST_LIMITED)),
        };
        Ok(RateLimiter {
            shared: Arc::new(shared),
        })
    }
}
