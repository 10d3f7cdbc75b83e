//! The tables of a history and what their rows say, whatever the database.

use sqlx::{
    ColumnIndex, Decode, Row, SqlSafeStr as _, Type,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::{
    clock::UnixMillis,
    conservation::Conservation,
    history::{
        Day, ErasedTenant, Group, GroupBy, HistoryError, HistorySample, ReceiptSum, TallySum,
        VersionCount, VersionSum,
    },
    plan::Lifecycle,
    sample::{Fingerprint, TraceId},
};

const MIGRATIONS_TABLE: &str = "dq_metrics_migrations";

/// Migrations need no transaction of their own.
const IN_TRANSACTION: bool = true;

/// Makes the tables of a history; what was applied somewhere is never changed.
pub(in crate::history) fn migrator(statements: &[&'static str]) -> Migrator {
    let names = ["history", "receipts, versions and erasures"];
    let migrations = (1..).zip(names).zip(statements.iter().copied());
    let migrations = migrations.map(|((number, name), statements)| {
        let (kind, statements) = (MigrationType::Simple, statements.into_sql_str());
        Migration::new(number, name.into(), kind, statements, IN_TRANSACTION)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    // Its own lock is one of the session, which it keeps when it fails. The caller's transaction has taken one that ends
    // with it.
    migrator.set_locking(false);
    migrator
}

/// A row whose columns are numbers, texts and bytes.
pub(in crate::history) trait HistoryRow: Row {
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
    let events = count(row, "events")?;
    let (outcome, reason) = (row.text("outcome")?, row.text("reason")?);
    Ok(TallySum::new(group, outcome, reason, events))
}

/// A sample, from the columns of what it has.
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

/// What is known of a day, from the columns `day`, `received` and `outcomes`.
pub(super) fn receipt(row: &impl HistoryRow) -> Result<ReceiptSum, HistoryError> {
    let conservation = Conservation::new(count(row, "received")?, count(row, "outcomes")?);
    Ok(ReceiptSum::new(day(row.number("day")?)?, conservation))
}

/// A sum, from the columns `event_type`, `version`, `lifecycle`, `events` and `last_seen`.
pub(super) fn version(row: &impl HistoryRow) -> Result<VersionSum, HistoryError> {
    let last_seen = UnixMillis::new(row.number("last_seen")?.cast_unsigned());
    let lifecycle = match &*row.text("lifecycle")? {
        "" => None,
        text => Some(lifecycle(text).ok_or(HistoryError::Corrupt("a lifecycle is none"))?),
    };
    let uses = VersionCount::new(count(row, "events")?, last_seen);
    let (event_type, version) = (row.text("event_type")?, row.text("version")?);
    Ok(VersionSum::new(event_type, version, lifecycle, uses))
}

/// From the columns `number` and `tenant`.
pub(super) fn erased(row: &impl HistoryRow) -> Result<ErasedTenant, HistoryError> {
    Ok(ErasedTenant::new(
        count(row, "number")?,
        row.text("tenant")?,
    ))
}

/// A lifecycle as it stands in its column.
pub(in crate::history) fn lifecycle_text(lifecycle: Option<Lifecycle>) -> &'static str {
    lifecycle.map_or("", Lifecycle::as_str)
}

fn lifecycle(text: &str) -> Option<Lifecycle> {
    let known = [Lifecycle::Current, Lifecycle::Deprecated];
    known.into_iter().find(|known| known.as_str() == text)
}

fn count(row: &impl HistoryRow, column: &str) -> Result<u64, HistoryError> {
    let found = row.number(column)?;
    u64::try_from(found).map_err(|_| HistoryError::Corrupt("a sum is below 0"))
}

fn day(number: i64) -> Result<Day, HistoryError> {
    let days = u32::try_from(number);
    days.map(Day::new)
        .map_err(|_| HistoryError::Corrupt("a day lies outside of all that can be"))
}
