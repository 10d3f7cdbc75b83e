//! Personal parts are erased, from the file and from the log beside it.

use sqlx::{Row as _, Sqlite, SqlitePool};

use super::transaction::WriteTransaction;
use crate::store::{StoreError, sql::Dialect as _};

/// Somebody reads what is to be erased, and with it keeps the write-ahead log from being emptied.
#[derive(Debug, thiserror::Error)]
#[error(
    "somebody reads the database for too long; what was erased is still in its write-ahead log"
)]
struct HeldByReaders;

/// Overwrites parts where they are. What is as long as before, SQLite writes in its place: nothing is moved, so that
/// there is no copy anywhere else in the file.
const ERASE: &str = "UPDATE audit_personal SET is_erased = 1, sealed = zeroblob(length(sealed))
                     WHERE n = $1 AND is_erased = 0";

/// Erases the parts of some leaves, and says how many there were.
pub(super) async fn erase(pool: &SqlitePool, leaves: &[u64]) -> Result<u64, StoreError> {
    let erased = overwrite(pool, leaves).await.map_err(Sqlite::failed)?;
    // In any case: an earlier attempt may have failed here.
    empty_the_log(pool).await?;
    Ok(erased)
}

async fn overwrite(pool: &SqlitePool, leaves: &[u64]) -> Result<u64, sqlx::Error> {
    let mut erased = 0;
    let mut transaction = WriteTransaction::begin(pool).await?;
    for n in leaves.iter().filter_map(|n| i64::try_from(*n).ok()) {
        let erase = sqlx::query(ERASE).bind(n).execute(&mut *transaction);
        erased += erase.await?.rows_affected();
    }
    transaction.commit().await?;
    Ok(erased)
}

/// The write-ahead log has pages as they were before, until it is cut off.
async fn empty_the_log(pool: &SqlitePool) -> Result<(), StoreError> {
    let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(pool)
        .await;
    let is_busy: i64 = emptied.map_err(Sqlite::failed)?.get(0);
    if is_busy == 0 {
        Ok(())
    } else {
        Err(StoreError::unavailable(HeldByReaders))
    }
}
