//! The log that all processes of this machine write, in a database of its own.

use std::{io, path::Path};

use portcullis_audit_log::store::FileStoreError;

use super::{CurrentLog, LockFile};
use crate::{
    files,
    store::{LogDatabase, StoreError},
};

/// What the log is called, and its folder.
pub(crate) const DATABASE: &str = "database";

/// Where in the folder of a log that is.
pub(crate) const FILE: &str = "audit.db";

/// Held by all that write or read it; by one alone that begins another log after a rollback.
const LOCK: &str = "lock";

/// The log that is written, opened.
#[derive(Debug)]
pub(crate) struct DatabaseLog {
    current: CurrentLog,
    database: LogDatabase,
    _held: LockFile,
}

/// Why it does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseLogError {
    #[error("`audit accept-rollback` looks at it; try again when that has ended")]
    Accepting,
    #[error("other processes have it open")]
    InUse,
    #[error("its folder cannot be used: {0}")]
    Folder(io::ErrorKind),
    #[error("its folder does not say which log is written")]
    Generation(#[from] FileStoreError),
    #[error("its database cannot be used")]
    Database(#[from] StoreError),
}

impl DatabaseLog {
    /// Opens the log in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`DatabaseLogError`].
    pub(crate) async fn open(folder: &Path) -> Result<Self, DatabaseLogError> {
        let folder_failed = |error: io::Error| DatabaseLogError::Folder(error.kind());
        files::create_folder(folder).map_err(folder_failed)?;
        let held = LockFile::shared(&folder.join(LOCK)).map_err(folder_failed)?;
        Self::held(folder, held.ok_or(DatabaseLogError::Accepting)?).await
    }

    /// Opens one that the log in this folder has followed, from the folder that it is in.
    ///
    /// # Errors
    /// [`DatabaseLogError`].
    pub(crate) async fn open_earlier(
        folder: &Path,
        of_it: &Path,
    ) -> Result<Self, DatabaseLogError> {
        let folder_failed = |error: io::Error| DatabaseLogError::Folder(error.kind());
        let held = LockFile::shared(&folder.join(LOCK)).map_err(folder_failed)?;
        let held = held.ok_or(DatabaseLogError::Accepting)?;
        let current = CurrentLog::of(folder)?;
        let database = LogDatabase::open(&of_it.join(FILE)).await?;
        Ok(Self {
            current,
            database,
            _held: held,
        })
    }

    /// Whether there is one in this folder.
    pub(super) fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Opens the log in this folder while nobody else has it open, and nobody opens it.
    ///
    /// # Errors
    /// [`DatabaseLogError`].
    pub(crate) async fn open_alone(folder: &Path) -> Result<Self, DatabaseLogError> {
        let held = LockFile::alone(&folder.join(LOCK));
        let held = held.map_err(|error| DatabaseLogError::Folder(error.kind()))?;
        Self::held(folder, held.ok_or(DatabaseLogError::InUse)?).await
    }

    /// Which log is written does not change while it is held.
    async fn held(folder: &Path, held: LockFile) -> Result<Self, DatabaseLogError> {
        let current = CurrentLog::of(folder)?;
        let database = LogDatabase::open(&current.folder().join(FILE)).await?;
        Ok(Self {
            current,
            database,
            _held: held,
        })
    }

    pub(crate) const fn current(&self) -> &CurrentLog {
        &self.current
    }

    pub(crate) const fn database(&self) -> &LogDatabase {
        &self.database
    }

    /// Closes it, so that the write-ahead log is folded into the file if nobody else has it open.
    pub(crate) async fn close(&self) {
        self.database.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_have_it_open_or_one_has_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join(DATABASE);
        let first = DatabaseLog::open(&folder).await.unwrap();
        let second = DatabaseLog::open(&folder).await.unwrap();
        let refused = DatabaseLog::open_alone(&folder).await.unwrap_err();
        assert!(matches!(refused, DatabaseLogError::InUse), "{refused}");
        for log in [first, second] {
            log.close().await;
        }
        let alone = DatabaseLog::open_alone(&folder).await.unwrap();
        let refused = DatabaseLog::open(&folder).await.unwrap_err();
        assert!(matches!(refused, DatabaseLogError::Accepting), "{refused}");
        alone.close().await;
    }
}
