//! A log that a command has to itself.

use std::sync::Arc;

use portcullis_audit_log::{
    audit::{Audit, Retention},
    store::FileStore,
};
use tokio::task::JoinHandle;

use super::log::{LogError, Named};
use crate::cli::opened::Opened;

/// A log of a process that does not run.
pub(super) struct Open {
    pub(super) audit: Audit,
    pub(super) retention: Retention,
    store: Arc<FileStore>,
    writing: JoinHandle<()>,
}

impl Open {
    pub(super) async fn open(opened: &Opened, named: &Named) -> Result<Self, LogError> {
        let logs = &opened.logs;
        let opening = logs.open(&opened.backend, named.name(), &opened.clock);
        let (audit, store, writing) = opening.await?;
        Ok(Self {
            audit,
            retention: logs.retention(named.name()),
            store,
            writing: tokio::spawn(writing),
        })
    }

    /// Gives it back when everything is written.
    pub(super) async fn close(self) -> Result<(), LogError> {
        self.audit.close();
        // Its end is that of the log; a panic is told by the runtime.
        let _ = self.writing.await;
        Ok(self.store.close().await?)
    }
}
