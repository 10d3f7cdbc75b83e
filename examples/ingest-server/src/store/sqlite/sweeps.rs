//! The connection for what goes over many rows: it waits for nobody who reads, and has a turn beside the
//! writer of groups for each batch.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rusqlite::Connection;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{
    connection::{self, run},
    failure::Failure,
    file::OpenedFile,
    turn::WriteTurns,
};
use crate::{clock::Clock, store::StoreError};

/// One at a time goes over rows.
#[derive(Debug, Clone)]
pub(super) struct Sweeps {
    path: PathBuf,
    file: OpenedFile,
    turns: WriteTurns,
    clock: Arc<dyn Clock>,
    /// None before the first use and after a failure.
    connection: Arc<Mutex<Option<Connection>>>,
}

/// What is sealed again is handed over 10 s after that at the latest. So long after it no commit of it begins:
/// five of the thirty seconds from sealing to committing are left to a disk that is slow.
const APPLIED_WITHIN: Duration = Duration::from_secs(15);

impl Sweeps {
    pub(super) fn of(
        path: PathBuf,
        file: OpenedFile,
        turns: WriteTurns,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            path,
            file,
            turns,
            clock,
            connection: Arc::default(),
        }
    }

    /// Reads outside of any transaction of a request, however long that takes.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.with_connection(work).await
    }

    /// Writes in one transaction that holds the write lock from its start, so that what it reads stays true.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = self.turns.take_soon().await;
        let turns = self.turns.clone();
        let written = self.with_connection(move |connection| {
            run(connection, "BEGIN IMMEDIATE")?;
            let _writing = turns.writing();
            let done = work(connection)?;
            run(connection, "COMMIT")?;
            Ok(done)
        });
        let written = written.await;
        drop(turn);
        let done = written?;
        // Durable in a file that is no longer the database is not durable.
        self.file.verify()?;
        Ok(done)
    }

    /// Writes what was sealed before, in time or not at all.
    pub(super) async fn apply<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (clock, given) = (Arc::clone(&self.clock), self.clock.monotonic());
        let in_time = move |connection: &Connection| {
            let done = work(connection)?;
            if clock.monotonic().saturating_sub(given) > APPLIED_WITHIN {
                return Err(StoreError::Late.into());
            }
            Ok(done)
        };
        self.write(in_time).await
    }

    /// Closes the connection.
    pub(super) async fn close(&self) {
        drop(self.connection.lock().await.take());
    }

    /// Works on the connection, which is closed where something failed on it: nobody knows what it is in.
    async fn with_connection<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut kept = Arc::clone(&self.connection).lock_owned().await;
        let path = self.path.clone();
        let working = spawn_blocking(move || {
            let connection = match kept.take() {
                Some(connection) => connection,
                None => connection::open_writing(&path)?,
            };
            let done = work(&connection)?;
            *kept = Some(connection);
            Ok(done)
        });
        let done: Result<T, Failure> = working
            .await
            .map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(done?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ToldClock, store::sqlite::SqliteStore};

    #[tokio::test]
    async fn what_was_sealed_again_is_written_within_15_s_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = SqliteStore::open(&path).await.unwrap();
        for (seconds, is_written) in [(15, true), (16, false)] {
            let clock = Arc::new(ToldClock::new([5, 5 + seconds]));
            let (file, turns) = (store.file.clone(), store.turns());
            let sweeps = Sweeps::of(path.clone(), file, turns, clock);
            let applied = sweeps.apply(move |connection| {
                let insert = "INSERT INTO event_sealed_ref (n, key_id) VALUES (?, 7)";
                connection.execute(insert, [seconds.cast_signed()])?;
                Ok(())
            });
            match applied.await {
                Ok(()) => assert!(is_written),
                Err(error) => assert!(matches!(error, StoreError::Late) && !is_written),
            }
            let rows = "SELECT count(*) FROM event_sealed_ref WHERE n = ?";
            let rows = move |connection: &Connection| {
                Ok(connection
                    .query_row(rows, [seconds.cast_signed()], |row| row.get::<_, i64>(0))?)
            };
            assert_eq!(sweeps.read(rows).await.unwrap(), i64::from(is_written));
        }
    }
}
