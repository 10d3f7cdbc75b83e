//! What the database remembers of the secrets it was written with.

use sqlx::{
    Row as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteExecutor, SqliteRow},
};

use super::{failure::Failure, transaction::WriteTransaction};
use crate::store::SecretCheck;

const ENFORCED: &str = "SELECT version FROM index_state WHERE phase = 'enforced'";

/// Whether there is any, in a database that may have no tables yet.
pub(super) async fn any(connection: &mut SqliteConnection) -> Result<bool, Failure> {
    let table = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'secret_check')";
    if !sqlx::query_scalar(table)
        .fetch_one(&mut *connection)
        .await?
    {
        return Ok(false);
    }
    let row = "SELECT EXISTS (SELECT 1 FROM secret_check)";
    Ok(sqlx::query_scalar(row).fetch_one(connection).await?)
}

/// Every check value.
pub(super) async fn all(executor: impl SqliteExecutor<'_>) -> Result<Vec<SecretCheck>, Failure> {
    let rows = sqlx::query("SELECT secret, version, value FROM secret_check")
        .fetch_all(executor)
        .await?;
    let check = |row: &SqliteRow| {
        Ok(SecretCheck {
            secret: row.try_get("secret")?,
            version: row.try_get("version")?,
            value: row.try_get("value")?,
        })
    };
    rows.iter().map(check).collect()
}

/// Adds those that are new, all or none.
pub(super) async fn remember(pool: &SqlitePool, checks: &[SecretCheck]) -> Result<(), Failure> {
    let mut tx = WriteTransaction::begin(pool).await?;
    for check in checks {
        sqlx::query("INSERT INTO secret_check VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(&check.secret)
            .bind(check.version)
            .bind(&check.value)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The enforced index version, if there is one.
pub(super) async fn enforced_now(
    connection: &mut SqliteConnection,
) -> Result<Option<u16>, Failure> {
    let enforced = sqlx::query_scalar(ENFORCED)
        .fetch_optional(connection)
        .await?;
    Ok(enforced)
}

/// The enforced index version, which is `version` if none was yet.
pub(super) async fn enforced_index(pool: &SqlitePool, version: u16) -> Result<u16, Failure> {
    let mut tx = WriteTransaction::begin(pool).await?;
    let statement = "INSERT INTO index_state SELECT ?, 'enforced'
        WHERE NOT EXISTS (SELECT 1 FROM index_state WHERE phase = 'enforced')";
    sqlx::query(statement)
        .bind(version)
        .execute(&mut *tx)
        .await?;
    let enforced = sqlx::query_scalar(ENFORCED).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(enforced)
}
