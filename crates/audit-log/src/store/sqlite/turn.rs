//! Processes take turns at the one write lock of a file.

use std::time::Duration;

use sqlx::{Sqlite, SqlitePool};
use tokio::time::{sleep, timeout};

use super::{place, transaction::WriteTransaction};
use crate::store::{StoreError, sql::Dialect as _};

/// How long the lock is waited for. Who must be on record is refused by then.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often it is asked for. SQLite, if a busy timeout lets it wait, comes to ask ten times a second alone.
const PAUSE: Duration = Duration::from_millis(1);

/// Begins a transaction that has the lock.
pub(super) async fn begin(pool: &SqlitePool) -> Result<WriteTransaction, StoreError> {
    in_time(place::take(pool), || WriteTransaction::begin(pool)).await
}

/// Tries in its place until nobody is in the way, or it is too late.
async fn in_time<T, F, P>(
    place: impl Future<Output = P>,
    attempt: impl Fn() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let trying = async {
        let _place = place.await;
        loop {
            match attempt().await {
                Err(error) if is_busy(&error) => sleep(PAUSE).await,
                answer => return answer,
            }
        }
    };
    match timeout(TIMEOUT, trying).await {
        Ok(answer) => answer.map_err(Sqlite::failed),
        Err(late) => Err(StoreError::unavailable(late)),
    }
}

/// `SQLITE_BUSY`; extended codes share the low byte.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}
