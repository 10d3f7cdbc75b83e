//! What a batch adds.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use super::without_nul;
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
    count: "SELECT count(*) FROM dq_metrics_tally WHERE hour = $1",
    rows: ROWS_PER_HOUR,
};
const RECEIPTS: Bound = Bound {
    count: "SELECT count(*) FROM dq_metrics_receipt WHERE day = $1",
    rows: ROWS_PER_DAY,
};
const VERSIONS: Bound = Bound {
    count: "SELECT count(*) FROM dq_metrics_version WHERE day = $1",
    rows: ROWS_PER_DAY,
};

/// Remembers the number of a batch; false if that was remembered before.
pub(super) async fn note_batch(
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

pub(super) async fn add(
    connection: &mut PgConnection,
    batch: &HistoryBatch,
) -> Result<(), sqlx::Error> {
    let erased = erased_of(connection, batch).await?;
    let batch = batch.without_tenants(|tenant| erased.contains(tenant));
    let tallies = bounded(connection, &batch.tallies, &TALLIES).await?;
    add_tallies(connection, &tallies).await?;
    let receipts = bounded(connection, &batch.receipts, &RECEIPTS).await?;
    add_receipts(connection, &receipts).await?;
    let versions = bounded(connection, &batch.versions, &VERSIONS).await?;
    add_versions(connection, &versions).await?;
    for change in &batch.samples {
        put_sample(connection, batch.writer, change).await?;
    }
    Ok(())
}

/// Which tenants of a batch are erased.
async fn erased_of(
    connection: &mut PgConnection,
    batch: &HistoryBatch,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let tenants: Vec<&str> = batch.tenants().into_iter().collect();
    let find = "SELECT tenant FROM dq_metrics_erased WHERE tenant = ANY($1)";
    let found: Vec<String> = sqlx::query_scalar(find)
        .bind(tenants)
        .fetch_all(connection)
        .await?;
    Ok(found.into_iter().collect())
}

/// The rows, those of periods that have too many under the key that all others share.
async fn bounded<K>(
    connection: &mut PgConnection,
    rows: &BTreeMap<K, K::Value>,
    bound: &Bound,
) -> Result<BTreeMap<K, K::Value>, sqlx::Error>
where
    K: RowKey,
    K::Period: Into<u32>,
{
    let mut full = BTreeSet::new();
    for (period, new) in rows_by_period(rows) {
        let count = sqlx::query_scalar(bound.count).bind(i64::from(period.into()));
        let there: i64 = count.fetch_one(&mut *connection).await?;
        if there.cast_unsigned() + new > bound.rows {
            full.insert(period);
        }
    }
    Ok(folded_rows(rows, |key| full.contains(&key.period())))
}

async fn add_tallies(
    connection: &mut PgConnection,
    rows: &BTreeMap<TallyKey, u64>,
) -> Result<(), sqlx::Error> {
    let add = "INSERT INTO dq_metrics_tally AS there (hour, tenant, event_type, outcome, reason, events)
               SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[])
               ON CONFLICT (hour, tenant, event_type, outcome, reason)
               DO UPDATE SET events = there.events + excluded.events";
    let add = sqlx::query(add)
        .bind(numbers(rows, |key, _| key.hour.value().into()))
        .bind(texts(rows, |key| &key.tenant))
        .bind(texts(rows, |key| &key.event_type))
        .bind(texts(rows, |key| &key.outcome))
        .bind(texts(rows, |key| &key.reason))
        .bind(numbers(rows, |_, events| events.cast_signed()));
    add.execute(connection).await.map(drop)
}

async fn add_receipts(
    connection: &mut PgConnection,
    rows: &BTreeMap<ReceiptKey, Conservation>,
) -> Result<(), sqlx::Error> {
    let add = "INSERT INTO dq_metrics_receipt AS there (day, tenant, received, outcomes)
               SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::BIGINT[])
               ON CONFLICT (day, tenant) DO UPDATE
               SET received = there.received + excluded.received, outcomes = there.outcomes + excluded.outcomes";
    let add = sqlx::query(add)
        .bind(numbers(rows, |key, _| key.day.value().into()))
        .bind(texts(rows, |key| &key.tenant))
        .bind(numbers(rows, |_, both| both.received.cast_signed()))
        .bind(numbers(rows, |_, both| both.outcomes.cast_signed()));
    add.execute(connection).await.map(drop)
}

async fn add_versions(
    connection: &mut PgConnection,
    rows: &BTreeMap<VersionKey, VersionCount>,
) -> Result<(), sqlx::Error> {
    let add = "INSERT INTO dq_metrics_version AS there
                   (day, tenant, event_type, version, lifecycle, events, last_seen)
               SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[],
                   $7::BIGINT[])
               ON CONFLICT (day, tenant, event_type, version, lifecycle) DO UPDATE
               SET events = there.events + excluded.events,
                   last_seen = greatest(there.last_seen, excluded.last_seen)";
    let lifecycles = rows.keys().map(|key| lifecycle_text(key.lifecycle));
    let lifecycles: Vec<&str> = lifecycles.collect();
    let add = sqlx::query(add)
        .bind(numbers(rows, |key, _| key.day.value().into()))
        .bind(texts(rows, |key| &key.tenant))
        .bind(texts(rows, |key| &key.event_type))
        .bind(texts(rows, |key| &key.version))
        .bind(lifecycles)
        .bind(numbers(rows, |_, uses| uses.events.cast_signed()))
        .bind(numbers(rows, |_, uses| {
            uses.last_seen.value().cast_signed()
        }));
    add.execute(connection).await.map(drop)
}

/// A column of numbers.
fn numbers<K, V: Copy>(rows: &BTreeMap<K, V>, number: impl Fn(&K, V) -> i64) -> Vec<i64> {
    let rows = rows.iter();
    rows.map(|(key, value)| number(key, *value)).collect()
}

/// A column of texts.
fn texts<K, V>(rows: &BTreeMap<K, V>, text: impl Fn(&K) -> &str) -> Vec<&str> {
    rows.keys().map(text).collect()
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
