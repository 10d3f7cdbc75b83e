//! Finds out whether the tables are there and can be written, by trying.

use sqlx::{PgPool, Postgres, Transaction};

use super::failed;
use crate::store::StoreError;

/// What the store does to its tables, on rows that no tenant has.
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

/// `lock_not_available`: somebody else writes, so that the database works.
const LOCKED: &str = "55P03";

/// Runs the statements in a transaction that is taken back.
pub(super) async fn run(pool: &PgPool) -> Result<(), StoreError> {
    let mut transaction = pool.begin().await.map_err(failed)?;
    match attempt(&mut transaction).await {
        Ok(COUNTED) => {}
        Ok(_) => {
            let lost = "a trigger that counts changes of keyring_data_key is missing";
            return Err(StoreError::Unavailable(lost.into()));
        }
        Err(error) if is_locked(&error) => {}
        Err(error) => return Err(failed(error)),
    }
    transaction.rollback().await.map_err(failed)
}

/// How many changes were counted.
async fn attempt(transaction: &mut Transaction<'_, Postgres>) -> Result<i64, sqlx::Error> {
    sqlx::query("SET LOCAL lock_timeout = '1s'")
        .execute(&mut **transaction)
        .await?;
    // What others count waits for this transaction to end.
    let before: i64 = sqlx::query_scalar("SELECT number FROM keyring_change FOR UPDATE")
        .fetch_one(&mut **transaction)
        .await?;
    for statement in STATEMENTS {
        sqlx::query(statement).execute(&mut **transaction).await?;
    }
    let after: i64 = sqlx::query_scalar("SELECT number FROM keyring_change")
        .fetch_one(&mut **transaction)
        .await?;
    Ok(after - before)
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == LOCKED)
}
