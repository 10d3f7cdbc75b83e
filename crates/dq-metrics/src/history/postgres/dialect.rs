//! What is said to PostgreSQL in its own way.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{PgConnection, Postgres, postgres::PgQueryResult};

use crate::{
    conservation::Conservation,
    history::{
        HistoryError, ReceiptKey, TallyKey, VersionCount, VersionKey,
        sql::{Dialect, lifecycle_text},
    },
};

impl Dialect for Postgres {
    const NOTE_BATCH: &'static str =
        "INSERT INTO dq_metrics_writer AS known (writer, sequence, day) VALUES ($1, $2, $3)
         ON CONFLICT (writer) DO UPDATE
         SET sequence = excluded.sequence, day = greatest(known.day, excluded.day)
         WHERE known.sequence < excluded.sequence";

    fn failed(error: sqlx::Error) -> HistoryError {
        HistoryError::Unavailable(error.into())
    }

    fn changed(outcome: &PgQueryResult) -> u64 {
        outcome.rows_affected()
    }

    /// PostgreSQL keeps no U+0000 in texts, and a broken payload may have one.
    fn storable(text: &str) -> String {
        text.replace('\0', "\u{fffd}")
    }

    async fn erased_of(
        connection: &mut PgConnection,
        tenants: BTreeSet<&str>,
    ) -> Result<BTreeSet<String>, sqlx::Error> {
        let tenants: Vec<&str> = tenants.into_iter().collect();
        let find = "SELECT tenant FROM dq_metrics_erased WHERE tenant = ANY($1)";
        let found: Vec<String> = sqlx::query_scalar(find)
            .bind(tenants)
            .fetch_all(connection)
            .await?;
        Ok(found.into_iter().collect())
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
