//! The outbox and who reads it.

use std::num::NonZeroU16;

use sqlx::{Encode, Executor, IntoArguments, Type};

use super::{Dialect, Tables, row, signed};
use crate::{
    feed::{Change, ChangeKind, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId},
    store::{StoreError, UnixMillis},
};

impl<DB: Dialect> Tables<'_, DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    for<'q> Option<String>: Encode<'q, DB>,
    for<'q> Vec<u8>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<Vec<u8>>: Encode<'q, DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::store) async fn id(self) -> Result<FeedId, StoreError> {
        let id = sqlx::query::<DB>("SELECT id FROM apikey_cache_feed");
        let id = id.fetch_one(self.0).await.map_err(DB::failed)?;
        row::feed_id(&id)
    }

    pub(in crate::store) async fn head(self) -> Result<FeedSeq, StoreError> {
        let head = sqlx::query::<DB>(DB::HEAD);
        let head = head.fetch_one(self.0).await.map_err(DB::failed)?;
        row::seq(&head)
    }

    pub(in crate::store) async fn changes_after(
        self,
        seq: FeedSeq,
        limit: NonZeroU16,
    ) -> Result<FeedPage, StoreError> {
        // The head first: a change up to it that the second query lacks was trimmed.
        let head = Tables(self.0).head().await?;
        let read = "SELECT seq, kind, kid, version, tenant FROM apikey_cache_outbox \
                    WHERE seq > $1 ORDER BY seq LIMIT $2";
        let read = sqlx::query::<DB>(read)
            .bind(signed(seq.value()))
            .bind(i64::from(limit.get()));
        let rows = read.fetch_all(self.0).await.map_err(DB::failed)?;
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

    pub(in crate::store) async fn invalidate(
        self,
        what: &Invalidation,
        at: UnixMillis,
    ) -> Result<Change, StoreError> {
        let mut transaction = DB::begin(self.0).await?;
        let kind = ChangeKind::Invalidation(what.clone());
        let change = Self::append(&mut transaction, kind, at).await?;
        DB::commit(transaction).await?;
        Ok(change)
    }

    pub(in crate::store) async fn note_reader(self, reader: &Reader) -> Result<(), StoreError> {
        let mut transaction = DB::begin(self.0).await?;
        let note = "INSERT INTO apikey_cache_reader AS known (id, applied, at) VALUES ($1, $2, $3) \
                    ON CONFLICT (id) DO UPDATE SET at = excluded.at, applied = CASE \
                    WHEN known.applied < excluded.applied THEN excluded.applied ELSE known.applied END";
        let note = sqlx::query::<DB>(note)
            .bind(reader.id.as_bytes().to_vec())
            .bind(signed(reader.applied.value()))
            .bind(reader.at.value());
        note.execute(&mut *transaction).await.map_err(DB::failed)?;
        DB::commit(transaction).await
    }

    pub(in crate::store) async fn readers(
        self,
        since: UnixMillis,
    ) -> Result<Vec<Reader>, StoreError> {
        let readers = "SELECT id, applied, at FROM apikey_cache_reader WHERE at >= $1";
        let readers = sqlx::query::<DB>(readers).bind(since.value());
        let rows = readers.fetch_all(self.0).await;
        rows.map_err(DB::failed)?.iter().map(row::reader).collect()
    }

    pub(in crate::store) async fn forget_reader(self, reader: &ReaderId) -> Result<(), StoreError> {
        let mut transaction = DB::begin(self.0).await?;
        let forget = sqlx::query::<DB>("DELETE FROM apikey_cache_reader WHERE id = $1");
        let forget = forget.bind(reader.as_bytes().to_vec());
        let forgotten = forget.execute(&mut *transaction).await;
        forgotten.map_err(DB::failed)?;
        DB::commit(transaction).await
    }

    pub(in crate::store) async fn trim(self, before: UnixMillis) -> Result<(), StoreError> {
        // Up to the first change that is kept: clocks of other processes may differ, and a hole
        // between changes would be taken for a gap.
        let changes = "DELETE FROM apikey_cache_outbox WHERE seq < coalesce( \
                       (SELECT min(seq) FROM apikey_cache_outbox WHERE at >= $1), $2)";
        let readers = "DELETE FROM apikey_cache_reader WHERE at < $1";
        let mut transaction = DB::begin(self.0).await?;
        let changes = sqlx::query::<DB>(changes)
            .bind(before.value())
            .bind(i64::MAX);
        let readers = sqlx::query::<DB>(readers).bind(before.value());
        for trim in [changes, readers] {
            trim.execute(&mut *transaction).await.map_err(DB::failed)?;
        }
        DB::commit(transaction).await
    }
}
