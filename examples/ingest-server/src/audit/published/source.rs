//! Where a published log is read.

use std::{path::Path, sync::Arc};

use portcullis_audit_log::{
    source::{FolderSource, LogSource, SourceError, StoreSource},
    verify::Companions,
};
use tokio::{runtime::Handle, task::block_in_place};

use crate::audit::DatabaseLog;

/// A published log, in files or in the database that all processes share.
#[derive(Debug)]
pub(super) enum Source {
    Folder(FolderSource),
    Database {
        source: StoreSource,
        log: Arc<DatabaseLog>,
    },
}

impl Source {
    /// The files in the folder of a process.
    pub(super) fn of_folder(folder: &Path) -> Self {
        Self::Folder(FolderSource::new(&folder.join("log")))
    }

    /// The database, which is asked within this runtime: one of several threads.
    pub(super) fn of_database(log: Arc<DatabaseLog>) -> Self {
        let store = Arc::new(log.database().clone());
        let source = StoreSource::new(store, Handle::current());
        Self::Database { source, log }
    }

    /// What is to be held against entries beside their hashes, where it can be read while others write.
    pub(super) fn index(&self) -> Option<Box<dyn Companions + Send>> {
        match self {
            Self::Folder(_) => None,
            Self::Database { log, .. } => Some(log.database().index(Handle::current())),
        }
    }

    /// Does what may wait for the database.
    pub(super) fn waiting<T>(&self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Folder(_) => work(),
            Self::Database { .. } => block_in_place(work),
        }
    }
}

impl LogSource for Source {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Self::Folder(source) => source.read(path, at_most),
            Self::Database { source, .. } => block_in_place(|| source.read(path, at_most)),
        }
    }
}
