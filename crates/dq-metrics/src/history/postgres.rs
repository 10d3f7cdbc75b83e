//! A history in PostgreSQL.

mod dialect;
mod write_transaction;

use async_trait::async_trait;
use sqlx::{PgPool, Postgres};

use self::write_transaction::WriteTransaction;
use super::{
    ErasedTenant, HistoryBatch, HistoryError, HistoryQuery, HistorySample, QualityHistory,
    ReceiptSum, Retention, SampleQuery, TallyQuery, TallySum, VersionSum,
    sql::{Dialect, TableReader, TableWriter, migrator},
};
use crate::labels::is_shared;

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
        transaction.commit().await.map_err(Postgres::failed)
    }

    async fn begin(&self) -> Result<WriteTransaction, HistoryError> {
        let mut transaction = WriteTransaction::begin(&self.pool)
            .await
            .map_err(Postgres::failed)?;
        let lock = sqlx::query(LOCK).execute(&mut *transaction).await;
        lock.map_err(Postgres::failed)?;
        Ok(transaction)
    }
}

#[async_trait]
impl QualityHistory for PostgresHistory {
    async fn write(&self, batch: &HistoryBatch) -> Result<(), HistoryError> {
        let mut transaction = self.begin().await?;
        let mut writer = TableWriter::<Postgres>::new(&mut transaction);
        let is_new = writer.add(batch).await.map_err(Postgres::failed)?;
        if is_new {
            transaction.commit().await.map_err(Postgres::failed)
        } else {
            transaction.rollback().await.map_err(Postgres::failed)
        }
    }

    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<TallySum>, HistoryError> {
        TableReader(&self.pool).tallies(query).await
    }

    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError> {
        TableReader(&self.pool).samples(query).await
    }

    async fn receipts(&self, query: &HistoryQuery) -> Result<Vec<ReceiptSum>, HistoryError> {
        TableReader(&self.pool).receipts(query).await
    }

    async fn versions(&self, query: &HistoryQuery) -> Result<Vec<VersionSum>, HistoryError> {
        TableReader(&self.pool).versions(query).await
    }

    async fn erase_tenant(&self, tenant: &str) -> Result<u64, HistoryError> {
        if is_shared(tenant) {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        let mut writer = TableWriter::<Postgres>::new(&mut transaction);
        let removed = writer
            .erase_tenant(tenant)
            .await
            .map_err(Postgres::failed)?;
        transaction.commit().await.map_err(Postgres::failed)?;
        Ok(removed)
    }

    async fn erased_tenants(&self, after: u64) -> Result<Vec<ErasedTenant>, HistoryError> {
        TableReader(&self.pool).erased_tenants(after).await
    }

    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError> {
        let mut transaction = self.begin().await?;
        let mut writer = TableWriter::<Postgres>::new(&mut transaction);
        let removed = writer.prune(keep).await.map_err(Postgres::failed)?;
        transaction.commit().await.map_err(Postgres::failed)?;
        Ok(removed)
    }
}
