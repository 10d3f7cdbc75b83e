//! What a batch adds.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Encode, Executor, FromRow, IntoArguments, Type};

use super::{Dialect, TableWriter};
use crate::history::{
    Day, HistoryBatch, ROWS_PER_DAY, ROWS_PER_HOUR, RowKey, SAMPLES_PER_DAY, SampleChange,
    WriterId, folded_rows, rows_by_period,
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

impl<DB: Dialect> TableWriter<'_, DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    for<'q> Vec<u8>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<Vec<u8>>: Encode<'q, DB> + Type<DB>,
    for<'r> (i64,): FromRow<'r, DB::Row>,
    DB::Arguments: IntoArguments<DB>,
{
    /// Adds a batch; false if it was added before.
    pub(in crate::history) async fn add(
        &mut self,
        batch: &HistoryBatch,
    ) -> Result<bool, sqlx::Error> {
        if !self.note(batch).await? {
            return Ok(false);
        }
        let erased = DB::erased_of(self.connection, batch.tenants()).await?;
        let batch = batch.without_tenants(|tenant| erased.contains(tenant));
        let tallies = self.bounded(&batch.tallies, &TALLIES).await?;
        DB::add_tallies(self.connection, &tallies).await?;
        let receipts = self.bounded(&batch.receipts, &RECEIPTS).await?;
        DB::add_receipts(self.connection, &receipts).await?;
        let versions = self.bounded(&batch.versions, &VERSIONS).await?;
        DB::add_versions(self.connection, &versions).await?;
        for change in &batch.samples {
            self.put_sample(batch.writer, change).await?;
        }
        Ok(true)
    }

    /// Remembers the number of a batch; false if that was remembered before.
    async fn note(&mut self, batch: &HistoryBatch) -> Result<bool, sqlx::Error> {
        let note = sqlx::query::<DB>(DB::NOTE_BATCH)
            .bind(batch.writer.to_bytes().to_vec())
            .bind(batch.sequence.cast_signed())
            .bind(i64::from(latest_day(batch).value()));
        let outcome = note.execute(&mut *self.connection).await?;
        Ok(DB::changed(&outcome) == 1)
    }

    /// The rows, those of periods that have too many under the key that all others share.
    async fn bounded<K>(
        &mut self,
        rows: &BTreeMap<K, K::Value>,
        bound: &Bound,
    ) -> Result<BTreeMap<K, K::Value>, sqlx::Error>
    where
        K: RowKey,
        K::Period: Into<u32>,
    {
        let mut full = BTreeSet::new();
        for (period, new) in rows_by_period(rows) {
            let count = sqlx::query_scalar::<DB, i64>(bound.count).bind(i64::from(period.into()));
            let there = count.fetch_one(&mut *self.connection).await?;
            if there.cast_unsigned() + new > bound.rows {
                full.insert(period);
            }
        }
        Ok(folded_rows(rows, |key| full.contains(&key.period())))
    }

    async fn put_sample(
        &mut self,
        writer: WriterId,
        change: &SampleChange,
    ) -> Result<(), sqlx::Error> {
        let SampleChange { day, slot, sample } = change;
        let (day, reason) = (i64::from(day.value()), slot.reason().to_owned());
        let (writer, slot) = (
            writer.to_bytes().to_vec(),
            i64::try_from(slot.index()).unwrap_or(i64::MAX),
        );
        let clear = "DELETE FROM dq_metrics_sample
                     WHERE day = $1 AND reason = $2 AND writer = $3 AND slot = $4";
        let clear = sqlx::query::<DB>(clear)
            .bind(day)
            .bind(&reason)
            .bind(&writer)
            .bind(slot);
        clear.execute(&mut *self.connection).await?;
        let Some(sample) = sample else {
            return Ok(());
        };
        let put = "INSERT INTO dq_metrics_sample (day, reason, writer, slot, tenant, event_type, ordinal,
                       taken_at, trace_id, detail, excerpt, fingerprint)
                   SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
                   WHERE (SELECT count(*) FROM dq_metrics_sample WHERE day = $1 AND reason = $2) < $13";
        let trace_id = sample.trace_id.map(|id| id.to_bytes().to_vec());
        let put = sqlx::query::<DB>(put)
            .bind(day)
            .bind(reason)
            .bind(writer)
            .bind(slot)
            .bind(&sample.tenant)
            .bind(&sample.event_type)
            .bind(sample.ordinal.cast_signed())
            .bind(sample.taken_at.value().cast_signed())
            .bind(trace_id)
            .bind(DB::storable(&sample.detail))
            .bind(DB::storable(&sample.excerpt))
            .bind(sample.fingerprint.value().cast_signed())
            .bind(SAMPLES_PER_DAY.cast_signed());
        put.execute(&mut *self.connection).await.map(drop)
    }
}

/// The latest day in a batch, or the first of all if it has none: what its writer is remembered until.
fn latest_day(batch: &HistoryBatch) -> Day {
    let tallies = batch.tallies.keys().map(|key| key.hour.day());
    let samples = batch.samples.iter().map(|change| change.day);
    let receipts = batch.receipts.keys().map(|key| key.day);
    let versions = batch.versions.keys().map(|key| key.day);
    let days = tallies.chain(receipts).chain(versions).chain(samples);
    days.max().unwrap_or(Day::new(0))
}
