//! Transactions that change keys, and what is done about one that is broken off for another.

use sqlx::{PgConnection, PgPool};

use super::{failed, id, write_transaction::WriteTransaction};
use crate::{
    KeyId, TenantId,
    store::{ChangeError, InsertError, StoreError},
};

/// `serialization_failure` and `deadlock_detected`.
const BROKEN_OFF: [&str; 2] = ["40001", "40P01"];

pub(super) async fn begin(pool: &PgPool) -> Result<WriteTransaction, StoreError> {
    WriteTransaction::begin(pool).await.map_err(failed)
}

pub(super) async fn commit(transaction: WriteTransaction) -> Result<(), StoreError> {
    transaction.commit().await.map_err(failed)
}

/// Attempts it once more if the server has broken it off: whom it was in the way of is done by then.
pub(super) async fn once_more<T, E: MayBeBrokenOff, F: Future<Output = Result<T, E>>>(
    attempt: impl Fn() -> F,
) -> Result<T, E> {
    match attempt().await {
        Err(error) if error.store().is_some_and(is_broken_off) => attempt().await,
        answer => answer,
    }
}

/// Until the transaction ends. Two tenants with one hash wait for each other, and no more.
pub(super) async fn lock_tenant(
    connection: &mut PgConnection,
    tenant: &TenantId,
) -> Result<(), StoreError> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('keyring ' || $1, 0))";
    sqlx::query(lock)
        .bind(tenant.as_str())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Locks the rows of keys. Who changes several does so first: a change is counted in one row for all, which one who
/// waits for a key must not hold.
pub(super) async fn lock_keys(
    connection: &mut PgConnection,
    keys: &[KeyId],
) -> Result<(), StoreError> {
    let lock =
        "SELECT key_id FROM keyring_data_key WHERE key_id = ANY($1) ORDER BY key_id FOR UPDATE";
    let keys: Vec<i64> = keys.iter().copied().map(id).collect();
    sqlx::query(lock)
        .bind(keys)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Likewise those of a tenant.
pub(super) async fn lock_keys_of(
    connection: &mut PgConnection,
    tenant: &TenantId,
) -> Result<(), StoreError> {
    let lock = "SELECT key_id FROM keyring_data_key WHERE tenant = $1 ORDER BY key_id FOR UPDATE";
    sqlx::query(lock)
        .bind(tenant.as_str())
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// An error that may be one of the server.
pub(super) trait MayBeBrokenOff {
    fn store(&self) -> Option<&StoreError>;
}

impl MayBeBrokenOff for StoreError {
    fn store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl MayBeBrokenOff for ChangeError {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Conflict => None,
        }
    }
}

impl MayBeBrokenOff for InsertError {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::IdTaken | Self::StateTaken | Self::TenantErased => None,
        }
    }
}

fn is_broken_off(error: &StoreError) -> bool {
    let StoreError::Unavailable(cause) = error else {
        return false;
    };
    let error = cause.downcast_ref::<sqlx::Error>();
    let error = error.and_then(sqlx::Error::as_database_error);
    let code = error.and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| BROKEN_OFF.contains(&&*code))
}
