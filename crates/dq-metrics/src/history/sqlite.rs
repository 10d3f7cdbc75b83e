//! A history in SQLite.

mod transaction;

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use self::transaction::WriteTransaction;
use super::{
    GroupBy, HistoryBatch, HistoryError, HistorySample, QualityHistory, ROWS_PER_HOUR, Retention,
    SAMPLES_PER_DAY, SampleChange, SampleQuery, TallyKey, TallyQuery, TallySum, WriterId,
    row::{latest_day, migrator, sample, sample_columns, sum},
};

/// A history in SQLite, in the tables `dq_metrics_tally`, `dq_metrics_sample` and `dq_metrics_writer`.
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
        let migrator = migrator(include_str!("../../migrations/sqlite/0001_history.sql"));
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
        let mut select = QueryBuilder::<Sqlite>::new(match query.by {
            GroupBy::Day => "SELECT hour / 24 AS in_group",
            GroupBy::Tenant => "SELECT tenant AS in_group",
            GroupBy::EventType => "SELECT event_type AS in_group",
        });
        let (from, to) = query.days.hours();
        select
            .push(", outcome, reason, sum(events) AS events FROM dq_metrics_tally WHERE hour >= ");
        select.push_bind(from.value()).push(" AND hour < ");
        select.push_bind(to.value());
        if let Some(tenant) = &query.tenant {
            select.push(" AND tenant = ").push_bind(tenant);
        }
        select.push(" GROUP BY in_group, outcome, reason ORDER BY in_group, outcome, reason");
        let select = select.build();
        let rows = select.fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(|row| sum(row, query.by)).collect()
    }

    async fn samples(&self, query: &SampleQuery) -> Result<Vec<HistorySample>, HistoryError> {
        let select = concat!(
            "SELECT ",
            sample_columns!(),
            " FROM dq_metrics_sample WHERE day >= "
        );
        let mut select = QueryBuilder::<Sqlite>::new(select);
        select.push_bind(query.days.from().value());
        select
            .push(" AND day <= ")
            .push_bind(query.days.to().value());
        if let Some(tenant) = &query.tenant {
            select.push(" AND tenant = ").push_bind(tenant);
        }
        select.push(" ORDER BY day DESC, reason, writer, slot LIMIT ");
        select.push_bind(query.limit.get());
        let select = select.build();
        let rows = select.fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(sample).collect()
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

/// Remembers the number of a batch; false if that was remembered before.
async fn note_batch(
    connection: &mut SqliteConnection,
    batch: &HistoryBatch,
) -> Result<bool, sqlx::Error> {
    let note = "INSERT INTO dq_metrics_writer (writer, sequence, day) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET sequence = excluded.sequence, day = max(day, excluded.day)
                WHERE sequence < excluded.sequence";
    let note = sqlx::query(note)
        .bind(&batch.writer.to_bytes()[..])
        .bind(batch.sequence.cast_signed())
        .bind(latest_day(batch).value());
    Ok(note.execute(connection).await?.rows_affected() == 1)
}

async fn add(connection: &mut SqliteConnection, batch: &HistoryBatch) -> Result<(), sqlx::Error> {
    let mut full = BTreeSet::new();
    for (hour, new) in batch.hours() {
        let count = "SELECT count(*) FROM dq_metrics_tally WHERE hour = ?";
        let count = sqlx::query_scalar(count).bind(hour.value());
        let there: i64 = count.fetch_one(&mut *connection).await?;
        if there.cast_unsigned() + new > ROWS_PER_HOUR {
            full.insert(hour);
        }
    }
    for (key, events) in batch.folded(|hour| full.contains(&hour)) {
        add_tally(connection, &key, events).await?;
    }
    for change in &batch.samples {
        put_sample(connection, batch.writer, change).await?;
    }
    Ok(())
}

async fn add_tally(
    connection: &mut SqliteConnection,
    key: &TallyKey,
    events: u64,
) -> Result<(), sqlx::Error> {
    let add = "INSERT INTO dq_metrics_tally (hour, tenant, event_type, outcome, reason, events)
               VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET events = events + excluded.events";
    let add = sqlx::query(add)
        .bind(key.hour.value())
        .bind(&key.tenant)
        .bind(&key.event_type)
        .bind(&key.outcome)
        .bind(&key.reason)
        .bind(events.cast_signed());
    add.execute(connection).await.map(drop)
}

async fn put_sample(
    connection: &mut SqliteConnection,
    writer: WriterId,
    change: &SampleChange,
) -> Result<(), sqlx::Error> {
    let SampleChange { day, slot, sample } = change;
    let index = i64::try_from(slot.index()).unwrap_or(i64::MAX);
    let clear = "DELETE FROM dq_metrics_sample
                 WHERE day = ? AND reason = ? AND writer = ? AND slot = ?";
    let clear = sqlx::query(clear)
        .bind(day.value())
        .bind(slot.reason())
        .bind(&writer.to_bytes()[..])
        .bind(index);
    clear.execute(&mut *connection).await?;
    let Some(sample) = sample else {
        return Ok(());
    };
    let put =
        "INSERT INTO dq_metrics_sample (day, reason, writer, slot, tenant, event_type, ordinal,
                   taken_at, trace_id, detail, excerpt, fingerprint)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
               WHERE (SELECT count(*) FROM dq_metrics_sample WHERE day = ?1 AND reason = ?2) < ?13";
    let trace_id = sample.trace_id.map(|id| id.to_bytes().to_vec());
    let put = sqlx::query(put)
        .bind(day.value())
        .bind(slot.reason())
        .bind(&writer.to_bytes()[..])
        .bind(index)
        .bind(&sample.tenant)
        .bind(&sample.event_type)
        .bind(sample.ordinal.cast_signed())
        .bind(sample.taken_at.value().cast_signed())
        .bind(trace_id)
        .bind(&sample.detail)
        .bind(&sample.excerpt)
        .bind(sample.fingerprint.value().cast_signed())
        .bind(SAMPLES_PER_DAY.cast_signed());
    put.execute(connection).await.map(drop)
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
