//! Where buckets are kept: the trait, what it takes and answers, the store in memory, and what stands in
//! front of a shared one.

mod charge;
mod denial_cache;
mod entries;
mod fallback;
mod fingerprint;
#[cfg(test)]
mod histories;
mod lease;
mod memory;
mod outcome;
mod pending;
#[cfg(feature = "redis")]
mod redis;
mod source;

use std::{
    error::Error,
    fmt,
    future::{Future, ready},
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(feature = "redis")]
pub use self::redis::{RedisConfigError, RedisHeartbeat, RedisMode, RedisStore, RedisStoreBuilder};
pub use self::{
    charge::{Charge, Corrections, Partition, Subject, Target},
    denial_cache::{DenialCache, DenialStats},
    fallback::{
        FallbackStats, FallbackStore, FallbackStoreBuilder, Fraction, FractionError, NodeCount,
        OnOutage,
    },
    lease::{LeaseStats, LeaseStore, LeaseStoreBuilder},
    memory::{MemoryStats, MemoryStore, WhenFull},
    outcome::{Answer, ChargeOutcome, LimitStatus},
    pending::PendingCharge,
    source::Source,
};
pub use portcullis_breaker::BreakerSettings;

/// Where buckets are kept.
///
/// # Contract
/// - **One step.** A charge reads all its buckets, decides, and writes, with no other charge of
///   the same [`Partition`] in between. All buckets of a charge belong to one partition, so an
///   implementation may lock, shard or place by it.
/// - **All or nothing.** If any enforced limit refuses, no bucket changes, those of shadow limits
///   included. Otherwise every enforced bucket is charged, and each shadow bucket that has room.
/// - **A cost of zero changes nothing.** It reads.
/// - **Debt.** A cost above the burst is admitted by a limit with
///   [debt](crate::policy::Limit::with_debt) while its whole burst is free, and charged in full; what
///   is kept of the bucket is up to `(burst + debt) · P` then.
/// - **The rest of a request.** A charge with [`before`](Charge::before) decides as one of
///   `before + cost` would have before the first charge, as
///   [`Level::charge_more`](crate::bucket::Level::charge_more) says, and takes its `cost`.
/// - **Corrections first.** What [`Target::correction`] says is added to the bucket, or taken off, before the
///   charge is decided and in the same step, as [`Level::corrected`](crate::bucket::Level::corrected) does; it
///   stays when the charge is refused, and when its cost is zero.
/// - **Exact.** Each limit decides as [`Bucket::at`](crate::bucket::Bucket::at) does, and a bucket
///   that was never charged is full. An implementation that forgets or merges buckets says when,
///   and whether that can admit more or only less.
/// - **Changed limits.** A bucket is kept under the limit's
///   [identity](crate::policy::PolicyLimit::identity) together with the
///   [scale](crate::bucket::Bucket::scale) it is counted in, so that it keeps the tokens used
///   when the numbers of its limit change.
/// - **Separate.** Buckets of two partitions, of two limits (by identity) or of two [`Subject`]s
///   are never the same, whatever characters their names have.
/// - **Its own time or the caller's.** [`Charge::now`] is the caller's clock; an implementation
///   that several processes share uses one clock for all of them instead.
///
/// The suite `conformance::store` (feature `conformance`) checks this. The example `own_store`
/// shows an implementation that keeps its buckets as bytes.
///
/// # Writing one
/// A store that can run Rust between status and writing reads the bucket of each of
/// [`Charge::targets`], calls [`Charge::decide`], and writes [`PendingCharge::updates`]. A store
/// that decides elsewhere, such as in a script on a server, gets the numbers from
/// [`Limit::scale`](crate::policy::Limit::scale), [`Limit::volume`](crate::policy::Limit::volume),
/// [`Limit::most_volume`](crate::policy::Limit::most_volume), [`Target::correction`], [`Charge::before`] and
/// [`Charge::cost`], and gives what comes back to [`ChargeOutcome::set`] for each target, by
/// [`Bucket::new`](crate::bucket::Bucket::new) and `at`.
pub trait Store: fmt::Debug + Send + Sync {
    /// Decides a charge, and carries it out if every enforced limit has room.
    ///
    /// # Errors
    /// The future fails if the store could not decide. It may have charged nevertheless.
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a>;
}

/// A future of a [`ChargeOutcome`] that needs no allocation where nothing has to be waited for.
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: the outcome is known or it is not"
)]
pub enum ChargeFuture<'a> {
    /// Decided already.
    Decided(ChargeOutcome),
    /// Still to be decided, or failed. After dropping it, the caller does not know whether it charged.
    Boxed(Pin<Box<dyn Future<Output = Result<ChargeOutcome, StoreError>> + Send + 'a>>),
}

/// Why a [`Store`] did not decide.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached or did not answer in time, and may have charged nevertheless.
    #[error("the store of the rate limits did not answer; check that it is up and reachable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It was not asked about this charge, as where too many calls of this process are under way. Nothing
    /// was charged, and nothing is known of whether the store is up.
    #[error("the store of the rate limits was not asked; try again")]
    NotAsked(#[source] Box<dyn Error + Send + Sync>),
    /// It holds something that is not a bucket. Nothing was charged.
    #[error(
        "the store of the rate limits holds something else; check that nothing else writes there"
    )]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
}

impl<'a> ChargeFuture<'a> {
    /// A result that is there already.
    #[must_use]
    pub fn ready(result: Result<ChargeOutcome, StoreError>) -> Self {
        match result {
            Ok(outcome) => Self::Decided(outcome),
            failed => Self::boxed(ready(failed)),
        }
    }

    /// A result that has to be waited for.
    #[must_use]
    pub fn boxed(
        future: impl Future<Output = Result<ChargeOutcome, StoreError>> + Send + 'a,
    ) -> Self {
        Self::Boxed(Box::pin(future))
    }
}

impl Future for ChargeFuture<'_> {
    type Output = Result<ChargeOutcome, StoreError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Decided(outcome) => Poll::Ready(Ok(*outcome)),
            Self::Boxed(future) => future.as_mut().poll(cx),
        }
    }
}

impl From<ChargeOutcome> for ChargeFuture<'_> {
    #[inline]
    fn from(outcome: ChargeOutcome) -> Self {
        Self::Decided(outcome)
    }
}

impl fmt::Debug for ChargeFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided(outcome) => f.debug_tuple("Decided").field(outcome).finish(),
            Self::Boxed(_) => f.debug_tuple("Boxed").finish_non_exhaustive(),
        }
    }
}
