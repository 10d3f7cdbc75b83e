//! The outbox of a SQLite file.

use std::num::NonZeroU16;

use async_trait::async_trait;

use super::SqliteKeyStore;
use crate::{
    feed::{Change, ChangeFeed, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId},
    store::{StoreError, UnixMillis, sql::Tables},
};

#[async_trait]
impl ChangeFeed for SqliteKeyStore {
    async fn id(&self) -> Result<FeedId, StoreError> {
        Tables(&self.pool).id().await
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        Tables(&self.pool).head().await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        Tables(&self.pool).changes_after(seq, limit).await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        Tables(&self.pool).invalidate(what, at).await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        Tables(&self.pool).note_reader(reader).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        Tables(&self.pool).readers(since).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        Tables(&self.pool).forget_reader(reader).await
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        Tables(&self.pool).trim(before).await
    }
}
