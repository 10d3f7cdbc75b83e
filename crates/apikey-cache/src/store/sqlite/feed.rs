//! The outbox of a SQLite file.

use std::num::NonZeroU16;

use async_trait::async_trait;

use super::{
    SqliteKeyStore, commit, failed,
    row::{self, signed},
};
use crate::{
    feed::{ChangeFeed, FeedPage, FeedSeq},
    store::{StoreError, UnixMillis},
};

#[async_trait]
impl ChangeFeed for SqliteKeyStore {
    async fn head(&self) -> Result<FeedSeq, StoreError> {
        let head =
            sqlx::query("SELECT seq FROM sqlite_sequence WHERE name = 'apikey_cache_outbox'")
                .fetch_optional(&self.pool)
                .await
                .map_err(failed)?;
        head.as_ref().map_or(Ok(FeedSeq::START), row::seq)
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        // The head first: a change up to it that the second query lacks was trimmed.
        let head = self.head().await?;
        let rows = sqlx::query(
            "SELECT seq, kid, version FROM apikey_cache_outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .bind(signed(seq.value()))
        .bind(i64::from(limit.get()))
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        let changes = rows
            .iter()
            .map(row::change)
            .collect::<Result<Vec<_>, _>>()?;
        let last = changes.last().map_or(head, |change| change.seq);
        Ok(FeedPage {
            head: head.max(last),
            changes,
        })
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        // Up to the first change that is kept: clocks of other processes may differ, and a hole
        // between changes would be taken for a gap.
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM apikey_cache_outbox WHERE seq < coalesce( \
             (SELECT min(seq) FROM apikey_cache_outbox WHERE at >= ?1), ?2)",
        )
        .bind(before.value())
        .bind(i64::MAX)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        commit(transaction).await
    }
}
