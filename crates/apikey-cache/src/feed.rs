//! What happened to records, in order: how a cache learns of what other processes did.

use std::{fmt, future, num::NonZeroU16, time::Duration};

use async_trait::async_trait;

use crate::{
    counter::counter,
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
/// - [`trim`](Self::trim) drops every change before the first that is not older than the date, and
///   no other: there is no hole in what is kept. When it is done, no page has what it dropped.
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
    async fn head(&self) -> Result<FeedSeq, StoreError>;

    /// What happened after a sequence number, oldest first, at most `limit` changes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError>;

    /// Drops changes that are older than this date, up to the first that is not.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError>;

    /// Ends when there is a change after `seq`, so that it is read at once and not only at the
    /// next regular reading. Where that cannot be told, or fails, it never ends. Default: never.
    async fn changed(&self, seq: FeedSeq) {
        let _ = seq;
        future::pending().await
    }
}

counter! {
    /// The number of a change; 0 is before the first.
    #[derive(Default)]
    FeedSeq
}

impl FeedSeq {
    /// Before the first change.
    pub const START: Self = Self(0);
}

/// A record was added or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a feed builds it from its columns"
)]
pub struct Change {
    /// The number of the change.
    pub seq: FeedSeq,
    /// The id of the record.
    pub kid: Kid,
    /// The version it has since.
    pub version: RecordVersion,
}

/// A part of the feed.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a feed builds it from its rows")]
pub struct FeedPage {
    /// The last sequence number given out, whether or not its change is kept.
    pub head: FeedSeq,
    /// Changes, oldest first.
    pub changes: Vec<Change>,
}
