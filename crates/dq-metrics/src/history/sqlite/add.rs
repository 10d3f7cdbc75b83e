//! What a batch adds.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use crate::{
    conservation::Conservation,
    history::{
        HistoryBatch, ROWS_PER_DAY, ROWS_PER_HOUR, ReceiptKey, RowKey, SAMPLES_PER_DAY,
        SampleChange, TallyKey, VersionCount, VersionKey, WriterId, folded_rows,
        row::{latest_day, lifecycle_text},
        rows_by_period,
    },
};

/// How many rows a period may have, and the statement that counts them.
struct Bound {
    count: &'static str,
    rows: u64,
}

const TALLIES: Bound = Bound {
    count: "SELECT count(*) FROM dq_metrics_tally WHERE hour = ?",
    rows: ROWS_PER_HOUR,
};
const RECEIPTS: Bound = Bound {
    count: "SELECT count(*) FROM dq_metrics_receipt WHERE day = ?",
    rows: ROWS_PER_DAY,
};
const VERSIONS: Bound = Bound {
    count: "SELECT count(*) FROM dq_metrics_version WHERE day = ?",
    rows: ROWS_PER_DAY,
};

/// Remembers the number of a batch; false if that was remembered before.
pub(super) async fn note_batch(
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

pub(super) async fn add(
    connection: &mut SqliteConnection,
    batch: &HistoryBatch,
) -> Result<(), sqlx::Error> {
    let erased = erased_of(connection, batch).await?;
    let batch = batch.without_tenants(|tenant| erased.contains(tenant));
    let tallies = bounded(connection, &batch.tallies, &TALLIES).await?;
    for (key, events) in tallies {
        add_tally(connection, &key, events).await?;
    }
    let receipts = bounded(connection, &batch.receipts, &RECEIPTS).await?;
    for (key, conservation) in receipts {
        add_receipt(connection, &key, conservation).await?;
    }
    let versions = bounded(connection, &batch.versions, &VERSIONS).await?;
    for (key, uses) in versions {
        add_version(connection, &key, uses).await?;
    }
    for change in &batch.samples {
        put_sample(connection, batch.writer, change).await?;
    }
    Ok(())
}

/// Which tenants of a batch are erased.
async fn erased_of(
    connection: &mut SqliteConnection,
    batch: &HistoryBatch,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let mut erased = BTreeSet::new();
    for tenant in batch.tenants() {
        let find = "SELECT 1 FROM dq_metrics_erased WHERE tenant = ?";
        let found = sqlx::query(find)
            .bind(tenant)
            .fetch_optional(&mut *connection);
        if found.await?.is_some() {
            erased.insert(tenant.to_owned());
        }
    }
    Ok(erased)
}

/// The rows, those of periods that have too many under the key that all others share.
async fn bounded<K>(
    connection: &mut SqliteConnection,
    rows: &BTreeMap<K, K::Value>,
    bound: &Bound,
) -> Result<BTreeMap<K, K::Value>, sqlx::Error>
where
    K: RowKey,
    K::Period: Into<u32>,
{
    let mut full = BTreeSet::new();
    for (period, new) in rows_by_period(rows) {
        let count = sqlx::query_scalar(bound.count).bind(period.into());
        let there: i64 = count.fetch_one(&mut *connection).await?;
        if there.cast_unsigned() + new > bound.rows {
            full.insert(period);
        }
    }
    Ok(folded_rows(rows, |key| full.contains(&key.period())))
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

async fn add_receipt(
    connection: &mut SqliteConnection,
    key: &ReceiptKey,
    conservation: Conservation,
) -> Result<(), sqlx::Error> {
    let add = "INSERT INTO dq_metrics_receipt (day, tenant, received, outcomes) VALUES (?, ?, ?, ?)
               ON CONFLICT DO UPDATE
               SET received = received + excluded.received, outcomes = outcomes + excluded.outcomes";
    let add = sqlx::query(add)
        .bind(key.day.value())
        .bind(&key.tenant)
        .bind(conservation.received.cast_signed())
        .bind(conservation.outcomes.cast_signed());
    add.execute(connection).await.map(drop)
}

async fn add_version(
    connection: &mut SqliteConnection,
    key: &VersionKey,
    uses: VersionCount,
) -> Result<(), sqlx::Error> {
    let add = "INSERT INTO dq_metrics_version
                   (day, tenant, event_type, version, lifecycle, events, last_seen)
               VALUES (?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE
               SET events = events + excluded.events, last_seen = max(last_seen, excluded.last_seen)";
    let add = sqlx::query(add)
        .bind(key.day.value())
        .bind(&key.tenant)
        .bind(&key.event_type)
        .bind(&key.version)
        .bind(lifecycle_text(key.lifecycle))
        .bind(uses.events.cast_signed())
        .bind(uses.last_seen.value().cast_signed());
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
