//! The connection for what goes over many rows: it waits for nobody who reads, and has a turn beside the
//! writer of groups for each batch.

use std::{path::PathBuf, sync::Arc};

use rusqlite::Connection;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{
    connection::{self, run},
    failure::Failure,
    file::OpenedFile,
    turn::WriteTurns,
};
use crate::store::StoreError;

/// One at a time goes over rows.
#[derive(Debug, Clone)]
pub(super) struct Sweeps {
    path: PathBuf,
    file: OpenedFile,
    turns: WriteTurns,
    /// None before the first use and after a failure.
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Sweeps {
    pub(super) fn of(path: PathBuf, file: OpenedFile, turns: WriteTurns) -> Self {
        Self {
            path,
            file,
            turns,
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

/// Folds the log into the file and empties it; false if somebody reads what stands in it.
pub(super) fn fold_log(connection: &Connection) -> Result<bool, Failure> {
    let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_busy: bool = connection.query_row(fold, [], |row| row.get(0))?;
    Ok(!is_busy)
}
