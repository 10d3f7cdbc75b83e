//! The outbox of a PostgreSQL database.

use std::num::NonZeroU16;

use async_trait::async_trait;

use super::{PostgresKeyStore, once_more};
use crate::{
    feed::{Change, ChangeFeed, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId},
    store::{StoreError, UnixMillis, sql::Tables},
};

#[async_trait]
impl ChangeFeed for PostgresKeyStore {
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
        once_more(|| Tables(&self.pool).invalidate(what, at)).await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        once_more(|| Tables(&self.pool).note_reader(reader)).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        Tables(&self.pool).readers(since).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        once_more(|| Tables(&self.pool).forget_reader(reader)).await
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        once_more(|| Tables(&self.pool).trim(before)).await
    }
}
