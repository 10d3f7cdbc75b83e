//! The audit log that is configured: where it is kept, what signs it, and what seals what lies beside it.

mod accepting;
mod anchors;
mod archives;
mod clock;
mod closed;
mod ended;
mod error;
mod followers;
mod keys;
mod named;
mod node;
mod opening;
mod slot;
mod unsigned;

use std::{sync::Arc, time::Duration};

use portcullis_audit_log::{clock::Clock as LogClock, observer::Observer};

use self::{clock::AuditClock, node::MAX_SLOTS, opening::Opening, slot::Slot};
use super::Backend;
use crate::{
    audit::AuditLog,
    clock::Clock,
    config::{AuditStore, Config},
};

pub(crate) use self::{
    accepting::{ForeignLog, LogTreeNamed},
    archives::{FillError, LogArchive},
    closed::{KEPT_CLOSE, NotInPlace},
    error::AuditOpenError,
    followers::AuditFollowing,
    named::{NamedLogError, NamedLogs, OpenedLog},
    node::AuditNode,
    unsigned::unsigned_logs,
};

/// How long the log takes to be closed at most. What is not written by then is told.
pub(crate) const AUDIT_CLOSE: Duration = Duration::from_secs(4);

/// What becomes of a log of this kind of process that is not the one its anchors know, or whose end was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedLogs {
    /// Nothing opens.
    Refuse,
    /// It is passed over, as is one that is in use.
    PassOver,
}

/// The log of this process.
pub(crate) struct OpenedAudit<F> {
    pub(crate) log: AuditLog,
    pub(crate) following: AuditFollowing,
    /// What writes it and follows it, for the caller to spawn. In the end it says what became of the store.
    pub(crate) run: F,
}

impl Backend {
    /// Opens the log that this process writes: its own, in the first folder that no other has, or the one that all
    /// share. A command that accepts a rollback has one of its own in any case, as the shared one may be what was put
    /// back.
    ///
    /// # Errors
    /// [`AuditOpenError`].
    pub(crate) async fn open_audit(
        &self,
        config: &Config,
        node: AuditNode,
        refused: RefusedLogs,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<
        OpenedAudit<impl Future<Output = Result<(), NotInPlace>> + Send + use<>>,
        AuditOpenError,
    > {
        let all = &config.audit.folder;
        let opening = Opening {
            backend: self,
            config,
            node,
            clock,
            observer: &observer,
        };
        // Its state is large, and would be on the stack of who starts.
        let open = |slot| Box::pin(opening.open(slot));
        if config.audit.store == AuditStore::Database && refused == RefusedLogs::Refuse {
            return open(Slot::of_shared_log(all, node).await?).await;
        }
        let log_clock: Arc<dyn LogClock> = Arc::new(AuditClock(Arc::clone(clock)));
        for number in 0..MAX_SLOTS {
            let opened = match Slot::of_own_log(all, node, number, &log_clock).await {
                Ok(None) => continue,
                Ok(Some(slot)) => open(slot).await,
                Err(error) => Err(error),
            };
            match opened {
                Err(error) if refused == RefusedLogs::PassOver && error.is_refused() => {}
                opened => return opened,
            }
        }
        Err(AuditOpenError::NoSlot(all.clone()))
    }
}
