//! Makes the tables, and brings those of earlier releases up to date.

use sqlx::{
    Row as _, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migration},
};

use super::transaction::WriteTransaction;
use crate::store::{
    StoreError,
    sql::{MIGRATIONS, migration, migrator},
};

/// What is noted there once all is done.
pub(super) const VERSIONS: [i64; 3] = [1, 2, 3];

/// Inside one write transaction: the second process finds the work done.
pub(super) async fn run(pool: &SqlitePool) -> Result<(), StoreError> {
    migrate(pool)
        .await
        .map_err(|error| StoreError::Migration(error.into()))
}

async fn migrate(pool: &SqlitePool) -> Result<(), MigrateError> {
    let first = first(include_str!("../../../migrations/sqlite/0001_api_key.sql"));
    let second = migration(
        2,
        "tenants alike",
        include_str!("../../../migrations/sqlite/0002_tenants_alike.sql"),
    );
    let third = migration(
        3,
        "changes and readers",
        include_str!("../../../migrations/sqlite/0003_changes_and_readers.sql"),
    );
    let mut transaction = WriteTransaction::begin(pool).await?;
    rename_unprefixed(&mut transaction, &first).await?;
    let migrator = migrator(vec![first, second, third]);
    // `Migrator::run` on a connection makes a future that cannot be spawned.
    migrator.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

/// Gives the tables of a database from before 0.1.0, `api_key` and `outbox`, the names and indexes
/// that the first migration makes now, and notes it as done.
///
/// Not a second migration: a new database would have to make the old names first, which an
/// application may have for tables of its own.
async fn rename_unprefixed(
    connection: &mut SqliteConnection,
    first_now: &Migration,
) -> Result<(), sqlx::Error> {
    let is_migrated = sqlx::query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")
        .bind(MIGRATIONS)
        .fetch_optional(&mut *connection)
        .await?
        .is_some();
    if !is_migrated {
        return Ok(());
    }
    let unprefixed = first(include_str!(
        "../../../migrations/sqlite/unprefixed/0001_api_key.sql"
    ));
    let applied = sqlx::query("SELECT checksum FROM apikey_cache_migrations WHERE version = 1")
        .fetch_optional(&mut *connection)
        .await?;
    let Some(applied) = applied else {
        return Ok(());
    };
    if applied.try_get::<&[u8], _>("checksum")? != unprefixed.checksum.as_ref() {
        return Ok(());
    }
    sqlx::raw_sql(include_str!(
        "../../../migrations/sqlite/unprefixed/to_prefixed.sql"
    ))
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE apikey_cache_migrations SET checksum = ?1 WHERE version = 1")
        .bind(first_now.checksum.as_ref())
        .execute(&mut *connection)
        .await?;
    Ok(())
}

fn first(sql: &'static str) -> Migration {
    migration(1, "api key", sql)
}
