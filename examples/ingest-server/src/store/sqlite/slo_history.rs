//! The history of objectives in SQLite, on connections that no request waits for.

use std::ops::Range;

use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::{failure::Failure, file::OpenedFile, turn::WriteTurns};
use crate::store::{PRUNED_AT_ONCE, SloBucket, SloHistory, SloQuery, SloSum, Slot, StoreError};

/// In the table `slo_bucket`.
#[derive(Debug)]
pub(crate) struct SqliteSloHistory {
    pool: SqlitePool,
    turns: WriteTurns,
    file: OpenedFile,
}

/// What SQLite gives for an objective and a span: their places, sums, and the oldest slot.
type SumRow = (i64, i64, Option<i64>, Option<i64>, Option<i64>);

impl SqliteSloHistory {
    pub(super) const fn new(pool: SqlitePool, turns: WriteTurns, file: OpenedFile) -> Self {
        Self { pool, turns, file }
    }

    async fn write(
        &self,
        statement: impl Fn() -> QueryBuilder<Sqlite> + Send + Sync,
    ) -> Result<u64, StoreError> {
        let write = || async { statement().build().execute(&self.pool).await };
        let written = self.turns.write(write).await.map_err(Failure::from)?;
        self.file.verify()?;
        Ok(written.rows_affected())
    }
}

#[async_trait]
impl SloHistory for SqliteSloHistory {
    async fn put(&self, buckets: &[SloBucket]) -> Result<(), StoreError> {
        if buckets.is_empty() {
            return Ok(());
        }
        self.write(|| putting(buckets)).await.map(drop)
    }

    async fn sums(&self, query: &SloQuery) -> Result<Vec<SloSum>, StoreError> {
        if query.slos.is_empty() || query.spans.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = summing(query);
        let rows = statement.build_query_as().fetch_all(&self.pool).await;
        let rows: Vec<SumRow> = rows.map_err(Failure::from)?;
        let sum = |row| read(query, row).ok_or(StoreError::Malformed("count of an objective"));
        rows.into_iter().map(sum).collect()
    }

    async fn prune(&self, slos: &[&'static str], before: Slot) -> Result<u64, StoreError> {
        if slos.is_empty() {
            return Ok(0);
        }
        self.write(|| pruning(slos, before)).await
    }
}

/// One statement is one transaction.
fn putting(buckets: &[SloBucket]) -> QueryBuilder<Sqlite> {
    let mut statement = QueryBuilder::new("INSERT INTO slo_bucket (slo, slot, node, good, bad) ");
    statement.push_values(buckets, |mut row, bucket| {
        row.push_bind(bucket.slo)
            .push_bind(bucket.slot.number())
            .push_bind(bucket.node.to_string())
            .push_bind(count(bucket.good))
            .push_bind(count(bucket.bad));
    });
    statement.push(" ON CONFLICT DO UPDATE SET good = excluded.good, bad = excluded.bad");
    statement
}

/// One term for each objective and span: each goes over its own rows once, in the order in which they lie there.
/// One statement sees the database of one moment.
fn summing(query: &SloQuery) -> QueryBuilder<Sqlite> {
    let mut statement = QueryBuilder::new("");
    let mut before = "";
    for (place, slo) in query.slos.iter().enumerate() {
        for (span, Range { start, end }) in query.spans.iter().enumerate() {
            statement
                .push(before)
                .push(format_args!(
                    "SELECT {place}, {span}, sum(good), sum(bad), min(slot) FROM slo_bucket WHERE slo = "
                ))
                .push_bind(*slo)
                .push(" AND slot >= ")
                .push_bind(start.number())
                .push(" AND slot < ")
                .push_bind(end.number());
            for own in &query.except {
                statement
                    .push(" AND NOT (slot >= ")
                    .push_bind(own.from.number())
                    .push(" AND node = ")
                    .push_bind(own.node.to_string())
                    .push(")");
            }
            before = " UNION ALL ";
        }
    }
    statement
}

fn pruning(slos: &[&'static str], before: Slot) -> QueryBuilder<Sqlite> {
    let mut statement = QueryBuilder::new(
        "DELETE FROM slo_bucket WHERE (slo, slot, node) IN (
             SELECT slo, slot, node FROM slo_bucket WHERE slo IN (",
    );
    let mut names = statement.separated(", ");
    for slo in slos {
        names.push_bind(*slo);
    }
    statement
        .push(") AND slot < ")
        .push_bind(before.number())
        .push(" LIMIT ")
        .push_bind(PRUNED_AT_ONCE)
        .push(")");
    statement
}

/// SQLite has no larger integers.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// None for what nobody can have counted.
fn read(query: &SloQuery, (place, span, good, bad, first): SumRow) -> Option<SloSum> {
    let counted = |sum: Option<i64>| u64::try_from(sum.unwrap_or(0)).ok();
    Some(SloSum {
        slo: query.slos.get(usize::try_from(place).ok()?)?,
        span: usize::try_from(span).ok()?,
        good: counted(good)?,
        bad: counted(bad)?,
        first: first.map(Slot::numbered),
    })
}
