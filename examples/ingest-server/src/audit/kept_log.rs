//! A log that is open, whatever it is kept in.

use std::sync::Arc;

use portcullis_audit_log::store::{FileStore, Store, StoreError};

use super::DatabaseLog;

/// A log that is open. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) enum KeptLog {
    Files(Arc<FileStore>),
    Database(Arc<DatabaseLog>),
}

impl KeptLog {
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Files(store) => Arc::clone(store) as _,
            Self::Database(log) => Arc::new(log.database().clone()),
        }
    }

    /// Puts everything in its place.
    ///
    /// # Errors
    /// [`StoreError`]; the next start does it.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Files(store) => store.close().await,
            Self::Database(log) => {
                log.close().await;
                Ok(())
            }
        }
    }
}
