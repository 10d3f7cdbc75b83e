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

/// Puts one in the place of that before, if that is there.
pub(super) async fn replace(
    pool: &SqlitePool,
    origin: &str,
    before: Option<&str>,
    checkpoint: &str,
) -> Result<SqliteQueryResult, sqlx::Error> {
    let replace = match before {
        None => sqlx::query(
            "INSERT INTO audit_anchor (checkpoint, origin) VALUES (?, ?) ON CONFLICT DO NOTHING",
        ),
        Some(_) => sqlx::query(
            "UPDATE audit_anchor SET checkpoint = ? WHERE origin = ? AND checkpoint = ?",
        ),
    };
    let mut statement = replace.bind(checkpoint).bind(origin);
    if let Some(before) = before {
        statement = statement.bind(before);
    }
    statement.execute(pool).await
}
