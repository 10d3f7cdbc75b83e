//! A file of its own for the audit log: who writes it does not wait for who writes events and leads, nor the other way
//! round.

use std::{num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use portcullis_audit_log::{
    event::Id,
    note::SignedNote,
    search::{Page, Query},
    store::{Appending, EntryBatch, Group, LogState, SqliteStore, Store, StoreError as LogError},
    tile::TilePath,
    verify::Companions,
};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool, sqlite::SqlitePoolOptions,
};
use tokio::{runtime::Handle, sync::Mutex};

use super::{failure::Failure, file::OpenedFile, open};
use crate::store::StoreError;

/// The audit log in its file. Clones are the same.
///
/// Nothing is read or written unless the file is the one that was opened: SQLite goes on with one that was moved away.
#[derive(Debug, Clone)]
pub(crate) struct LogDatabase {
    rows: SqliteStore,
    pool: SqlitePool,
    file: OpenedFile,
    /// Open from the beginning to the end, so that what SQLite keeps beside the file stays the same.
    open: Arc<Mutex<Option<SqliteConnection>>>,
}

/// One writes, one publishes, and two read.
const CONNECTIONS: u32 = 4;

/// Who appends asks again and again by itself, so that processes take turns.
const BUSY: Duration = Duration::from_millis(20);

/// How long a connection is waited for: as long as for an entry to be durable.
const ACQUIRE: Duration = Duration::from_secs(2);

impl LogDatabase {
    /// Opens the file, creating it if needed, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        open::make(path)?;
        let options = open::options(path);
        open::switch_to_wal(&options).await?;
        let mut connection = options.connect().await.map_err(Failure::from)?;
        let look = sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut connection);
        look.await.map_err(Failure::from)?;
        let file = OpenedFile::at(path).and_then(|file| file.note_log().map(|()| file));
        let file = file.map_err(|error| StoreError::Unavailable(error.into()))?;
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .min_connections(CONNECTIONS)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ACQUIRE)
            .connect_lazy_with(options.busy_timeout(BUSY));
        let rows = SqliteStore::new(pool.clone());
        let migrated = rows.migrate().await;
        migrated.map_err(|error| match error {
            LogError::Unavailable(error) => StoreError::Unavailable(error),
            error => StoreError::Migrate(error.into()),
        })?;
        Ok(Self {
            rows,
            pool,
            file,
            open: Arc::new(Mutex::new(Some(connection))),
        })
    }

    /// The rows by which entries are found, to be held against the entries.
    pub(crate) fn index(&self, runtime: Handle) -> Box<dyn Companions + Send> {
        Box::new(self.rows.index_rows(runtime))
    }

    /// Closes every connection; the last one to close folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
        if let Some(connection) = self.open.lock().await.take() {
            // What was committed is in the write-ahead log, whatever comes of this.
            drop(connection.close().await);
        }
    }

    fn at_its_place(&self) -> Result<&SqliteStore, LogError> {
        self.file.verify().map_err(LogError::unavailable)?;
        Ok(&self.rows)
    }
}

#[async_trait]
impl Store for LogDatabase {
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, LogError> {
        let taken = self.at_its_place()?.lock(tenants).await?;
        let file = self.file.clone();
        Ok(Box::new(Taken { taken, file }))
    }

    async fn size(&self) -> Result<u64, LogError> {
        self.at_its_place()?.size().await
    }

    async fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, LogError> {
        self.at_its_place()?.entries(from, most).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, LogError> {
        self.at_its_place()?.tile(path).await
    }

    async fn checkpoint(&self) -> Result<Option<SignedNote>, LogError> {
        self.at_its_place()?.checkpoint().await
    }

    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), LogError> {
        self.at_its_place()?.publish(checkpoint).await
    }

    async fn search(&self, query: &Query) -> Result<Page, LogError> {
        self.at_its_place()?.search(query).await
    }

    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, LogError> {
        self.at_its_place()?.personal(n).await
    }

    async fn erase(&self, leaves: &[u64]) -> Result<u64, LogError> {
        self.at_its_place()?.erase(leaves).await
    }

    async fn prune(&self, before: u64) -> Result<u64, LogError> {
        self.at_its_place()?.prune(before).await
    }

    async fn first(&self) -> Result<u64, LogError> {
        self.at_its_place()?.first().await
    }

    async fn cursor(&self, name: &Id) -> Result<Option<u64>, LogError> {
        self.at_its_place()?.cursor(name).await
    }

    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), LogError> {
        self.at_its_place()?.move_cursor(name, next).await
    }
}

/// A log that is taken, and its file.
#[derive(Debug)]
struct Taken {
    taken: Box<dyn Appending>,
    file: OpenedFile,
}

#[async_trait]
impl Appending for Taken {
    fn state(&self) -> LogState {
        self.taken.state()
    }

    /// What got into a file that nobody will open again is not durable: nobody is told that it is.
    async fn commit(self: Box<Self>, group: &Group) -> Result<(), LogError> {
        let Self { taken, file } = *self;
        taken.commit(group).await?;
        file.verify().map_err(LogError::unavailable)
    }
}

#[cfg(test)]
mod tests;
