//! Rows of tallies and samples, whatever the database.

use sqlx::{
    ColumnIndex, Decode, Row, SqlSafeStr as _, Type,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{Day, Group, GroupBy, HistoryBatch, HistoryError, HistorySample, TallySum};
use crate::{
    clock::UnixMillis,
    sample::{Fingerprint, TraceId},
};

const MIGRATIONS_TABLE: &str = "dq_metrics_migrations";

/// Migrations need no transaction of their own.
const IN_TRANSACTION: bool = true;

/// The columns of a sample, as [`sample`] reads them.
macro_rules! sample_columns {
    () => {
        "day, reason, tenant, event_type, ordinal, taken_at, trace_id, detail, excerpt, fingerprint"
    };
}
pub(super) use sample_columns;

/// Makes the tables of a history; what was applied somewhere is never changed.
pub(super) fn migrator(first: &'static str) -> Migrator {
    let first = Migration::new(
        1,
        "history".into(),
        MigrationType::Simple,
        first.into_sql_str(),
        IN_TRANSACTION,
    );
    let mut migrator = Migrator::with_migrations(vec![first]);
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    migrator
}

/// A row whose columns are numbers, texts and bytes.
pub(super) trait HistoryRow: Row {
    fn number(&self, column: &str) -> Result<i64, HistoryError>;
    fn text(&self, column: &str) -> Result<String, HistoryError>;
    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, HistoryError>;
}

impl<R: Row> HistoryRow for R
where
    for<'a> &'a str: ColumnIndex<R>,
    for<'a> String: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> i64: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> Option<Vec<u8>>: Decode<'a, R::Database> + Type<R::Database>,
{
    fn number(&self, column: &str) -> Result<i64, HistoryError> {
        let found = self.try_get(column);
        found.map_err(|_| HistoryError::Corrupt("a number is none"))
    }

    fn text(&self, column: &str) -> Result<String, HistoryError> {
        let found = self.try_get(column);
        found.map_err(|_| HistoryError::Corrupt("a text is none"))
    }

    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, HistoryError> {
        let found = self.try_get(column);
        found.map_err(|_| HistoryError::Corrupt("bytes are none"))
    }
}

/// A sum, from the columns `in_group`, `outcome`, `reason` and `events`.
pub(super) fn sum(row: &impl HistoryRow, by: GroupBy) -> Result<TallySum, HistoryError> {
    let group = match by {
        GroupBy::Day => Group::Day(day(row.number("in_group")?)?),
        GroupBy::Tenant => Group::Tenant(row.text("in_group")?),
        GroupBy::EventType => Group::EventType(row.text("in_group")?),
    };
    let events = row.number("events")?;
    let events = u64::try_from(events).map_err(|_| HistoryError::Corrupt("a sum is below 0"))?;
    let (outcome, reason) = (row.text("outcome")?, row.text("reason")?);
    Ok(TallySum::new(group, outcome, reason, events))
}

/// A sample, from [`sample_columns`].
pub(super) fn sample(row: &impl HistoryRow) -> Result<HistorySample, HistoryError> {
    let trace_id = row.bytes("trace_id")?.map(|bytes| {
        let bytes = bytes.try_into();
        bytes.map_err(|_| HistoryError::Corrupt("a trace id is not of 16 bytes"))
    });
    Ok(HistorySample {
        day: day(row.number("day")?)?,
        reason: row.text("reason")?,
        tenant: row.text("tenant")?,
        event_type: row.text("event_type")?,
        ordinal: row.number("ordinal")?.cast_unsigned(),
        taken_at: UnixMillis::new(row.number("taken_at")?.cast_unsigned()),
        trace_id: trace_id.transpose()?.map(TraceId::from_bytes),
        detail: row.text("detail")?,
        excerpt: row.text("excerpt")?,
        fingerprint: Fingerprint::new(row.number("fingerprint")?.cast_unsigned()),
    })
}

/// The latest day in a batch, or the first of all if it has none: what its writer is remembered until.
pub(super) fn latest_day(batch: &HistoryBatch) -> Day {
    let tallies = batch.tallies.keys().map(|key| key.hour.day());
    let samples = batch.samples.iter().map(|change| change.day);
    tallies.chain(samples).max().unwrap_or(Day::new(0))
}

fn day(number: i64) -> Result<Day, HistoryError> {
    let days = u32::try_from(number);
    days.map(Day::new)
        .map_err(|_| HistoryError::Corrupt("a day lies outside of all that can be"))
}
