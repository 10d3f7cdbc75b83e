//! A history in PostgreSQL.

mod add;
mod read;

use async_trait::async_trait;
use sqlx::{PgPool, Postgres, Transaction};

use self::add::{add, note_batch};
use super::{
    ErasedTenant, HistoryBatch, HistoryError, HistoryQuery, HistorySample, QualityHistory,
    ReceiptSum, Retention, SampleQuery, TallyQuery, TallySum, VersionSum, row::migrator,
};
use crate::labels::{OTHER, is_shared};

/// In their order; none is changed once it was applied somewhere.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/postgres/0001_history.sql"),
    include_str!("../../migrations/postgres/0002_receipts_versions_erasures.sql"),
];

/// A history in PostgreSQL 15 or later, in the tables `dq_metrics_tally`, `dq_metrics_receipt`,
/// `dq_metrics_version`, `dq_metrics_sample`, `dq_metrics_erased` and `dq_metrics_writer` of the schema that the
/// connections of the pool find first.
///
/// The pool, with its timeouts and TLS, is the application's. Batches are added one after another, under an
/// advisory lock: they are few, and what bounds the rows is counted in them.
#[derive(Debug, Clone)]
pub struct PostgresHistory {
    pool: PgPool,
}

/// Each statement sees what was committed before it, whatever the default of the pool is.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// One writer, or one that makes the tables, at a time.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('dq_metrics', 0))";

impl PostgresHistory {
    /// A history on a pool. Call [`migrate`](Self::migrate) before the first use.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Makes the tables, or brings them up to date; remembers what it did in `dq_metrics_migrations`.
    /// Any number of processes may do it at once.
    ///
    /// # Errors
    /// [`HistoryError::Migration`] when the database refuses; nothing has changed then.
    pub async fn migrate(&self) -> Result<(), HistoryError> {
        let mut transaction = self.begin().await?;
        let migrator = migrator(&MIGRATIONS);
        let migrated = migrator.run_direct(None, &mut *transaction, false).await;
        migrated.map_err(|error| HistoryError::Migration(error.into()))?;
        transaction.commit().await.map_err(failed)
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, HistoryError> {
        let mut transaction = self.pool.begin_with(BEGIN).await.map_err(failed)?;
        let lock = sqlx::query(LOCK).execute(&mut *transaction).await;
        lock.map_err(failed)?;
        Ok(transaction)
    }
}

#[async_trait]
impl QualityHistory for PostgresHistory {
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
        let tenant = &*without_nul(tenant);
        let note = "INSERT INTO dq_metrics_erased (tenant) VALUES ($1) ON CONFLICT DO NOTHING";
        let note = sqlx::query(note).bind(tenant);
        note.execute(&mut *transaction).await.map_err(failed)?;
        let mut removed = 0;
        for (delete, whose) in [
            ("DELETE FROM dq_metrics_tally WHERE tenant = $1", tenant),
            ("DELETE FROM dq_metrics_receipt WHERE tenant = $1", tenant),
            ("DELETE FROM dq_metrics_version WHERE tenant = $1", tenant),
            ("DELETE FROM dq_metrics_sample WHERE tenant = $1", tenant),
            ("DELETE FROM dq_metrics_sample WHERE tenant = $1", OTHER),
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
                "DELETE FROM dq_metrics_tally WHERE hour < $1",
                tallies.first_hour().value(),
            ),
            (
                "DELETE FROM dq_metrics_receipt WHERE day < $1",
                tallies.value(),
            ),
            (
                "DELETE FROM dq_metrics_version WHERE day < $1",
                tallies.value(),
            ),
            (
                "DELETE FROM dq_metrics_sample WHERE day < $1",
                samples.value(),
            ),
        ] {
            let delete = sqlx::query(delete).bind(i64::from(before));
            let outcome = delete.execute(&mut *transaction).await.map_err(failed)?;
            removed += outcome.rows_affected();
        }
        // Their writers have ended long ago, or add a batch that makes them known again.
        let delete = "DELETE FROM dq_metrics_writer WHERE day < $1";
        let delete = sqlx::query(delete).bind(i64::from(writers));
        delete.execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(removed)
    }
}

fn failed(error: sqlx::Error) -> HistoryError {
    HistoryError::Unavailable(error.into())
}

/// PostgreSQL keeps no U+0000 in texts, and a broken payload may have one.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
