//! Makes the tables.

use sqlx::{PgConnection, PgPool, Postgres, migrate::Migrator};

use super::write_transaction::WriteTransaction;
use crate::store::{
    StoreError,
    sql::{Dialect as _, migrator},
};

/// In their order; none is changed once it was applied somewhere.
const MIGRATIONS: [(&str, &str); 1] = [(
    "log",
    include_str!("../../../migrations/postgres/0001_log.sql"),
)];

/// One process at a time makes tables.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('audit_migrations', 0))";

/// All in one transaction: what a process finds is as it was before, or done.
pub(super) async fn run(pool: &PgPool) -> Result<(), StoreError> {
    let begun = WriteTransaction::begin(pool).await;
    let mut transaction = begun.map_err(Postgres::failed)?;
    let lock = sqlx::query(LOCK).execute(&mut *transaction).await;
    lock.map_err(Postgres::failed)?;
    let migrator = migrator(&MIGRATIONS);
    let is_done = is_done(&migrator, &mut transaction).await;
    if is_done.map_err(StoreError::migration)? {
        return transaction.rollback().await.map_err(Postgres::failed);
    }
    let migrated = migrator.run_direct(None, &mut *transaction, false).await;
    migrated.map_err(StoreError::migration)?;
    transaction.commit().await.map_err(Postgres::failed)
}

/// Whether these and no others are noted as done. Who has nothing to do needs no right to make tables.
async fn is_done(migrator: &Migrator, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let is_there = "SELECT to_regclass('audit_migrations') IS NOT NULL";
    let is_there: bool = sqlx::query_scalar(is_there)
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        return Ok(false);
    }
    let done = "SELECT version, checksum, success FROM audit_migrations ORDER BY version";
    let done: Vec<(i64, Vec<u8>, bool)> = sqlx::query_as(done).fetch_all(connection).await?;
    let wanted = migrator
        .iter()
        .map(|migration| (migration.version, &*migration.checksum, true));
    let done = done
        .iter()
        .map(|(version, checksum, success)| (*version, checksum.as_slice(), *success));
    Ok(wanted.eq(done))
}
