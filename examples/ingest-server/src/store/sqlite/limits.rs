//! The limits that an operator set.

use sqlx::{SqliteConnection, SqlitePool};

use super::failure::Failure;

/// What was set last, if anything was.
pub(super) async fn read(pool: &SqlitePool) -> Result<Option<String>, Failure> {
    let statement = "SELECT policies FROM limit_policies WHERE one = 1";
    Ok(sqlx::query_scalar(statement).fetch_optional(pool).await?)
}

/// Replaces what was set before.
pub(super) async fn write(tx: &mut SqliteConnection, policies: &str) -> Result<(), Failure> {
    let statement = "INSERT INTO limit_policies VALUES (1, ?)
        ON CONFLICT DO UPDATE SET policies = excluded.policies";
    sqlx::query(statement).bind(policies).execute(tx).await?;
    Ok(())
}
