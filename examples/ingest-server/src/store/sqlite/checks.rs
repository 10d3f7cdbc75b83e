//! What the database remembers of the secrets it was written with.

use sqlx::SqlitePool;

use crate::store::StoreError;

/// The stored check value, storing `value` if this version is used for the first time.
pub(super) async fn value(
    pool: &SqlitePool,
    secret: &str,
    version: u32,
    value: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT INTO secret_check VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(secret)
        .bind(version)
        .bind(value)
        .execute(&mut *tx)
        .await?;
    let stored =
        sqlx::query_scalar("SELECT value FROM secret_check WHERE secret = ? AND version = ?")
            .bind(secret)
            .bind(version)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    Ok(stored)
}

/// The versions of a secret that were ever used here.
pub(super) async fn versions(pool: &SqlitePool, secret: &str) -> Result<Vec<u32>, StoreError> {
    let statement = "SELECT version FROM secret_check WHERE secret = ? ORDER BY version";
    Ok(sqlx::query_scalar(statement)
        .bind(secret)
        .fetch_all(pool)
        .await?)
}

/// The enforced index version, which is `version` if none was yet.
pub(super) async fn enforced_index(pool: &SqlitePool, version: u16) -> Result<u16, StoreError> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let statement = "INSERT INTO index_state SELECT ?, 'enforced'
        WHERE NOT EXISTS (SELECT 1 FROM index_state WHERE phase = 'enforced')";
    sqlx::query(statement)
        .bind(version)
        .execute(&mut *tx)
        .await?;
    let enforced = sqlx::query_scalar("SELECT version FROM index_state WHERE phase = 'enforced'")
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(enforced)
}
