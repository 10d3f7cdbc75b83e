//! Checkpoints of audit logs, the latest of each.

use rusqlite::{Connection, OptionalExtension as _};
use sqlx::{SqlitePool, sqlite::SqliteQueryResult};

use super::failure::Failure;

/// The one of the log of that name.
pub(super) fn find(connection: &Connection, origin: &str) -> Result<Option<String>, Failure> {
    let find = "SELECT checkpoint FROM audit_anchor WHERE origin = ?";
    let mut select = connection.prepare_cached(find)?;
    Ok(select.query_row([origin], |row| row.get(0)).optional()?)
}

/// Puts one in the place of that before.
pub(super) async fn keep(
    pool: &SqlitePool,
    origin: &str,
    checkpoint: &str,
) -> Result<SqliteQueryResult, sqlx::Error> {
    let keep = "INSERT INTO audit_anchor (origin, checkpoint) VALUES (?, ?)
        ON CONFLICT DO UPDATE SET checkpoint = excluded.checkpoint";
    let statement = sqlx::query(keep).bind(origin).bind(checkpoint);
    statement.execute(pool).await
}
