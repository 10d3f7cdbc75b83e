//! A log that a command changes.

use std::sync::Arc;

use portcullis_audit_log::{
    audit::{Audit, Erasure, Retained, Retention},
    store::Store,
};
use tokio::task::JoinHandle;

use super::log::{LogError, Named};
use crate::{
    audit::{AuditDraft, KeptLog, Unrecorded},
    backend::OpenedLog,
    cli::opened::Opened,
};

/// A log of a process that does not run, or the one that all share.
pub(super) struct Open {
    kept: KeptLog,
    retention: Retention,
    writer: Option<Writer>,
    /// Whether it is the log that the command writes too.
    is_shared: bool,
}

/// What writes the latest log there is: one that it has followed is written by nobody.
struct Writer {
    audit: Audit,
    writing: JoinHandle<()>,
}

impl Open {
    pub(super) async fn open(opened: &Opened, named: &Named) -> Result<Self, LogError> {
        let logs = &opened.logs;
        let (name, number) = (named.name(logs), named.generation());
        let retention = logs.retention(name, number)?;
        let opening = logs.open(&opened.backend, name, number, &opened.clock);
        let OpenedLog { kept, written } = opening.await?;
        let writer = written.map(|(audit, writing)| Writer {
            audit,
            writing: tokio::spawn(writing),
        });
        Ok(Self {
            kept,
            retention,
            writer,
            is_shared: logs.is_shared(name),
        })
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.kept.store()
    }

    /// Publishes all there is, of a log that is written.
    pub(super) async fn publish(&self) {
        if let Some(Writer { audit, .. }) = &self.writer {
            // What cannot be published now is published when it is closed.
            let _ = audit.checkpoint().await;
        }
    }

    /// Erases parts: on record there, or if nobody writes it any more, where the command is.
    pub(super) async fn erase(&self, whose: &Erasure) -> Result<u64, LogError> {
        match &self.writer {
            Some(Writer { audit, .. }) => Ok(audit.erase(whose).await?),
            None => Ok(whose.erase_in(&*self.store()).await?),
        }
    }

    /// Takes away what is too old.
    pub(super) async fn retain(
        &self,
        opened: &Opened,
        is_clock_confirmed: bool,
    ) -> Result<Retained, LogError> {
        let retention = self.retention.clone().clock_confirmed(is_clock_confirmed);
        match &self.writer {
            Some(Writer { audit, .. }) if !self.is_shared => Ok(audit.retain(&retention).await?),
            // The one that all share has entries of this command, which vouch for no clock.
            _ => Ok(opened.audit.retain_in(&*self.store(), &retention).await?),
        }
    }

    /// Puts on record there what a command has done with it, unless that is where the command's doings are.
    pub(super) async fn record(&self, draft: &AuditDraft) -> Result<(), LogError> {
        match &self.writer {
            _ if self.is_shared => Ok(()),
            Some(Writer { audit, .. }) => {
                let recorded = audit.record(draft.event(), None).await;
                recorded
                    .map(drop)
                    .map_err(|error| Unrecorded::from(error).into())
            }
            None => Err(LogError::Followed),
        }
    }

    /// Gives it back when everything is written.
    pub(super) async fn close(self) -> Result<(), LogError> {
        if let Some(Writer { audit, writing }) = self.writer {
            audit.close();
            // Its end is that of the log; a panic is told by the runtime.
            let _ = writing.await;
        }
        Ok(self.kept.close().await?)
    }
}
