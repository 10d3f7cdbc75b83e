//! Steps of a start that another process holds up for long: one that migrates a large database.

use super::failure::Failure;

/// How often a step is tried. Each waits for the lock by itself ([`OPENING_TIMEOUT`](super::open::OPENING_TIMEOUT)):
/// five minutes in all.
const TRIES: u32 = 60;

/// Takes a step, again as long as another process holds the lock, and says each time that it waits.
pub(super) async fn retried<F>(task: &'static str, step: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    for _ in 1..TRIES {
        match step().await {
            Err(failure) if failure.is_busy() => {
                tracing::info!(
                    task,
                    "another process writes to the database: waiting for it"
                );
            }
            outcome => return outcome,
        }
    }
    step().await
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, io, time::Duration};

    use rusqlite::{ErrorCode, ffi};
    use sqlx::SqlitePool;

    use super::{
        super::{SqliteStore, connection, open},
        *,
    };
    use crate::store::StoreError;

    fn busy() -> Failure {
        let busy = ffi::Error {
            code: ErrorCode::DatabaseBusy,
            extended_code: ffi::SQLITE_BUSY,
        };
        rusqlite::Error::SqliteFailure(busy, None).into()
    }

    /// How a step that meets what `meets` says of each try ends, and after how many.
    async fn tried(meets: impl Fn(u32) -> Result<(), Failure>) -> (Result<(), Failure>, u32) {
        let tries = Cell::new(0);
        let outcome = retried("step", async || {
            tries.set(tries.get() + 1);
            meets(tries.get())
        });
        (outcome.await, tries.get())
    }

    #[tokio::test]
    async fn a_step_is_tried_until_the_other_process_is_done() {
        let outcome = tried(|tries| if tries < 20 { Err(busy()) } else { Ok(()) }).await;
        assert!(matches!(outcome, (Ok(()), 20)), "{outcome:?}");
    }

    #[tokio::test]
    async fn one_that_never_ends_is_told_and_another_failure_at_once() {
        let outcome = tried(|_| Err(busy())).await;
        assert!(matches!(&outcome, (Err(failure), TRIES) if failure.is_busy()));
        let broken = || StoreError::Unavailable(io::Error::other("told to be").into());
        let outcome = tried(|_| Err(broken().into())).await;
        assert!(matches!(&outcome, (Err(failure), 1) if !failure.is_busy()));
    }

    #[tokio::test]
    async fn a_migration_waits_for_who_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("held.db");
        SqliteStore::open(&path).await.unwrap().close().await;
        let other = connection::open_writing(&path).unwrap();
        connection::run(&other, "BEGIN IMMEDIATE").unwrap();
        let other = Cell::new(Some(other));
        let at_once = open::options(&path).busy_timeout(Duration::ZERO);
        let pool = SqlitePool::connect_lazy_with(at_once);
        let tries = Cell::new(0);
        let migrated = retried("migrate", async || {
            tries.set(tries.get() + 1);
            let outcome = open::migrate(&pool).await;
            drop(other.take());
            outcome
        });
        migrated.await.unwrap();
        assert_eq!(tries.get(), 2);
    }
}
