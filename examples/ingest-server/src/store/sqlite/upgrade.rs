//! What is done once for a database that an earlier version wrote, by whichever process comes first. It has the
//! lock for as long as that takes, and the others wait for it instead of ending.

use std::path::Path;

use rusqlite::Connection;
use sqlx::SqlitePool;

use super::{
    connection,
    failure::Failure,
    open::{self, OPENING_TIMEOUT, Schema},
    seen_events::SeenEvents,
};
use crate::store::StoreError;

/// How often somebody else's upgrade is waited for, [`OPENING_TIMEOUT`] each time: ten minutes.
const WAITS: u32 = 120;

/// Brings the schema up to date, and puts the hashes of events that are there into their table.
///
/// A lock is waited for longer than [`OPENING_TIMEOUT`] only while there is something to upgrade: who else
/// holds it that long does not work, and the operator who starts a command has to be told.
pub(super) async fn upgrade(pool: &SqlitePool, path: &Path) -> Result<(), Failure> {
    let is_behind = async || is_behind(pool, path).await;
    in_turn(WAITS, is_behind, || open::migrate(pool)).await?;
    in_turn(WAITS, is_behind, || hash_earlier_events(path)).await
}

/// Whether an earlier version left something to upgrade. Nothing is locked for the answer.
async fn is_behind(pool: &SqlitePool, path: &Path) -> Result<bool, Failure> {
    match open::schema(pool).await? {
        // What is empty takes no time.
        Schema::None => Ok(false),
        Schema::Earlier => Ok(true),
        Schema::Present => blocking(path, SeenEvents::is_behind).await,
    }
}

/// Takes a step, as often as another process has the lock and may be taking the same one.
async fn in_turn<F>(
    waits: u32,
    is_behind: impl AsyncFn() -> Result<bool, Failure>,
    step: impl Fn() -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    for _ in 0..waits {
        // Asked first: once it is no longer behind, the lock is one like any other.
        let was_behind = is_behind().await?;
        match step().await {
            Err(failure) if failure.is_busy() && was_behind => {
                tracing::info!(
                    "the database is of an earlier version and locked: waiting for the process that upgrades it"
                );
            }
            outcome => return outcome,
        }
    }
    step().await
}

/// Takes seconds where an earlier version left a million events.
async fn hash_earlier_events(path: &Path) -> Result<(), Failure> {
    blocking(path, SeenEvents::hash_earlier).await
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: fn(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let path = path.to_owned();
    let working = tokio::task::spawn_blocking(move || {
        let connection = connection::open_writing(&path)?;
        connection.busy_timeout(OPENING_TIMEOUT)?;
        work(&connection)
    });
    let done = working.await;
    done.map_err(|error| StoreError::Unavailable(error.into()))?
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, io};

    use rusqlite::{ErrorCode, ffi};

    use super::*;

    fn busy() -> Failure {
        let busy = ffi::Error {
            code: ErrorCode::DatabaseBusy,
            extended_code: ffi::SQLITE_BUSY,
        };
        rusqlite::Error::SqliteFailure(busy, None).into()
    }

    /// How a step ends that finds so many times that another process has the lock, while the database is
    /// behind at so many looks, and how often it was tried.
    async fn tried(busy_for: u32, behind_for: u32) -> (Result<(), Failure>, u32) {
        let (tries, looks) = (Cell::new(0), Cell::new(0));
        let is_behind = async || {
            looks.set(looks.get() + 1);
            Ok(looks.get() <= behind_for)
        };
        let step = async || {
            tries.set(tries.get() + 1);
            if tries.get() <= busy_for {
                return Err(busy());
            }
            Ok(())
        };
        let outcome = in_turn(10, is_behind, step).await;
        (outcome, tries.get())
    }

    #[tokio::test]
    async fn another_process_that_upgrades_is_waited_for() {
        assert!(matches!(tried(0, 0).await, (Ok(()), 1)));
        assert!(matches!(tried(5, 9).await, (Ok(()), 6)));
    }

    #[tokio::test]
    async fn a_lock_is_not_waited_for_once_nothing_is_to_be_upgraded() {
        assert!(matches!(tried(9, 0).await, (Err(failure), 1) if failure.is_busy()));
        // Who has done it may still have the lock.
        assert!(matches!(tried(9, 4).await, (Err(failure), 5) if failure.is_busy()));
    }

    #[tokio::test]
    async fn one_who_never_ends_is_told_and_so_is_any_other_failure() {
        assert!(matches!(tried(99, 99).await, (Err(failure), 11) if failure.is_busy()));
        let tries = Cell::new(0);
        let step = async || {
            tries.set(tries.get() + 1);
            let broken = io::Error::other("told to be");
            Err(StoreError::Unavailable(broken.into()).into())
        };
        let outcome = in_turn(10, async || Ok(true), step).await;
        assert!(outcome.is_err_and(|failure| !failure.is_busy()));
        assert_eq!(tries.get(), 1);
    }
}
