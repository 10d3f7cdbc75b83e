//! Makes the tables, where connections keep what they are given.

use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use super::turn;
use crate::store::{
    StoreError,
    sql::{Dialect as _, migrator},
};

/// In their order; none is changed once it was applied somewhere.
const MIGRATIONS: [(&str, &str); 1] = [(
    "log",
    include_str!("../../../migrations/sqlite/0001_log.sql"),
)];

/// A connection may lose what it was told to keep.
#[derive(Debug, thiserror::Error)]
#[error("connections to the audit log must have `synchronous = FULL` and `secure_delete = ON`")]
struct CarelessConnection;

/// `synchronous`: 2 is FULL, 3 is EXTRA.
const FULL: i64 = 2;

/// Inside one write transaction: the second process finds the work done.
pub(super) async fn run(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction = turn::begin(pool).await?;
    if !is_careful(&mut transaction).await.map_err(Sqlite::failed)? {
        transaction.rollback().await.map_err(Sqlite::failed)?;
        return Err(StoreError::migration(CarelessConnection));
    }
    // `Migrator::run` on a connection makes a future that cannot be spawned.
    let migrator = migrator(&MIGRATIONS);
    let migrated = migrator.run_direct(None, &mut *transaction, false).await;
    migrated.map_err(StoreError::migration)?;
    transaction.commit().await.map_err(Sqlite::failed)
}

async fn is_careful(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await?;
    let secure_delete: i64 = sqlx::query_scalar("PRAGMA secure_delete")
        .fetch_one(connection)
        .await?;
    // 2 is FAST, which leaves pages that are freed as they were.
    Ok(synchronous >= FULL && secure_delete == 1)
}
