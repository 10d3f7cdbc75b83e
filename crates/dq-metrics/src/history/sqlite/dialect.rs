//! What is said to SQLite in its own way.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Sqlite, SqliteConnection, sqlite::SqliteQueryResult};

use crate::{
    conservation::Conservation,
    history::{
        HistoryError, ReceiptKey, TallyKey, VersionCount, VersionKey,
        sql::{Dialect, lifecycle_text},
    },
};

impl Dialect for Sqlite {
    const NOTE_BATCH: &'static str =
        "INSERT INTO dq_metrics_writer (writer, sequence, day) VALUES ($1, $2, $3)
         ON CONFLICT DO UPDATE SET sequence = excluded.sequence, day = max(day, excluded.day)
         WHERE sequence < excluded.sequence";

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

    fn changed(outcome: &SqliteQueryResult) -> u64 {
        outcome.rows_affected()
    }

    fn storable(text: &str) -> String {
        text.to_owned()
    }

    async fn erased_of(
        connection: &mut SqliteConnection,
        tenants: BTreeSet<&str>,
    ) -> Result<BTreeSet<String>, sqlx::Error> {
        let mut erased = BTreeSet::new();
        for tenant in tenants {
            let find = "SELECT 1 FROM dq_metrics_erased WHERE tenant = $1";
            let find = sqlx::query(find).bind(tenant);
            if find.fetch_optional(&mut *connection).await?.is_some() {
                erased.insert(tenant.to_owned());
            }
        }
        Ok(erased)
    }

    async fn add_tallies(
        connection: &mut SqliteConnection,
        rows: &BTreeMap<TallyKey, u64>,
    ) -> Result<(), sqlx::Error> {
        let add = "INSERT INTO dq_metrics_tally (hour, tenant, event_type, outcome, reason, events)
                   VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT DO UPDATE SET events = events + excluded.events";
        for (key, events) in rows {
            let add = sqlx::query(add)
                .bind(key.hour.value())
                .bind(&key.tenant)
                .bind(&key.event_type)
                .bind(&key.outcome)
                .bind(&key.reason)
                .bind(events.cast_signed());
            add.execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn add_receipts(
        connection: &mut SqliteConnection,
        rows: &BTreeMap<ReceiptKey, Conservation>,
    ) -> Result<(), sqlx::Error> {
        let add = "INSERT INTO dq_metrics_receipt (day, tenant, received, outcomes)
                   VALUES ($1, $2, $3, $4)
                   ON CONFLICT DO UPDATE
                   SET received = received + excluded.received, outcomes = outcomes + excluded.outcomes";
        for (key, both) in rows {
            let add = sqlx::query(add)
                .bind(key.day.value())
                .bind(&key.tenant)
                .bind(both.received.cast_signed())
                .bind(both.outcomes.cast_signed());
            add.execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn add_versions(
        connection: &mut SqliteConnection,
        rows: &BTreeMap<VersionKey, VersionCount>,
    ) -> Result<(), sqlx::Error> {
        let add = "INSERT INTO dq_metrics_version
                       (day, tenant, event_type, version, lifecycle, events, last_seen)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)
                   ON CONFLICT DO UPDATE
                   SET events = events + excluded.events, last_seen = max(last_seen, excluded.last_seen)";
        for (key, uses) in rows {
            let add = sqlx::query(add)
                .bind(key.day.value())
                .bind(&key.tenant)
                .bind(&key.event_type)
                .bind(&key.version)
                .bind(lifecycle_text(key.lifecycle))
                .bind(uses.events.cast_signed())
                .bind(uses.last_seen.value().cast_signed());
            add.execute(&mut *connection).await?;
        }
        Ok(())
    }
}
