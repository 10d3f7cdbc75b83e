//! What caches tell each other of changes, faster than each of them reads the feed.

#[cfg(feature = "redis")]
mod redis;

use std::{error::Error as StdError, fmt, time::Duration};

use async_trait::async_trait;
use thiserror::Error;

use crate::{
    feed::{Change, FeedId, FeedSeq},
    pepper::Peppers,
};

#[cfg(feature = "redis")]
pub use self::redis::{RedisBus, RedisBusBuilder, RedisBusConfigError, RedisMode};

/// Carries notices from each cache to all others on the same feed.
///
/// A bus only makes a cache faster. The feed remains what tells what happened, so a bus may lose, repeat and
/// reorder notices, and may fail: each cache reads the feed whatever the bus says.
///
/// # Contract
///
/// - What is told of one feed is heard by who listens to that feed, and by nobody else.
/// - What is heard was told: no notice is made up or altered, but that the age of a watermark may be heard as
///   more than was told.
/// - A notice that is heard was told after the call of [`next`](BusListener::next) *before* the one that
///   gives it began, or, with the first call, after [`listen`](InvalidationBus::listen) was called. A call
///   whose future was dropped does not count, and loses nothing.
/// - A watermark that reaches the bus more than a quarter of a second after [`tell`](InvalidationBus::tell) was
///   called, be it that the call was given up, is not heard, or is heard as older by as much.
/// - Dropping a future of `tell` may or may not have told.
///
/// `conformance::invalidation_bus` checks an implementation (feature `conformance`).
#[async_trait]
pub trait InvalidationBus: fmt::Debug + Send + Sync {
    /// Tells all who listen to this feed, in this order. Answers within a tenth of a second, at once while the
    /// bus is known to be down.
    ///
    /// # Errors
    ///
    /// [`BusError`], after which all, some or nothing may have been told.
    async fn tell(&self, feed: FeedId, notices: &[Notice]) -> Result<(), BusError>;

    /// Listens to what is told from now on.
    ///
    /// # Errors
    ///
    /// [`BusError`].
    async fn listen(&self, feed: FeedId) -> Result<Box<dyn BusListener>, BusError>;

    /// From now on notices are authenticated under these peppers, those of listeners that exist too. A bus that
    /// needs no peppers has nothing to do.
    fn replace_peppers(&self, peppers: &Peppers) {
        let _ = peppers;
    }
}

/// Is told what caches tell of one feed.
#[async_trait]
pub trait BusListener: fmt::Debug + Send {
    /// Everything that was told since the last call, oldest first. Waits about half a second for something,
    /// and then gives nothing.
    ///
    /// # Errors
    ///
    /// [`BusError`]: notices may have been lost, and this listener hears no more.
    async fn next(&mut self) -> Result<Vec<Notice>, BusError>;
}

/// What one cache tells all others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a bus carries every kind of notice"
)]
pub enum Notice {
    /// A change that was committed.
    Change(Change),
    /// How far the feed went a moment ago.
    Watermark(Watermark),
}

/// How far the feed went when somebody read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a bus carries every part of it")]
pub struct Watermark {
    /// The number of the last change.
    pub head: FeedSeq,
    /// How long before this was told the feed had been asked, at most.
    pub age: Duration,
}

/// The bus did not carry something.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BusError {
    /// It cannot be reached, or does not answer in time.
    #[error("the invalidation bus cannot be reached")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// Something on it was not written by this crate.
    #[error("the invalidation bus holds what no cache has told: {0}")]
    Malformed(&'static str),
}

impl BusError {
    /// The bus cannot be reached for this reason.
    pub fn unavailable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }
}
