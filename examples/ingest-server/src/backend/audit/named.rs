//! The logs of this machine by the names of their folders, for commands that look at them.

mod names;
mod opening;
mod origins;

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    audit::{AcceptError, Retention},
    event::Id,
    note::KeyName,
    store::FileStoreError,
};
use portcullis_versioned_secrets::VersionedSecrets;

use super::{AuditOpenError, LogArchive};
use crate::{
    audit::{
        CurrentLog, DATABASE, DatabaseLog, DatabaseLogError, PublishedError, PublishedLog,
        retention,
    },
    config::{AnchorPlace, ArchivePlace, AuditStore, Config},
    delivery::cursor_of,
};

pub(super) use self::names::names_in;
pub(crate) use self::opening::OpenedLog;

/// Where the logs are, what they are called, and what signs them.
#[derive(Debug, Clone)]
pub(crate) struct NamedLogs {
    store: AuditStore,
    folder: PathBuf,
    origin: KeyName,
    pub(super) secrets: VersionedSecrets,
    anchors: Vec<AnchorPlace>,
    archive: Option<ArchivePlace>,
    days: NonZeroU32,
    personal_days: NonZeroU32,
    is_held: bool,
    /// Who follows the logs of services.
    sinks: Vec<Id>,
}

/// Why a log is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamedLogError {
    #[error("`{name}` is no name of a log, which has that of its folder; there are {there}")]
    Name { name: String, there: String },
    #[error("there is no log `{name}`; there are {there}")]
    Unknown { name: String, there: String },
    #[error("the process has no log of that number")]
    Generation,
    #[error("no archive is configured: name its place with INGEST_AUDIT_ARCHIVE")]
    NoArchive,
    #[error(
        "the process of the log runs, or it is this command's own: a service erases by \
         `POST /admin/audit/erasures`, closes findings by `POST /admin/audit/findings/{{n}}/close`, and each hour \
         archives what is new and takes away what is too old"
    )]
    InUse,
    #[error(transparent)]
    Keys(#[from] AuditOpenError),
    #[error("what its anchors know is not accepted")]
    Accept(#[from] AcceptError),
    #[error("the log {name} is not read")]
    Published {
        name: String,
        #[source]
        error: PublishedError,
    },
}

impl NamedLogs {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            store: config.audit.store,
            folder: config.audit.folder.clone(),
            origin: config.audit.origin.clone(),
            secrets: config.secrets.audit_keys.clone(),
            anchors: config.audit.anchors.clone(),
            archive: config.audit.archive.clone(),
            days: config.audit.days,
            personal_days: config.audit.personal_days,
            is_held: config.audit.is_held,
            sinks: config.audit.sinks.iter().flat_map(cursor_of).collect(),
        }
    }

    /// Those in files below a folder, with an archive.
    #[cfg(test)]
    pub(super) fn of_files(
        folder: &Path,
        archive: ArchivePlace,
        secrets: VersionedSecrets,
    ) -> Self {
        Self {
            store: AuditStore::File,
            folder: folder.to_owned(),
            origin: "test.example/audit".parse().unwrap(),
            secrets,
            anchors: Vec::new(),
            archive: Some(archive),
            days: NonZeroU32::MIN,
            personal_days: NonZeroU32::MIN,
            is_held: false,
            sinks: Vec::new(),
        }
    }

    /// Where they are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether they are archived.
    pub(super) const fn has_archive(&self) -> bool {
        self.archive.is_some()
    }

    /// The log that a service writes as it is configured.
    pub(crate) const fn of_service(&self) -> &'static str {
        match self.store {
            AuditStore::File => "server",
            AuditStore::Database => DATABASE,
        }
    }

    /// Whether it is the log that this command writes too.
    pub(crate) fn is_shared(&self, name: &str) -> bool {
        self.store == AuditStore::Database && name == DATABASE
    }

    /// The log in the folder of that name, as it is published: the latest, or one that it has followed.
    pub(crate) async fn published(
        &self,
        name: &str,
        number: Option<NonZeroU32>,
    ) -> Result<PublishedLog, NamedLogError> {
        let keys = self.keys(name, number)?;
        let configured = keys.first().map(|key| key.name().clone());
        let current = self.current(name)?;
        let earlier = self.earlier(&current, number)?;
        let published = if name == DATABASE {
            let folder = self.existing(name)?;
            let log = match &earlier {
                Some(earlier) => DatabaseLog::open_earlier(&folder, &earlier.folder).await,
                None => DatabaseLog::open(&folder).await,
            };
            let log = log.map_err(|error| database_failed(folder, error))?;
            PublishedLog::of_database(Arc::new(log), keys)
        } else {
            let folder = earlier.map_or_else(|| current.folder(), |earlier| earlier.folder);
            PublishedLog::open(&folder, keys)
        };
        published.map_err(|error| {
            let other = matches!(error, PublishedError::Checkpoint(_))
                .then(|| other_name(&current, configured))
                .flatten();
            match other {
                Some(other) => other.into(),
                None => NamedLogError::Published {
                    name: name.to_owned(),
                    error,
                },
            }
        })
    }

    /// Where the log of that name is archived.
    pub(crate) fn archive(
        &self,
        name: &str,
        number: Option<NonZeroU32>,
    ) -> Result<LogArchive, NamedLogError> {
        let place = self.archive.as_ref().ok_or(NamedLogError::NoArchive)?;
        let current = self.current(name)?;
        let latest = current.generation().number();
        let number = number.unwrap_or(latest);
        let archive = LogArchive::new(place, name, number);
        Ok(if number < latest {
            archive.followed()
        } else {
            archive
        })
    }

    /// How long entries of the log of that name are kept, and what lies beside them: none goes before it is archived, and
    /// of the latest none before every sink has it.
    pub(crate) fn retention(
        &self,
        name: &str,
        number: Option<NonZeroU32>,
    ) -> Result<Retention, NamedLogError> {
        let ages = retention(self.days, self.personal_days, self.is_held);
        let ages = match self.archive {
            Some(_) => ages.archived(),
            None => ages,
        };
        if self.earlier(&self.current(name)?, number)?.is_some() {
            return Ok(ages);
        }
        Ok(self.sinks.iter().cloned().fold(ages, Retention::follower))
    }
}

/// That a log has another name than it is to have, if it is so.
fn other_name(current: &CurrentLog, configured: Option<KeyName>) -> Option<AuditOpenError> {
    let (folder, configured) = (current.folder(), configured?);
    let found = PublishedLog::origin(&folder).filter(|found| *found != configured)?;
    Some(AuditOpenError::OtherName {
        folder,
        configured,
        found,
    })
}

fn files_failed(folder: &Path, name: &str, error: FileStoreError) -> NamedLogError {
    match error {
        FileStoreError::InUse { .. } => NamedLogError::InUse,
        error => AuditOpenError::of_store(folder.to_owned(), name.to_owned(), error).into(),
    }
}

pub(super) fn database_failed(folder: PathBuf, error: DatabaseLogError) -> NamedLogError {
    match error {
        DatabaseLogError::InUse => NamedLogError::InUse,
        error => AuditOpenError::Database { folder, error }.into(),
    }
}
