//! What happened to records, in order: how a cache learns of what other processes did.

use std::{fmt, future, num::NonZeroU16, time::Duration};

use async_trait::async_trait;

use crate::{
    kid::Kid,
    store::{RecordVersion, StoreError, UnixMillis},
};

/// How long a cache keeps changes in its feed before it trims them, at least: one hour.
///
/// A process that was cut off for longer finds a gap and drops everything it has cached.
pub const RETENTION: Duration = Duration::from_secs(3_600);

/// Tells what happened to the records of one [`KeyStore`](crate::store::KeyStore): its outbox, or
/// something faster in front of it.
///
/// A cache applies every change and then trusts its memory for 3 s, so a feed that leaves out a
/// change without a trace keeps a revoked key accepted for the time to live. A source that cannot keep
/// this contract must not be a feed: build the cache without one, and it asks the store for every
/// key.
///
/// # Contract
///
/// - Each insert and each revocation that the store commits gets the next sequence number,
///   together with the commit. Numbers begin at 1 and rise by 1. A reader that has seen `n` never
///   sees a number up to `n` appear later.
/// - [`head`](Self::head) is the last number given out, 0 before the first. It never goes back,
///   and trimming does not change it.
/// - A page has the changes after a number without leaving one out that is kept, oldest first,
///   and a head that is not lower than its last change. A change up to the head that a page with
///   room left does not have was trimmed.
/// - [`trim`](Self::trim) keeps every change that is not older than the date.
/// - Dropping a future changes nothing that a later call can see.
///
/// `conformance::change_feed` checks an implementation (feature `conformance`).
#[async_trait]
pub trait ChangeFeed: fmt::Debug + Send + Sync {
    /// The last sequence number given out, whether or not its change is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn head(&self) -> Result<OutboxSeq, StoreError>;

    /// What happened after a sequence number, oldest first, at most `limit` changes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn changes_after(
        &self,
        seq: OutboxSeq,
        limit: NonZeroU16,
    ) -> Result<OutboxPage, StoreError>;

    /// Drops changes that are older than this date, oldest first; some or all may stay.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError>;

    /// Ends when there is a change after `seq`, so that it is read at once and not only at the
    /// next regular reading. Where that cannot be told, or fails, it never ends. Default: never.
    async fn changed(&self, seq: OutboxSeq) {
        let _ = seq;
        future::pending().await
    }
}

/// The number of a change; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxSeq(u64);

impl OutboxSeq {
    /// Before the first change.
    pub const START: Self = Self(0);

    /// The place of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The number after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for OutboxSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record was added or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a feed builds it from its columns"
)]
pub struct Change {
    /// The number of the change.
    pub seq: OutboxSeq,
    /// The id of the record.
    pub kid: Kid,
    /// The version it has since.
    pub version: RecordVersion,
}

/// A part of the feed.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a feed builds it from its rows")]
pub struct OutboxPage {
    /// The last sequence number given out, whether or not its change is kept.
    pub head: OutboxSeq,
    /// Changes, oldest first.
    pub changes: Vec<Change>,
}
