//! What became of the data, over days: tallies and masked samples that outlive the process.

mod batch;
mod calendar;
mod memory;
mod pending;
mod query;
mod receipt;
mod row_key;
mod version;
mod writer;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::{error::Error, fmt};

use async_trait::async_trait;

#[cfg(feature = "postgres")]
pub use self::postgres::PostgresHistory;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteHistory;
pub use self::{
    batch::{HistoryBatch, SampleChange, TallyKey, WriterId},
    calendar::{Day, Days, DaysError, Hour, ParseDayError},
    memory::MemoryHistory,
    query::{
        ErasedTenant, Group, GroupBy, HistoryQuery, HistorySample, Retention, SampleQuery,
        TallyQuery, TallySum,
    },
    receipt::{ReceiptKey, ReceiptSum},
    row_key::{RowKey, folded_rows, rows_by_period},
    version::{VersionCount, VersionKey, VersionSum},
    writer::{HistoryMetric, HistoryWriter},
};

/// Rows of tallies that an hour may have before others are added to `__other__`.
pub const ROWS_PER_HOUR: u64 = 8_192;

/// Rows of receipts, and rows of versions, that a day may have before others are added to `__other__`.
pub const ROWS_PER_DAY: u64 = 8_192;

/// Tenants that were erased, told at once.
pub const ERASED_AT_ONCE: u32 = 1_000;

/// Samples that are kept of a reason and day, of all processes together.
pub const SAMPLES_PER_DAY: u64 = 256;

/// Keeps tallies by the hour, and receipts, versions and samples by the day, of any number of processes.
///
/// # Contract
/// - A batch is added wholly or not at all, and once: one whose sequence number is not above that of the last
///   batch of its writer has been added already, and changes nothing.
/// - Tallies, receipts and versions of one key add up, over batches and writers.
/// - Once an hour has [`ROWS_PER_HOUR`] rows of tallies or would get more by a batch, all of that batch's tallies
///   for it are [folded](RowKey::folded) to `__other__`, so that rows stay bounded when names are invented; likewise
///   receipts and versions of a day, of [`ROWS_PER_DAY`] each.
/// - A [`SampleChange`] replaces what its writer put in that slot on that day, or clears it. A sample is left
///   out while its reason and day have [`SAMPLES_PER_DAY`] of them.
/// - Sums and samples are those of the days and of the tenant that were asked for, in the order of their keys
///   (samples: day, reason, writer, slot).
/// - [`prune`](Self::prune) removes what is older than its days, and nothing else.
/// - [`erase_tenant`](Self::erase_tenant) removes all rows and samples of a tenant, and the samples of `__other__`,
///   which may be anybody's; nothing else. Whatever a batch has of that tenant from then on is added
///   [without it](HistoryBatch::without_tenants), whenever it was counted and whichever process writes it.
///
/// The function `conformance::quality_history` (feature `conformance`) checks it.
///
/// # Security
/// It gets what is masked, and names that became labels. It still shows how data is shaped: keep it no longer and
/// show it to no more people than that deserves.
#[async_trait]
pub trait QualityHistory: fmt::Debug + Send + Sync {
    /// Adds a batch. After an error nobody knows whether it was added: the same batch again is safe.
    ///
    /// # Errors
    /// [`HistoryError::Unavailable`] when it cannot be told that it was added.
    async fn write(&self, batch: &HistoryBatch) -> Result<(), HistoryError>;

    /// The sums of tallies, by outcome and reason in each group.
    ///
    /// # Errors
    /// [`HistoryError`] when they cannot be read.
    async fn tallies(&self, query: &TallyQuery) -> Result<Vec<TallySum>, HistoryError>;

    /// Samples, the latest days first, and no more than were asked for.
    ///
    /// # Errors
    /// [`HistoryError`] when they cannot be read.
    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError>;

    /// What was received and what is accounted for, by day; no day that nothing is known of.
    ///
    /// # Errors
    /// [`HistoryError`] when it cannot be read.
    async fn receipts(&self, query: &HistoryQuery) -> Result<Vec<ReceiptSum>, HistoryError>;

    /// Uses of schema versions, by event type, version and lifecycle.
    ///
    /// # Errors
    /// [`HistoryError`] when they cannot be read.
    async fn versions(&self, query: &HistoryQuery) -> Result<Vec<VersionSum>, HistoryError>;

    /// Erases a tenant for good, again if it was erased before, and says how many rows that were.
    ///
    /// # Errors
    /// [`HistoryError::Unavailable`] when it cannot be told that it was erased.
    async fn erase_tenant(&self, tenant: &str) -> Result<u64, HistoryError>;

    /// Tenants that were erased after the one of this number (0 is before all), in their order: at most
    /// [`ERASED_AT_ONCE`].
    ///
    /// # Errors
    /// [`HistoryError`] when they cannot be read.
    async fn erased_tenants(&self, after: u64) -> Result<Vec<ErasedTenant>, HistoryError>;

    /// Removes what is older than it may become, and says how many rows that were.
    ///
    /// # Errors
    /// [`HistoryError::Unavailable`] when it cannot be told that it was removed.
    async fn prune(&self, keep: Retention) -> Result<u64, HistoryError>;
}

/// The history cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The database does not do it now.
    #[error("the history of data quality cannot be reached, look at its database")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Pages of the database hold what was never written to them.
    #[error("the database of the history is damaged, restore a backup")]
    Damaged(#[source] Box<dyn Error + Send + Sync>),
    /// A row holds what this version cannot have written.
    #[error("the history of data quality has a row that cannot be read: {0}")]
    Corrupt(&'static str),
    /// The tables cannot be made or brought up to date.
    #[error("the tables of the history cannot be brought up to date")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
}
