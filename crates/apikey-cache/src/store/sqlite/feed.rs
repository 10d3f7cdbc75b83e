//! The outbox of a SQLite file.

use std::num::NonZeroU16;

use async_trait::async_trait;

use super::{
    SqliteKeyStore, append, commit, failed,
    row::{self, signed},
};
use crate::{
    feed::{
        Change, ChangeFeed, ChangeKind, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId,
    },
    store::{StoreError, UnixMillis},
};

#[async_trait]
impl ChangeFeed for SqliteKeyStore {
    async fn id(&self) -> Result<FeedId, StoreError> {
        let id = sqlx::query("SELECT id FROM apikey_cache_feed")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        row::feed_id(&id)
    }

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
            "SELECT seq, kind, kid, version, tenant FROM apikey_cache_outbox \
             WHERE seq > ?1 ORDER BY seq LIMIT ?2",
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

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        let kind = ChangeKind::Invalidation(what.clone());
        let change = append(&mut transaction, kind, at).await?;
        commit(transaction).await?;
        Ok(change)
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO apikey_cache_reader (id, applied, at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, applied = max(applied, excluded.applied)",
        )
        .bind(reader.id.as_bytes().as_slice())
        .bind(signed(reader.applied.value()))
        .bind(reader.at.value())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        commit(transaction).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        let rows = sqlx::query("SELECT id, applied, at FROM apikey_cache_reader WHERE at >= ?1")
            .bind(since.value())
            .fetch_all(&self.pool)
            .await;
        rows.map_err(failed)?.iter().map(row::reader).collect()
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM apikey_cache_reader WHERE id = ?1")
            .bind(reader.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
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
        sqlx::query("DELETE FROM apikey_cache_reader WHERE at < ?1")
            .bind(before.value())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }
}
