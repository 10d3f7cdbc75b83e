//! Why the audit log does not open.

use std::{error::Error, io, path::PathBuf};

use portcullis_audit_log::{
    anchor::WitnessError,
    audit::{OpenError, RolledBack, Unverifiable},
    note::{InvalidKeyName, InvalidSeed, KeyName},
    store::{FileStoreError, Store, StoreError},
};

use super::node::MAX_SLOTS;
use crate::{audit::DatabaseLogError, delivery::UnusableSink};

/// The audit log does not open, so that nothing that must be on record could be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditOpenError {
    #[error("the folder of the audit log, {}, cannot be made: {kind}", folder.display())]
    Folder {
        folder: PathBuf,
        kind: io::ErrorKind,
    },
    #[error("the audit log in {} does not open", folder.display())]
    Store {
        folder: PathBuf,
        #[source]
        error: FileStoreError,
    },
    #[error("the audit log in {} does not open", folder.display())]
    Database {
        folder: PathBuf,
        #[source]
        error: DatabaseLogError,
    },
    #[error("{MAX_SLOTS} processes have a log or a name in {}; end some of them", .0.display())]
    NoSlot(PathBuf),
    #[error("the audit log in {} does not open", folder.display())]
    Log {
        folder: PathBuf,
        #[source]
        error: OpenError,
    },
    /// An anchor knows a log that this one is no continuation of.
    #[error(
        "the audit log in {path} has {have} entries, and its anchor `{anchor}` knows {what}. Put the newest copy there; \
         if there is none, find out why, and begin the log that follows it with \
         `ingest-server audit accept-rollback --node {node}`",
        path = folder.display(),
        have = found.have,
        anchor = found.anchor,
        what = known(found)
    )]
    RolledBack {
        folder: PathBuf,
        node: String,
        found: RolledBack,
    },
    /// What is there is no whole log.
    #[error(
        "the audit log in {path} is damaged or was cut, and does not open. Put the newest copy there; if there is none, find out why, and begin the \
         log that follows it with `ingest-server audit accept-rollback --node {node}`",
        path = folder.display()
    )]
    Damaged {
        folder: PathBuf,
        node: String,
        #[source]
        error: Box<dyn Error + Send + Sync>,
    },
    /// The key that has signed what is published was taken out before another has signed.
    #[error(
        "a checkpoint of the audit log in {path} is signed by {signed_by}, which is no version of PORTCULLIS_AUDIT_KEYS. \
         Put that version back beside the new one, until both have signed; if it is lost, begin the log that follows it \
         with `ingest-server audit accept-rollback --node {node}`",
        path = folder.display()
    )]
    UnknownKey {
        folder: PathBuf,
        node: String,
        signed_by: String,
    },
    /// An anchor keeps more than there is, and nobody can verify it.
    #[error(
        "the audit log in {path} has {have} entries, and its anchor `{anchor}` keeps a checkpoint of {claimed}, signed by \
         {signed_by}, which is no version of PORTCULLIS_AUDIT_KEYS. Put that version back, and the newest copy of the \
         log; if they are lost, find out why, and begin the log that follows it with `ingest-server audit \
         accept-rollback --node {node}`",
        path = folder.display(),
        have = found.have,
        anchor = found.anchor,
        claimed = found.claimed,
        signed_by = found.signed_by
    )]
    Unverifiable {
        folder: PathBuf,
        node: String,
        found: Unverifiable,
    },
    /// The log that is there is another's, or was called otherwise before.
    #[error(
        "the audit log in {path} is called `{found}`, and with INGEST_AUDIT_ORIGIN as it is it would be `{configured}`. \
         A log keeps its name: set INGEST_AUDIT_ORIGIN as it was, or name another folder with INGEST_AUDIT_DIR",
        path = folder.display()
    )]
    OtherName {
        folder: PathBuf,
        configured: KeyName,
        found: KeyName,
    },
    #[error("a key of the audit log cannot be used")]
    Key(#[from] InvalidSeed),
    #[error("the name of the audit log cannot be used")]
    Name(#[from] InvalidKeyName),
    #[error("the audit log cannot be delivered")]
    Sink(#[from] UnusableSink),
    #[error("a witness of the audit log cannot be used")]
    Witness(#[from] WitnessError),
    #[error("the archive is to be an anchor, and there is none")]
    NoArchive,
}

/// What an anchor knows, and what that shows.
fn known(found: &RolledBack) -> String {
    let had = found.had;
    if found.is_other() {
        format!(
            "another log with {had}: this one was written again, is of another service, or is one that another has \
             followed"
        )
    } else {
        format!("it with {had}: its end was cut, or an old copy was put back")
    }
}

impl AuditOpenError {
    /// Whether it is something to set right, which no further start does.
    pub(crate) const fn is_configuration(&self) -> bool {
        self.is_refused() || matches!(self, Self::OtherName { .. })
    }

    /// Whether the log is not the one that it was, or nobody can tell whether it is.
    pub(super) const fn is_refused(&self) -> bool {
        matches!(
            self,
            Self::RolledBack { .. }
                | Self::Damaged { .. }
                | Self::UnknownKey { .. }
                | Self::Unverifiable { .. }
        )
    }

    pub(super) fn of_store(folder: PathBuf, node: String, error: FileStoreError) -> Self {
        if error.is_damage() {
            let error = error.into();
            return Self::Damaged {
                folder,
                node,
                error,
            };
        }
        Self::Store { folder, error }
    }

    /// The same as [`of_log`](Self::of_log), of a log whose store is there to be asked for its name.
    pub(super) async fn of_named_log(
        folder: PathBuf,
        node: String,
        configured: &KeyName,
        store: &dyn Store,
        error: OpenError,
    ) -> Self {
        let published = match &error {
            OpenError::OtherLog(_) => store.checkpoint().await.ok().flatten(),
            _ => None,
        };
        // What it says of itself, which the first line is.
        let text = published.map(|it| it.to_string()).unwrap_or_default();
        let found = text
            .lines()
            .next()
            .and_then(|name| name.parse::<KeyName>().ok());
        match found.filter(|found| found != configured) {
            Some(found) => Self::OtherName {
                folder,
                configured: configured.clone(),
                found,
            },
            None => Self::of_log(folder, node, error),
        }
    }

    pub(super) fn of_log(folder: PathBuf, node: String, error: OpenError) -> Self {
        match error {
            OpenError::RolledBack(found) => Self::RolledBack {
                folder,
                node,
                found,
            },
            OpenError::Store(error @ StoreError::Damaged(_)) => Self::Damaged {
                folder,
                node,
                error: error.into(),
            },
            OpenError::UnknownKey(found) => Self::UnknownKey {
                folder,
                node,
                signed_by: found.signed_by,
            },
            OpenError::Unverifiable(found) => Self::Unverifiable {
                folder,
                node,
                found,
            },
            error => Self::Log { folder, error },
        }
    }
}
