//! The log that a command is about.

use std::num::NonZeroU32;

use clap::Args;
use portcullis_audit_log::{
    audit::{AcceptError, EraseError},
    event::Code,
    store::StoreError,
};

use crate::{
    admin::InvalidRequest,
    audit::{
        AuditAction, AuditActor, AuditDraft, Held, Pruning, PublishedError, PublishedLog,
        Unrecorded, actions::AUDIT_READ,
    },
    backend::{AuditOpenError, FillError, NamedLogError, NamedLogs},
    cli::opened::Opened,
};

/// The logs of which process.
#[derive(Debug, Args)]
pub(super) struct Node {
    /// Which log, by the name of its folder: server, command-line, …, or database. Without, that of the service.
    #[arg(long = "node", value_name = "NAME")]
    name: Option<String>,
}

/// Which log.
#[derive(Debug, Args)]
pub(super) struct Named {
    #[command(flatten)]
    node: Node,
    /// Which of its logs: the first is 1, and one more was begun each time that a rollback was accepted. The latest
    /// unless it is said.
    #[arg(long, value_name = "NUMBER")]
    generation: Option<NonZeroU32>,
}

/// Why a command on a log did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum LogError {
    #[error(transparent)]
    Named(#[from] NamedLogError),
    #[error("the log is not read")]
    Published(#[from] PublishedError),
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    #[error("the log has no entry that it is about")]
    NoSuchEntry,
    #[error("the entry is no finding, or is not there")]
    NoSuchFinding,
    #[error("the finding is closed")]
    Closed,
    #[error("nothing is added to a log that another has followed")]
    Followed,
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error(transparent)]
    Held(#[from] Held),
    #[error("what lies beside the log was not erased")]
    Erase(#[from] EraseError),
    #[error("the log that follows is not begun")]
    Begin(#[source] AuditOpenError),
    #[error("the process of the log runs: end it, accept the rollback, and start it again")]
    Running,
    #[error("the log is not archived")]
    Archive(#[from] FillError),
    #[error("the log is not used")]
    Store(#[from] StoreError),
}

impl LogError {
    /// What is on record of one that is refused.
    const fn code(&self) -> Code {
        match self {
            Self::Named(NamedLogError::InUse) => Code::new("in_use"),
            Self::Named(
                NamedLogError::Name { .. }
                | NamedLogError::Unknown { .. }
                | NamedLogError::Generation
                | NamedLogError::NoArchive,
            )
            | Self::NoSuchEntry => Code::new("not_found"),
            Self::Invalid(_) => Code::new("bad_request"),
            _ => Code::new("failed"),
        }
    }

    /// Whether something has to be asked in another way.
    pub(in crate::cli) const fn is_usage_error(&self) -> bool {
        if let Self::Named(NamedLogError::Keys(error)) = self {
            return error.is_configuration();
        }
        matches!(
            self,
            Self::Named(
                NamedLogError::Name { .. }
                    | NamedLogError::Unknown { .. }
                    | NamedLogError::Generation
                    | NamedLogError::InUse
                    | NamedLogError::NoArchive
                    | NamedLogError::Published {
                        error: PublishedError::Unpublished,
                        ..
                    }
                    | NamedLogError::Accept(AcceptError::NothingToAccept)
            ) | Self::Invalid(_)
                | Self::Held(_)
                | Self::Running
        )
    }
}

/// What comes of something that changes a log; if it is refused before it is begun, that is on record by itself.
pub(super) async fn unless_refused<T>(
    opened: &Opened,
    draft: &AuditDraft,
    asked: Result<T, LogError>,
) -> Result<T, LogError> {
    if let Err(error) = &asked {
        let refused = draft.clone().denied(error.code());
        opened.audit.record(refused).await?;
    }
    asked
}

/// Refuses what takes something away while a legal hold is on, and puts that on record.
pub(super) async fn require_no_hold(opened: &Opened, draft: &AuditDraft) -> Result<(), LogError> {
    if let Err(held) = opened.audit.require_no_hold() {
        let refused = draft.clone().denied(Held::CODE);
        opened.audit.record(refused).await?;
        return Err(held.into());
    }
    Ok(())
}

impl Node {
    pub(super) fn name<'a>(&'a self, logs: &NamedLogs) -> &'a str {
        self.name.as_deref().unwrap_or_else(|| logs.of_service())
    }
}

impl Named {
    pub(super) fn name<'a>(&'a self, logs: &NamedLogs) -> &'a str {
        self.node.name(logs)
    }

    pub(super) const fn generation(&self) -> Option<NonZeroU32> {
        self.generation
    }

    /// The service takes the oldest entries of its own log away, and has that on record there.
    pub(super) fn pruning(&self, logs: &NamedLogs) -> Pruning {
        if self.generation.is_none() && self.name(logs) == logs.of_service() {
            Pruning::OnRecord
        } else {
            Pruning::Elsewhere
        }
    }

    /// The log as it is published, once it is on record that it is read.
    pub(super) async fn read(&self, opened: &Opened) -> Result<PublishedLog, LogError> {
        self.read_as(AUDIT_READ, opened).await
    }

    /// The same, of another action.
    pub(super) async fn read_as(
        &self,
        action: &'static AuditAction,
        opened: &Opened,
    ) -> Result<PublishedLog, LogError> {
        let logs = &opened.logs;
        let name = self.name(logs);
        let actor = AuditActor::System(opened.actor.id());
        let draft = AuditDraft {
            count: 1,
            ..AuditDraft::new(None, action, actor)
        };
        let number = self.generation;
        if logs.is_shared(name) {
            // Which has the entry as well, and is then published with it.
            opened.audit.record(draft).await?;
            opened.audit.publish().await;
            return Ok(logs.published(name, number).await?);
        }
        let log = logs.published(name, number).await?;
        opened.audit.record(draft).await?;
        Ok(log)
    }
}
