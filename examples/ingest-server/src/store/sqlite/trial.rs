//! Finds out whether the tables are there and can be written, by trying.

use sqlx::SqliteConnection;

use super::{failure::Failure, lead_sql, transaction::WriteTransaction};
use crate::{lead::COLUMNS, store::StoreError};

/// What requests do to the tables, on rows that no tenant has.
const STATEMENTS: [(&str, &str); 14] = [
    (
        "event",
        "INSERT INTO event (tenant, source, id, content_fp, lead, type, schema_version, time,
             received_at, payload, has_sealed)
         VALUES ('', '', '', x'', NULL, '', 0, '', '', '', 0)",
    ),
    ("event", "DELETE FROM event WHERE n = last_insert_rowid()"),
    (
        "event_hash",
        "INSERT INTO event_hash (hash, n) VALUES (zeroblob(16), 0)
         ON CONFLICT DO UPDATE SET n = excluded.n",
    ),
    (
        "event_hashed",
        "UPDATE event_hashed SET n = n WHERE first_byte = 0",
    ),
    (
        "lead_index",
        r#"INSERT INTO lead_index (tenant, field, "index", version, value, lead)
           VALUES ('', '', '', 0, x'', '')"#,
    ),
    (
        "lead_index",
        "DELETE FROM lead_index WHERE lead = '' AND field = ''",
    ),
    (
        "event_sealed_ref",
        "INSERT INTO event_sealed_ref (n, key_id) VALUES (-1, 0)",
    ),
    (
        "secret_check",
        "INSERT INTO secret_check (secret, version, value) VALUES ('', -1, x'')",
    ),
    (
        "secret_first_use",
        "INSERT INTO secret_first_use (secret, version, at) VALUES ('', -1, 0)",
    ),
    (
        "index_state",
        "INSERT INTO index_state (version, phase, since) VALUES (-1, '', 0)",
    ),
    (
        "sweep_cursor",
        r#"INSERT INTO sweep_cursor ("table", sweep, cursor) VALUES ('', '', '')"#,
    ),
    (
        "limit_policies",
        "INSERT OR REPLACE INTO limit_policies (one, policies) VALUES (1, '')",
    ),
    (
        "detection_policy",
        "INSERT OR REPLACE INTO detection_policy (one, policy) VALUES (1, '')",
    ),
    (
        "audit_anchor",
        "INSERT INTO audit_anchor (origin, checkpoint) VALUES ('', '')
         ON CONFLICT DO UPDATE SET checkpoint = excluded.checkpoint",
    ),
];

/// What has to be found: without the first, the next start would make the tables once more, and
/// fail; without the second, nothing could be looked up; without the third, one e-mail could have
/// two leads, and look-ups would read whole tables; without the fourth, each start would read all
/// events; without the fifth, data keys would be thrown away that rows need; without the sixth, what an
/// earlier version put on record could be changed.
const EXPECTED: [(&str, &str); 6] = [
    (
        "schema_migrations",
        "SELECT 1 WHERE 8 = (SELECT count(*) FROM schema_migrations
         WHERE version IN (1, 2, 3, 4, 5, 6, 7, 8) AND success)",
    ),
    (
        "index_state",
        "SELECT version FROM index_state WHERE phase = 'enforced'",
    ),
    (
        "lead_index",
        "SELECT 1 WHERE 4 = (SELECT count(*) FROM sqlite_schema WHERE type = 'index'
         AND name IN ('lead_index_unique', 'lead_index_by_value', 'lead_index_by_lead',
             'lead_index_by_search'))",
    ),
    (
        "event_hashed",
        "SELECT 1 WHERE 256 = (SELECT count(*) FROM event_hashed
         WHERE first_byte BETWEEN 0 AND 255)",
    ),
    (
        "sealed_ref",
        r#"SELECT count(*) FROM sealed_ref WHERE key_id = -1 AND "table" = '' AND row = ''"#,
    ),
    (
        "audit_event",
        "SELECT 1 WHERE 3 = (SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'
         AND tbl_name = 'audit_event' AND name IN ('audit_event_is_not_updated', 'audit_event_is_not_deleted',
             'audit_event_is_not_replaced'))",
    ),
];

/// Runs the statements in a transaction that is taken back.
pub(super) async fn run(mut tx: WriteTransaction) -> Result<(), StoreError> {
    write_lead(&mut tx)
        .await
        .map_err(|error| failed("lead", error))?;
    for (table, statement) in STATEMENTS {
        let tried = sqlx::query(statement).execute(&mut *tx).await;
        tried.map_err(|error| failed(table, error))?;
    }
    for (table, statement) in EXPECTED {
        let found = sqlx::query(statement).fetch_one(&mut *tx).await;
        found.map_err(|error| failed(table, error))?;
    }
    tx.rollback()
        .await
        .map_err(|error| Failure::from(error).into())
}

async fn write_lead(tx: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut insert = sqlx::query(lead_sql::INSERT.as_str());
    for _ in COLUMNS.iter().flat_map(lead_sql::columns) {
        insert = insert.bind(None::<Vec<u8>>);
    }
    // When it was updated, its id, its tenant, when it was created.
    for _ in 0..4 {
        insert = insert.bind("");
    }
    insert.execute(&mut *tx).await?;
    let mut update = sqlx::query(lead_sql::UPDATE.as_str());
    for _ in COLUMNS.iter().flat_map(lead_sql::columns) {
        update = update.bind(None::<Vec<u8>>);
    }
    for _ in 0..3 {
        update = update.bind("");
    }
    update.execute(&mut *tx).await?;
    Ok(())
}

/// What SQLite said of a table.
pub(super) fn failed(table: &'static str, error: impl Into<Failure>) -> StoreError {
    match StoreError::from(error.into()) {
        StoreError::Unavailable(source) => StoreError::Table { table, source },
        error => error,
    }
}
