//! Personal parts are erased, from the file and from the log beside it.

use std::time::Duration;

use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::time::sleep;

use super::turn;
use crate::store::{StoreError, sql::Dialect as _};

/// Somebody reads what is to be erased, and with it keeps the write-ahead log from being emptied.
#[derive(Debug, thiserror::Error)]
#[error(
    "somebody reads the database for too long; what was erased is still in its write-ahead log"
)]
struct HeldByReaders;

/// How often the log is tried to be emptied, and after which pause; each time for as long as the busy timeout.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// Overwrites parts where they are. What is as long as before, SQLite writes in its place: nothing is moved, so that
/// there is no copy anywhere else in the file.
const ERASE: &str = "UPDATE audit_personal SET is_erased = 1, sealed = zeroblob(length(sealed))
                     WHERE n = $1 AND is_erased = 0";

/// Erases the parts of some leaves, and says how many there were.
pub(super) async fn erase(pool: &SqlitePool, leaves: &[u64]) -> Result<u64, StoreError> {
    let mut transaction = turn::begin(pool).await?;
    let erased = overwrite(leaves, &mut transaction).await;
    let erased = erased.map_err(Sqlite::failed)?;
    transaction.commit().await.map_err(Sqlite::failed)?;
    // In any case: an earlier attempt may have failed here.
    empty_the_log(pool).await?;
    Ok(erased)
}

async fn overwrite(leaves: &[u64], connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let mut erased = 0;
    for n in leaves.iter().filter_map(|n| i64::try_from(*n).ok()) {
        let erase = sqlx::query(ERASE).bind(n).execute(&mut *connection);
        erased += erase.await?.rows_affected();
    }
    Ok(erased)
}

/// The write-ahead log has pages as they were before, until it is cut off.
async fn empty_the_log(pool: &SqlitePool) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool);
        let is_busy: i64 = emptied.await.map_err(Sqlite::failed)?.get(0);
        if is_busy == 0 {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    Err(StoreError::unavailable(HeldByReaders))
}
