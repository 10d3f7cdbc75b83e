//! What a limiter reports.

use std::{fmt::Debug, time::Duration};

#[cfg(feature = "tower")]
use crate::error::{CheckError, ExtractError};
use crate::{
    policy::{Policy, PolicyLimit},
    store::Source,
};

pub use portcullis_breaker::BreakerState;

/// Where a limiter reports what it decides, for metrics.
///
/// # Contract
/// Called within every check, on its thread: it must be quick and must not block.
pub trait Observer: Debug + Send + Sync {
    /// Takes one event.
    fn observe(&self, event: &Event<'_>);
}

/// What happened. No event carries a tenant, a key or an address, so every part is fit for a
/// metric label.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request that costs something was admitted.
    Admitted {
        /// The policy it was checked against.
        policy: &'a Policy,
        /// Which kind of store decided.
        source: Source,
    },
    /// A request was refused.
    Refused {
        /// The policy it was checked against.
        policy: &'a Policy,
        /// Which kind of store decided.
        source: Source,
    },
    /// A limit had no room for a request. If the limit is enforced the request was refused; if it
    /// is a shadow, nothing else happened.
    Exceeded {
        /// The policy of the request.
        policy: &'a Policy,
        /// The limit without room.
        limit: &'a PolicyLimit,
    },
    /// An enforced limit admitted a request and has less than a tenth of its burst left.
    NearLimit {
        /// The policy of the request.
        policy: &'a Policy,
        /// The limit that is nearly used up.
        limit: &'a PolicyLimit,
    },
    /// A shared store was asked, and answered or did not.
    RoundTrip {
        /// How long that took.
        elapsed: Duration,
        /// How it ended.
        end: RoundTripEnd,
    },
    /// What stands between a shared store and its fallback has changed its mind.
    BreakerChanged {
        /// What holds from now on.
        state: BreakerState,
    },
    /// A fallback admitted a request, which is settled with the shared store later.
    FallbackAdmitted {
        /// The tokens taken of each limit.
        tokens: u32,
    },
    /// A shared store was told what a fallback had admitted meanwhile.
    Settled {
        /// The tokens, of all limits together.
        tokens: u64,
    },
    /// The layer could not check a request: there is no policy for it, or the store did not
    /// decide. The request was answered 503. Direct callers of
    /// [`RateLimiter::check`](crate::RateLimiter::check) get the error as its result instead.
    #[cfg(feature = "tower")]
    CheckFailed {
        /// What is wrong.
        error: &'a CheckError,
    },
    /// The layer could not tell what a request counts for, and did what its
    /// [`OnExtractError`](crate::layer::OnExtractError) says. If this happens to every request, an
    /// earlier layer is missing; the error names what is.
    #[cfg(feature = "tower")]
    KeyNotExtracted {
        /// What is wrong.
        error: &'a ExtractError,
    },
}

/// How asking a shared store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoundTripEnd {
    /// It decided.
    Answered,
    /// It did not answer within its deadline.
    TimedOut,
    /// It could not be reached, or answered with an error.
    Failed,
    /// Too many questions were under way already, so it was not asked.
    Crowded,
}
