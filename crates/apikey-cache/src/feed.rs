//! What happened to records, in order: how a cache learns of what other processes did.

mod id;
mod reader;

use std::{fmt, future, num::NonZeroU16, time::Duration};

use async_trait::async_trait;

use crate::{
    counter::counter,
    kid::Kid,
    store::{RecordVersion, StoreError, UnixMillis},
    tenant::TenantId,
};

pub use self::{
    id::{FeedId, MalformedFeedId},
    reader::{Reader, ReaderId},
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
/// - [`id`](Self::id) is the same for all who read this feed, and that of no other feed.
/// - Each insert, each revocation and both halves of each rotation that the store commits, and each
///   [`invalidate`](Self::invalidate), get the next sequence number, together with the commit.
///   Numbers begin at 1 and rise by 1. A reader that has seen `n` never sees a number up to `n`
///   appear later.
/// - [`head`](Self::head) is the last number given out, 0 before the first. It never goes back,
///   and trimming does not change it.
/// - A page has the changes after a number without leaving one out that is kept, oldest first,
///   and a head that is not lower than its last change. A change up to the head that a page with
///   room left does not have was trimmed.
/// - [`trim`](Self::trim) drops every change before the first that is not older than the date, and
///   no other: there is no hole in what is kept. When it is done, no page has what it dropped.
/// - Of a reader that was noted, the last note is kept, except that the number it has applied never
///   goes back; [`readers`](Self::readers) has each reader once, until it is
///   [forgotten](Self::forget_reader) or trimmed with the changes of its date.
/// - Dropping a future changes nothing that a later call can see.
///
/// `conformance::change_feed` checks an implementation (feature `conformance`).
#[async_trait]
pub trait ChangeFeed: fmt::Debug + Send + Sync {
    /// Which feed this is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn id(&self) -> Result<FeedId, StoreError>;

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

    /// Appends that what is cached is to be dropped, though no record has changed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError>;

    /// Notes that there is a reader, and how far it has applied the changes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError>;

    /// The readers that were noted at this date or later.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError>;

    /// Forgets a reader that has ended; of one that is not known nothing is left to forget.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError>;

    /// Drops changes that are older than this date, up to the first that is not, and readers that
    /// were last noted before it.
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

/// Something happened that caches have to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a feed builds it from its columns"
)]
pub struct Change {
    /// The number of the change.
    pub seq: FeedSeq,
    /// What happened.
    pub kind: ChangeKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a feed writes and builds every kind"
)]
pub enum ChangeKind {
    /// A record was added, or what its key is allowed has changed.
    Record {
        /// The id of the record.
        kid: Kid,
        /// The version it has since.
        version: RecordVersion,
    },
    /// Somebody wants records to be read again.
    Invalidation(Invalidation),
}

/// What is to be dropped from the memory of all caches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a feed writes and builds every kind"
)]
pub enum Invalidation {
    /// What is known of one key.
    Key(Kid),
    /// What is known of the keys of one tenant.
    Tenant(TenantId),
    /// Everything.
    All,
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
