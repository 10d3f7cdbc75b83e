//! The feed of changes of API keys, read through connections that nothing else uses.

use std::num::NonZeroU16;

use async_trait::async_trait;
use portcullis_apikey_cache::{
    feed::{Change, ChangeFeed, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId},
    store::{StoreError, UnixMillis},
};

/// A feed whose changes are read in one place and whose readers are noted in another: who writes may wait
/// for others that write, and must not keep a revocation waiting meanwhile.
#[derive(Debug)]
pub(super) struct FeedApart<F> {
    /// What follows the feed, and nobody else.
    pub(super) following: F,
    pub(super) all_else: F,
}

#[async_trait]
impl<F: ChangeFeed> ChangeFeed for FeedApart<F> {
    async fn id(&self) -> Result<FeedId, StoreError> {
        self.following.id().await
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.following.head().await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        self.following.changes_after(seq, limit).await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        self.all_else.invalidate(what, at).await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        self.all_else.note_reader(reader).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        self.all_else.readers(since).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.all_else.forget_reader(reader).await
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        self.all_else.trim(before).await
    }

    async fn changed(&self, seq: FeedSeq) {
        self.following.changed(seq).await;
    }
}
