//! Where a published log is read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    source::{FolderSource, LogSource, SourceError, StoreSource},
    store::StoredIndex,
    verify::Companions,
};
use tokio::{runtime::Handle, task::block_in_place};

use crate::audit::DatabaseLog;

/// A published log, in files or in the database that all processes share.
#[derive(Debug)]
pub(super) enum Source {
    Folder {
        source: FolderSource,
        folder: PathBuf,
    },
    Database {
        source: StoreSource,
        log: Arc<DatabaseLog>,
    },
}

impl Source {
    /// The files in the folder of a process.
    pub(super) fn of_folder(folder: &Path) -> Self {
        Self::Folder {
            source: FolderSource::new(&folder.join("log")),
            folder: folder.to_owned(),
        }
    }

    /// The database, which is asked within this runtime: one of several threads.
    pub(super) fn of_database(log: Arc<DatabaseLog>) -> Self {
        let store = Arc::new(log.database().clone());
        let source = StoreSource::new(store, Handle::current());
        Self::Database { source, log }
    }

    /// What is to be held against entries beside their hashes, while others write.
    pub(super) fn index(&self) -> Result<Box<dyn Companions + Send>, SourceError> {
        match self {
            Self::Folder { folder, .. } => {
                let index = StoredIndex::open(folder).map_err(SourceError::unreadable("index"))?;
                Ok(Box::new(index))
            }
            Self::Database { log, .. } => Ok(log.database().index(Handle::current())),
        }
    }

    /// Does what may wait for the database.
    pub(super) fn waiting<T>(&self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Folder { .. } => work(),
            Self::Database { .. } => block_in_place(work),
        }
    }
}

impl LogSource for Source {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Self::Folder { source, .. } => source.read(path, at_most),
            Self::Database { source, .. } => block_in_place(|| source.read(path, at_most)),
        }
    }
}
