//! Finds out whether the tables are there and can be written, by trying.

use sqlx::{PgConnection, PgPool};

use super::{failed, transaction::begin};
use crate::store::StoreError;

/// What the store does to its tables, on rows that no tenant has; and what it rests on besides.
const STATEMENTS: [&str; 6] = [
    "INSERT INTO keyring_data_key (key_id, tenant, purpose, wrapped, state, created_at, state_since)
     VALUES (0, '', '', NULL, 'destroyed', 0, 0)
     ON CONFLICT (key_id) DO UPDATE SET tenant = '', wrapped = NULL, state = 'destroyed'",
    "UPDATE keyring_data_key SET state = 'pending', wrapped = '' WHERE key_id = 0",
    "UPDATE keyring_data_key SET state = 'primary' WHERE key_id = 0",
    "DELETE FROM keyring_data_key WHERE key_id = 0",
    "INSERT INTO keyring_erased_tenant (tenant) VALUES ('') ON CONFLICT DO NOTHING",
    "SELECT tenant, key_id FROM keyring_data_key WHERE tenant = '' ORDER BY key_id",
];

/// How many of the changes that the statements make are counted.
const COUNTED: i64 = 4;

/// Indexes without which keys would be added that must not be, or found slowly.
const INDEXES: &str = "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = 'keyring_data_key'::regclass AND indisvalid AND relname IN (
        'keyring_data_key_one_primary', 'keyring_data_key_one_pending',
        'keyring_data_key_by_tenant', 'keyring_data_key_by_state')";
const INDEX_COUNT: i64 = 4;

/// Without what it notes here, the next start would make the tables once more, and fail.
const MIGRATIONS: &str =
    "SELECT count(checksum) FROM keyring_migrations WHERE version IN (1) AND success";
const MIGRATION_COUNT: i64 = 1;

/// `lock_not_available`: somebody else writes, so that the database works.
const LOCKED: &str = "55P03";

/// Runs the statements in a transaction that is taken back.
pub(super) async fn run(pool: &PgPool) -> Result<(), StoreError> {
    let mut transaction = begin(pool).await?;
    match attempt(&mut transaction).await {
        Ok(None) => {}
        Ok(Some(lost)) => return Err(StoreError::Unavailable(lost.into())),
        Err(error) if is_locked(&error) => {}
        Err(error) => return Err(failed(error)),
    }
    transaction.rollback().await.map_err(failed)
}

/// What is missing, if anything is.
async fn attempt(connection: &mut PgConnection) -> Result<Option<&'static str>, sqlx::Error> {
    sqlx::query("SET LOCAL lock_timeout = '1s'")
        .execute(&mut *connection)
        .await?;
    if count(connection, MIGRATIONS).await? < MIGRATION_COUNT {
        return Ok(Some("keyring_migrations lacks what was done"));
    }
    if count(connection, INDEXES).await? < INDEX_COUNT {
        return Ok(Some("an index of keyring_data_key is missing"));
    }
    // What others count waits for this transaction to end.
    let before = count(connection, "SELECT number FROM keyring_change FOR UPDATE").await?;
    for statement in STATEMENTS {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    let after = count(connection, "SELECT number FROM keyring_change").await?;
    let lost = "a trigger that counts changes of keyring_data_key is missing";
    Ok((after - before != COUNTED).then_some(lost))
}

async fn count(connection: &mut PgConnection, select: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(select).fetch_one(connection).await
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == LOCKED)
}
