//! A history in SQLite.

mod add;
mod read;
mod transaction;

use async_trait::async_trait;
use sqlx::SqlitePool;

use self::{
    add::{add, note_batch},
    transaction::WriteTransaction,
};
use super::{
    ErasedTenant, HistoryBatch, HistoryError, HistoryQuery, HistorySample, QualityHistory,
    ReceiptSum, Retention, SampleQuery, TallyQuery, TallySum, VersionSum, row::migrator,
};
use crate::labels::{OTHER, is_shared};

/// In their order; none is changed once it was applied somewhere.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/sqlite/0001_history.sql"),
    include_str!("../../migrations/sqlite/0002_receipts_versions_erasures.sql"),
];

/// A history in SQLite, in the tables `dq_metrics_tally`, `dq_metrics_receipt`, `dq_metrics_version`,
/// `dq_metrics_sample`, `dq_metrics_erased` and `dq_metrics_writer`.
///
/// Several processes may share the file; the pool, with its busy timeout, is the application's.
/// A connection whose transaction failed is closed, and the pool opens another.
#[derive(Debug, Clone)]
pub struct SqliteHistory {
    pool: SqlitePool,
}

impl SqliteHistory {
    /// A history on a pool. Call [`migrate`](Self::migrate) before the first use.
    #[must_use]
    pub const fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// Makes the tables, or brings them up to date; remembers what it did in `dq_metrics_migrations`.
    /// Any number of processes may do it at once.
    ///
    /// # Errors
    /// [`HistoryError::Migration`] when the database refuses; nothing has changed then.
    pub async fn migrate(&self) -> Result<(), HistoryError> {
        // The write lock of one surrounding transaction makes processes take turns.
        let mut transaction = self.begin().await?;
        let migrator = migrator(&MIGRATIONS);
        let migrated = migrator.run_direct(None, &mut *transaction, false).await;
        migrated.map_err(|error| HistoryError::Migration(error.into()))?;
        transaction.commit().await.map_err(failed)
    }

    async fn begin(&self) -> Result<WriteTransaction, HistoryError> {
        WriteTransaction::begin(&self.pool).await.map_err(failed)
    }
}

#[async_trait]
impl QualityHistory for SqliteHistory {
    async fn write(&self, batch: &HistoryBatch) -> Result<(), HistoryError> {
        let mut transaction = self.begin().await?;
        if !note_batch(&mut transaction, batch).await.map_err(failed)? {
            return transaction.rollback().await.map_err(failed);
        }
        add(&mut transaction, batch).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<TallySum>, HistoryError> {
        read::tallies(&self.pool, query).await
    }

    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError> {
        read::samples(&self.pool, query).await
    }

    async fn receipts(&self, query: &HistoryQuery) -> Result<Vec<ReceiptSum>, HistoryError> {
        read::receipts(&self.pool, query).await
    }

    async fn versions(&self, query: &HistoryQuery) -> Result<Vec<VersionSum>, HistoryError> {
        read::versions(&self.pool, query).await
    }

    async fn erase_tenant(&self, tenant: &str) -> Result<u64, HistoryError> {
        if is_shared(tenant) {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        let note = "INSERT INTO dq_metrics_erased (tenant) VALUES (?) ON CONFLICT DO NOTHING";
        let note = sqlx::query(note).bind(tenant);
        note.execute(&mut *transaction).await.map_err(failed)?;
        let mut removed = 0;
        for (delete, whose) in [
            ("DELETE FROM dq_metrics_tally WHERE tenant = ?", tenant),
            ("DELETE FROM dq_metrics_receipt WHERE tenant = ?", tenant),
            ("DELETE FROM dq_metrics_version WHERE tenant = ?", tenant),
            ("DELETE FROM dq_metrics_sample WHERE tenant = ?", tenant),
            ("DELETE FROM dq_metrics_sample WHERE tenant = ?", OTHER),
        ] {
            let delete = sqlx::query(delete).bind(whose);
            let outcome = delete.execute(&mut *transaction).await.map_err(failed)?;
            removed += outcome.rows_affected();
        }
        transaction.commit().await.map_err(failed)?;
        Ok(removed)
    }

    async fn erased_tenants(&self, after: u64) -> Result<Vec<ErasedTenant>, HistoryError> {
        read::erased_tenants(&self.pool, after).await
    }

    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError> {
        let (tallies, samples) = (keep.tallies_from, keep.samples_from);
        let writers = tallies.min(samples).value();
        let mut transaction = self.begin().await?;
        let mut removed = 0;
        for (delete, before) in [
            (
                "DELETE FROM dq_metrics_tally WHERE hour < ?",
                tallies.first_hour().value(),
            ),
            (
                "DELETE FROM dq_metrics_receipt WHERE day < ?",
                tallies.value(),
            ),
            (
                "DELETE FROM dq_metrics_version WHERE day < ?",
                tallies.value(),
            ),
            (
                "DELETE FROM dq_metrics_sample WHERE day < ?",
                samples.value(),
            ),
        ] {
            let delete = sqlx::query(delete).bind(before);
            let outcome = delete.execute(&mut *transaction).await.map_err(failed)?;
            removed += outcome.rows_affected();
        }
        // Their writers have ended long ago, or add a batch that makes them known again.
        let delete = sqlx::query("DELETE FROM dq_metrics_writer WHERE day < ?").bind(writers);
        delete.execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(removed)
    }
}

fn failed(error: sqlx::Error) -> HistoryError {
    /// `SQLITE_CORRUPT` and `SQLITE_NOTADB`; their extended codes share the low byte.
    const DAMAGED: [i32; 2] = [11, 26];
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    if code.is_some_and(|code| DAMAGED.contains(&(code & 0xff))) {
        HistoryError::Damaged(error.into())
    } else {
        HistoryError::Unavailable(error.into())
    }
}

#[cfg(test)]
mod tests;
