//! Makes the tables, and brings those of earlier releases up to date.

use sqlx::{
    PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
};

use super::transaction::WriteTransaction;
use crate::store::{
    StoreError,
    sql::{MIGRATIONS, migration, migrator},
};

/// All in one transaction: what a process finds is as it was before, or done.
pub(super) async fn run(pool: &PgPool) -> Result<(), StoreError> {
    migrate(pool)
        .await
        .map_err(|error| StoreError::Migration(error.into()))
}

async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    let first = migration(
        1,
        "api key",
        include_str!("../../../migrations/postgres/0001_api_key.sql"),
    );
    let migrator = migrator(vec![first]);
    let mut transaction = WriteTransaction::begin_migration(pool).await?;
    if is_done(&migrator, &mut transaction).await? {
        transaction.rollback().await?;
        return Ok(());
    }
    migrator.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}

/// Whether these and no others are noted as done. Who has nothing to do needs no right to make tables.
async fn is_done(migrator: &Migrator, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(MIGRATIONS)
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        return Ok(false);
    }
    let done: Vec<(i64, Vec<u8>, bool)> = sqlx::query_as(
        "SELECT version, checksum, success FROM apikey_cache_migrations ORDER BY version",
    )
    .fetch_all(connection)
    .await?;
    let wanted = migrator
        .iter()
        .map(|migration| (migration.version, &*migration.checksum, true));
    let done = done
        .iter()
        .map(|(version, checksum, success)| (*version, checksum.as_slice(), *success));
    Ok(wanted.eq(done))
}
