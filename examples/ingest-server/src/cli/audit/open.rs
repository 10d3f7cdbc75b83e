//! A log that a command changes.

use portcullis_audit_log::audit::{Audit, Retention};
use tokio::task::JoinHandle;

use super::log::{LogError, Named};
use crate::{audit::KeptLog, backend::OpenedLog, cli::opened::Opened};

/// A log of a process that does not run, or the one that all share.
pub(super) struct Open {
    pub(super) audit: Audit,
    pub(super) retention: Retention,
    kept: KeptLog,
    writing: JoinHandle<()>,
}

impl Open {
    pub(super) async fn open(opened: &Opened, named: &Named) -> Result<Self, LogError> {
        let logs = &opened.logs;
        let name = named.name(logs);
        let opening = logs.open(&opened.backend, name, &opened.clock);
        let OpenedLog { audit, kept, run } = opening.await?;
        Ok(Self {
            audit,
            retention: logs.retention(name),
            kept,
            writing: tokio::spawn(run),
        })
    }

    /// Gives it back when everything is written.
    pub(super) async fn close(self) -> Result<(), LogError> {
        self.audit.close();
        // Its end is that of the log; a panic is told by the runtime.
        let _ = self.writing.await;
        Ok(self.kept.close().await?)
    }
}
