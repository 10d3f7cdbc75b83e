//! What is read of a log.

use std::num::NonZeroUsize;

use sqlx::{Encode, Executor, IntoArguments, Type};

use super::{Dialect, LogRow, Tables, WIDE, row::SqlRow as _, signed, tiles::bytes_of};
use crate::{
    event::Id,
    note::SignedNote,
    store::{EntryBatch, StoreError},
    tile::{TileKind, TilePath, write_entry},
};

/// More are not read at once, however many are asked for.
const MAX_BATCH: usize = 1_024;

/// No leaf has fewer bytes.
const MIN_LEAF_BYTES: usize = 256;

/// A row of `audit_event` is not there, and was not pruned.
#[derive(Debug, thiserror::Error)]
#[error("entry {0} is missing in `audit_event`")]
struct MissingEntry(u64);

impl<DB: Dialect> Tables<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::store) async fn log(&self) -> Result<LogRow, StoreError> {
        let select = "SELECT size, first, root FROM audit_log";
        let row = sqlx::query::<DB>(select).fetch_one(&self.pool).await;
        LogRow::read::<DB>(&row.map_err(DB::failed)?)
    }

    pub(in crate::store) async fn entries(
        &self,
        from: u64,
        most: NonZeroUsize,
    ) -> Result<EntryBatch, StoreError> {
        let log = self.log().await?;
        if from < log.first {
            return Err(StoreError::Pruned { first: log.first });
        }
        let mut batch = EntryBatch::new(from);
        let rows = (most.get() / MIN_LEAF_BYTES + 1).min(MAX_BATCH);
        let end = from.saturating_add(rows as u64);
        for (n, leaf) in self.leaves(from, end).await? {
            let is_much = batch.size_bytes() + leaf.len() > most.get();
            if n != batch.next() || !batch.is_empty() && is_much {
                break;
            }
            batch.push(&leaf).map_err(StoreError::damaged)?;
        }
        if batch.is_empty() && from < log.size {
            // Pruned meanwhile, or taken out by somebody.
            let first = self.log().await?.first;
            if from < first {
                return Err(StoreError::Pruned { first });
            }
            return Err(StoreError::damaged(MissingEntry(from)));
        }
        Ok(batch)
    }

    pub(in crate::store) async fn tile(
        &self,
        path: TilePath,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let end = path.index().checked_mul(WIDE);
        let Some(end) = end.and_then(|start| start.checked_add(path.width().into())) else {
            return Ok(None);
        };
        let level = match path.kind() {
            TileKind::Entries => 0,
            TileKind::Hashes { level } => u32::from(level),
        };
        let leaves = u128::from(end) << (8 * level);
        if leaves > u128::from(self.published().await?) {
            return Ok(None);
        }
        match path.kind() {
            TileKind::Entries => self.bundle(path).await,
            TileKind::Hashes { level } => {
                let select = "SELECT hashes FROM audit_tile WHERE level = $1 AND number = $2";
                let select = sqlx::query::<DB>(select)
                    .bind(i64::from(level))
                    .bind(signed(path.index()));
                let row = select.fetch_optional(&self.pool).await;
                let bytes = row.map_err(DB::failed)?.map(|row| row.bytes("hashes"));
                // The tile of a larger tree begins with it.
                Ok(bytes.transpose()?.map(|mut bytes| {
                    bytes.truncate(bytes_of(path));
                    bytes
                }))
            }
        }
    }

    /// What is there of a bundle. If somebody took entries out, the others still say which these are.
    async fn bundle(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        let start = path.index() * WIDE;
        let end = start + u64::from(path.width());
        let mut bundle = Vec::new();
        for (_, leaf) in self.leaves(start, end).await? {
            write_entry(&leaf, &mut bundle).map_err(StoreError::damaged)?;
        }
        Ok((!bundle.is_empty()).then_some(bundle))
    }

    async fn leaves(&self, from: u64, end: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let select = "SELECT n, leaf FROM audit_event WHERE n >= $1 AND n < $2 ORDER BY n";
        let select = sqlx::query::<DB>(select)
            .bind(signed(from))
            .bind(signed(end));
        let rows = select.fetch_all(&self.pool).await.map_err(DB::failed)?;
        let leaves = rows
            .iter()
            .map(|row| Ok((row.number("n")?, row.bytes("leaf")?)));
        leaves.collect()
    }

    async fn published(&self) -> Result<u64, StoreError> {
        let select = "SELECT size FROM audit_checkpoint";
        let row = sqlx::query::<DB>(select).fetch_one(&self.pool).await;
        row.map_err(DB::failed)?.number("size")
    }

    pub(in crate::store) async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        let select = "SELECT note FROM audit_checkpoint";
        let row = sqlx::query::<DB>(select).fetch_one(&self.pool).await;
        let note = row.map_err(DB::failed)?.optional_text("note")?;
        let note = note.map(|note| SignedNote::parse(note.as_bytes()));
        note.transpose().map_err(StoreError::damaged)
    }

    pub(in crate::store) async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let select = sqlx::query::<DB>(DB::PART).bind(signed(n));
        let row = select.fetch_optional(&self.pool).await;
        let sealed = row.map_err(DB::failed)?.map(|row| row.bytes("sealed"));
        sealed.transpose()
    }

    pub(in crate::store) async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError> {
        let select = "SELECT next FROM audit_cursor WHERE name = $1";
        let select = sqlx::query::<DB>(select).bind(name.as_str().to_owned());
        let row = select.fetch_optional(&self.pool).await;
        let next = row.map_err(DB::failed)?.map(|row| row.number("next"));
        next.transpose()
    }

    pub(in crate::store) async fn move_cursor(
        &self,
        name: &Id,
        next: u64,
    ) -> Result<(), StoreError> {
        let put = "INSERT INTO audit_cursor (name, next) VALUES ($1, $2)
                   ON CONFLICT (name) DO UPDATE SET next = excluded.next";
        let put = sqlx::query::<DB>(put)
            .bind(name.as_str().to_owned())
            .bind(signed(next));
        put.execute(&self.pool).await.map(drop).map_err(DB::failed)
    }
}
