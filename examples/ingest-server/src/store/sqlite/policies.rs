//! What an operator set while the service ran: limits, and what is done with personal data that is
//! found. Each is one row, or none where nothing was set.

use sqlx::{SqliteConnection, SqlitePool};

use super::failure::Failure;

/// The limits that were set last, if any were.
pub(super) async fn limits(pool: &SqlitePool) -> Result<Option<String>, Failure> {
    let statement = "SELECT policies FROM limit_policies WHERE one = 1";
    Ok(sqlx::query_scalar(statement).fetch_optional(pool).await?)
}

/// Replaces the limits that were set before.
pub(super) async fn write_limits(tx: &mut SqliteConnection, policies: &str) -> Result<(), Failure> {
    let statement = "INSERT INTO limit_policies VALUES (1, ?)
        ON CONFLICT DO UPDATE SET policies = excluded.policies";
    sqlx::query(statement).bind(policies).execute(tx).await?;
    Ok(())
}

/// The detection policy that was set last, if one was.
pub(super) async fn detection(pool: &SqlitePool) -> Result<Option<String>, Failure> {
    let statement = "SELECT policy FROM detection_policy WHERE one = 1";
    Ok(sqlx::query_scalar(statement).fetch_optional(pool).await?)
}

/// Replaces the detection policy that was set before.
pub(super) async fn write_detection(
    tx: &mut SqliteConnection,
    policy: &str,
) -> Result<(), Failure> {
    let statement = "INSERT INTO detection_policy VALUES (1, ?)
        ON CONFLICT DO UPDATE SET policy = excluded.policy";
    sqlx::query(statement).bind(policy).execute(tx).await?;
    Ok(())
}
