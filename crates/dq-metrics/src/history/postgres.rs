//! A history in PostgreSQL.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder, Transaction};

use super::{
    GroupBy, HistoryBatch, HistoryError, HistorySample, QualityHistory, ROWS_PER_HOUR, Retention,
    SAMPLES_PER_DAY, SampleChange, SampleQuery, TallyKey, TallyQuery, TallySum, WriterId,
    row::{latest_day, migrator, sample, sample_columns, sum},
};

/// A history in PostgreSQL 15 or later, in the tables `dq_metrics_tally`, `dq_metrics_sample` and
/// `dq_metrics_writer` of the schema that the connections of the pool find first.
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
        let migrator = migrator(include_str!("../../migrations/postgres/0001_history.sql"));
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
        let mut select = QueryBuilder::<Postgres>::new(match query.by {
            GroupBy::Day => "SELECT hour / 24 AS in_group",
            GroupBy::Tenant => "SELECT tenant AS in_group",
            GroupBy::EventType => "SELECT event_type AS in_group",
        });
        let (from, to) = query.days.hours();
        // A sum of BIGINT is NUMERIC.
        select.push(
            ", outcome, reason, sum(events)::BIGINT AS events FROM dq_metrics_tally WHERE hour >= ",
        );
        select
            .push_bind(i64::from(from.value()))
            .push(" AND hour < ");
        select.push_bind(i64::from(to.value()));
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
        let mut select = QueryBuilder::<Postgres>::new(select);
        select.push_bind(i64::from(query.days.from().value()));
        select
            .push(" AND day <= ")
            .push_bind(i64::from(query.days.to().value()));
        if let Some(tenant) = &query.tenant {
            select.push(" AND tenant = ").push_bind(tenant);
        }
        select.push(" ORDER BY day DESC, reason, writer, slot LIMIT ");
        select.push_bind(i64::from(query.limit.get()));
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
                "DELETE FROM dq_metrics_tally WHERE hour < $1",
                tallies.first_hour().value(),
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

/// Remembers the number of a batch; false if that was remembered before.
async fn note_batch(
    connection: &mut PgConnection,
    batch: &HistoryBatch,
) -> Result<bool, sqlx::Error> {
    let note = "INSERT INTO dq_metrics_writer AS known (writer, sequence, day) VALUES ($1, $2, $3)
                ON CONFLICT (writer) DO UPDATE
                SET sequence = excluded.sequence, day = greatest(known.day, excluded.day)
                WHERE known.sequence < excluded.sequence";
    let note = sqlx::query(note)
        .bind(&batch.writer.to_bytes()[..])
        .bind(batch.sequence.cast_signed())
        .bind(i64::from(latest_day(batch).value()));
    Ok(note.execute(connection).await?.rows_affected() == 1)
}

async fn add(connection: &mut PgConnection, batch: &HistoryBatch) -> Result<(), sqlx::Error> {
    let mut full = BTreeSet::new();
    for (hour, new) in batch.hours() {
        let count = "SELECT count(*) FROM dq_metrics_tally WHERE hour = $1";
        let count = sqlx::query_scalar(count).bind(i64::from(hour.value()));
        let there: i64 = count.fetch_one(&mut *connection).await?;
        if there.cast_unsigned() + new > ROWS_PER_HOUR {
            full.insert(hour);
        }
    }
    let tallies = batch.folded(|hour| full.contains(&hour));
    add_tallies(connection, tallies.into_iter().unzip()).await?;
    for change in &batch.samples {
        put_sample(connection, batch.writer, change).await?;
    }
    Ok(())
}

/// All of them in one statement.
async fn add_tallies(
    connection: &mut PgConnection,
    (keys, events): (Vec<TallyKey>, Vec<u64>),
) -> Result<(), sqlx::Error> {
    let texts = |text: fn(&TallyKey) -> &String| -> Vec<String> {
        keys.iter().map(|key| text(key).clone()).collect()
    };
    let hours: Vec<i64> = keys.iter().map(|key| key.hour.value().into()).collect();
    let events: Vec<i64> = events.into_iter().map(u64::cast_signed).collect();
    let add = "INSERT INTO dq_metrics_tally AS there (hour, tenant, event_type, outcome, reason, events)
               SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[])
               ON CONFLICT (hour, tenant, event_type, outcome, reason)
               DO UPDATE SET events = there.events + excluded.events";
    let add = sqlx::query(add)
        .bind(hours)
        .bind(texts(|key| &key.tenant))
        .bind(texts(|key| &key.event_type))
        .bind(texts(|key| &key.outcome))
        .bind(texts(|key| &key.reason))
        .bind(events);
    add.execute(connection).await.map(drop)
}

async fn put_sample(
    connection: &mut PgConnection,
    writer: WriterId,
    change: &SampleChange,
) -> Result<(), sqlx::Error> {
    let SampleChange { day, slot, sample } = change;
    let (day, index) = (
        i64::from(day.value()),
        i64::try_from(slot.index()).unwrap_or(i64::MAX),
    );
    let clear = "DELETE FROM dq_metrics_sample
                 WHERE day = $1 AND reason = $2 AND writer = $3 AND slot = $4";
    let clear = sqlx::query(clear)
        .bind(day)
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
               SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
               WHERE (SELECT count(*) FROM dq_metrics_sample WHERE day = $1 AND reason = $2) < $13";
    let trace_id = sample.trace_id.map(|id| id.to_bytes().to_vec());
    let put = sqlx::query(put)
        .bind(day)
        .bind(slot.reason())
        .bind(&writer.to_bytes()[..])
        .bind(index)
        .bind(&sample.tenant)
        .bind(&sample.event_type)
        .bind(sample.ordinal.cast_signed())
        .bind(sample.taken_at.value().cast_signed())
        .bind(trace_id)
        .bind(without_nul(&sample.detail))
        .bind(without_nul(&sample.excerpt))
        .bind(sample.fingerprint.value().cast_signed())
        .bind(SAMPLES_PER_DAY.cast_signed());
    put.execute(connection).await.map(drop)
}

fn failed(error: sqlx::Error) -> HistoryError {
    HistoryError::Unavailable(error.into())
}

/// PostgreSQL keeps no U+0000 in texts, and a broken payload may have one.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
