use std::error::Error;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

pub use self::charge::{Charge, Partition, Subject, Target};
pub use self::memory::{MemoryStats, MemoryStore, WhenFull};
pub use self::reading::{Reading, Readings};

mod charge;
mod memory;
mod reading;

/// Where buckets live.
///
/// # Contract
/// - **One step.** A charge reads all its buckets, decides, and writes, with no other charge of
///   the same [`Partition`] in between. All buckets of a charge belong to one partition, so an
///   implementation may lock, shard or place by it.
/// - **All or nothing.** If any enforced limit refuses, no bucket changes, those of shadow limits
///   included. Otherwise every enforced bucket is charged, and each shadow bucket that has room.
/// - **A cost of zero changes nothing.** It reads.
/// - **Exact.** Each limit decides as [`Bucket::at`](crate::Bucket::at) does, and a bucket that
///   was never charged is full. An implementation that forgets or merges buckets says when, and
///   whether that can admit more or only less.
/// - **Separate.** Buckets of two partitions, of two limits (by
///   [`PolicyLimit::identity`](crate::PolicyLimit::identity)) or of two [`Subject`]s are never
///   the same.
/// - **Its own time or the caller's.** [`Charge::now`] is the caller's clock; an implementation
///   that several processes share uses one clock for all of them instead.
///
/// The suite behind the feature `conformance` checks this.
pub trait Store: fmt::Debug + Send + Sync {
    /// Decides a charge, and carries it out if every enforced limit has room.
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> Answer<'a>;
}

/// A future of [`Readings`] that needs no allocation where nothing has to be waited for.
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: an answer is there or it is not"
)]
pub enum Answer<'a> {
    /// Decided already.
    Now(Ready<Result<Readings, StoreError>>),
    /// Still to be decided. Whoever drops it does not learn whether it charged.
    Later(Pin<Box<dyn Future<Output = Result<Readings, StoreError>> + Send + 'a>>),
}

/// Why a [`Store`] did not decide.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached or did not answer in time, and may have charged nevertheless.
    #[error("the store of the rate limits did not answer; check that it is up and reachable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

// === impl Answer ===

impl Future for Answer<'_> {
    type Output = Result<Readings, StoreError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(ready) => Pin::new(ready).poll(cx),
            Self::Later(future) => future.as_mut().poll(cx),
        }
    }
}

impl From<Readings> for Answer<'_> {
    fn from(readings: Readings) -> Self {
        Self::Now(ready(Ok(readings)))
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(ready) => f.debug_tuple("Now").field(ready).finish(),
            Self::Later(_) => f.debug_tuple("Later").finish_non_exhaustive(),
        }
    }
}
