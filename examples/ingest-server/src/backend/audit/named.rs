//! The logs of this machine by the names of their folders, for commands that look at them.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    anchor::Anchor,
    audit::{AcceptError, Audit, Generation, Retention},
    clock::Clock as LogClock,
    event::Id,
    note::{KeyName, VerifyingKey},
    store::{FileStoreError, Store as LogStore},
};
use portcullis_versioned_secrets::VersionedSecrets;

use super::{
    AuditClock, AuditNode, AuditOpenError, LogArchive, Slot, anchors::AnchoredLog, origin_of,
    signing_keys, verifying_keys,
};
use crate::{
    audit::{
        CurrentLog, DATABASE, DatabaseLog, DatabaseLogError, EarlierLog, EarlierLogError, KeptLog,
        KeyringSealer, LockFile, PublishedError, PublishedLog, is_log_name, log_name, retention,
    },
    backend::Backend,
    clock::Clock,
    config::{AnchorPlace, ArchivePlace, AuditStore, Config},
    delivery::cursor_of,
};

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
    /// Who follows the logs of services.
    sinks: Vec<Id>,
}

/// A log that is open to be changed, and what writes the latest there is, for the caller to spawn.
pub(crate) struct OpenedLog<F> {
    pub(crate) kept: KeptLog,
    pub(crate) written: Option<(Audit, F)>,
}

/// Why a log is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamedLogError {
    #[error("a log has the name of its folder, such as `server`, `command-line` or `database`")]
    Name,
    #[error("there is no such log")]
    Unknown,
    #[error("the process has no log of that number")]
    Generation,
    #[error("no archive is configured: name its place with INGEST_AUDIT_ARCHIVE")]
    NoArchive,
    #[error(
        "the process of the log runs, or it is this command's own: a service erases by \
         `POST /admin/audit/erasures`, and takes away each hour what is too old"
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
            sinks: config.audit.sinks.iter().flat_map(cursor_of).collect(),
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
        published.map_err(|error| NamedLogError::Published {
            name: name.to_owned(),
            error,
        })
    }

    /// What the log of that name is verified with.
    pub(crate) fn keys(
        &self,
        name: &str,
        number: Option<NonZeroU32>,
    ) -> Result<Vec<VerifyingKey>, NamedLogError> {
        let current = self.current(name)?;
        let base = self.origin_in(&current, name)?;
        let number = number.unwrap_or_else(|| current.generation().number());
        let origin = EarlierLog::origin(number, &base).map_err(AuditOpenError::from)?;
        Ok(verifying_keys(&origin, &self.secrets).map_err(AuditOpenError::from)?)
    }

    /// Where the log of that name is archived.
    pub(crate) fn archive(
        &self,
        name: &str,
        number: Option<NonZeroU32>,
    ) -> Result<LogArchive, NamedLogError> {
        let place = self.archive.as_ref().ok_or(NamedLogError::NoArchive)?;
        let current = self.current(name)?;
        let number = number.unwrap_or_else(|| current.generation().number());
        Ok(LogArchive::new(place, name, number))
    }

    /// The log of that number, if the one that is written has followed it.
    fn earlier(
        &self,
        current: &CurrentLog,
        number: Option<NonZeroU32>,
    ) -> Result<Option<EarlierLog>, NamedLogError> {
        let written = current.generation().number();
        let Some(number) = number.filter(|number| *number != written) else {
            return Ok(None);
        };
        let earlier = EarlierLog::all_before(current);
        let earlier = earlier.map_err(|error| AuditOpenError::Store {
            folder: current.folder(),
            error,
        })?;
        let found = earlier.into_iter().find(|log| log.number == number);
        found.map(Some).ok_or(NamedLogError::Generation)
    }

    /// The log in the folder of that name, to be changed: its process must have ended, unless many write it, or it is one
    /// that the latest has followed.
    pub(crate) async fn open(
        &self,
        backend: &Backend,
        name: &str,
        number: Option<NonZeroU32>,
        clock: &Arc<dyn Clock>,
    ) -> Result<OpenedLog<impl Future<Output = ()> + Send + 'static>, NamedLogError> {
        let folder = self.existing(name)?;
        if let Some(earlier) = self.earlier(&self.current(name)?, number)? {
            let kept = earlier.open().await.map_err(|error| match error {
                EarlierLogError::Files(error) => files_failed(&folder, name, error),
                EarlierLogError::Database(error) => database_failed(folder.clone(), error),
            })?;
            return Ok(OpenedLog {
                kept,
                written: None,
            });
        }
        let log_clock: Arc<dyn LogClock> = Arc::new(AuditClock(Arc::clone(clock)));
        let taken = self.taken(&folder, name, &log_clock).await?;
        let (current, kept, node, held) = taken;
        let origin = self.origin_in(&current, name)?;
        let sealer = KeyringSealer::new(backend.keyring.clone(), Arc::clone(&backend.data_keys));
        let mut builder = Audit::builder(kept.store(), origin.clone(), log_name(&node))
            .generation(current.generation().clone())
            .sealer(Arc::new(sealer))
            .clock(log_clock);
        for key in signing_keys(&origin, &self.secrets).map_err(AuditOpenError::from)? {
            builder = builder.key(key);
        }
        // What is done to a log that was put back is undone with it.
        let generation = current.generation();
        for anchor in self.anchors(backend, name, &origin, generation, &kept.store())? {
            builder = builder.anchor(anchor);
        }
        let opened = builder.open().await;
        let (audit, writing) = opened
            .map_err(|error| AuditOpenError::of_log(current.folder(), name.to_owned(), error))?;
        let run = async move {
            writing.await;
            drop(held);
        };
        Ok(OpenedLog {
            kept,
            written: Some((audit, run)),
        })
    }

    /// A log, and what this command is called there.
    async fn taken(
        &self,
        folder: &Path,
        name: &str,
        clock: &Arc<dyn LogClock>,
    ) -> Result<(CurrentLog, KeptLog, String, Option<LockFile>), NamedLogError> {
        if name == DATABASE {
            let slot = Slot::of_shared_log(&self.folder, AuditNode::CommandLine).await?;
            return Ok((slot.current, slot.kept, slot.node, slot.name));
        }
        let opened = CurrentLog::open(folder, clock).await;
        let (current, store) = opened.map_err(|error| files_failed(folder, name, error))?;
        let kept = KeptLog::Files(Arc::new(store));
        Ok((current, kept, name.to_owned(), None))
    }

    /// Who keeps checkpoints of the log of that name.
    pub(super) fn anchors(
        &self,
        backend: &Backend,
        name: &str,
        base: &KeyName,
        generation: &Generation,
        store: &Arc<dyn LogStore>,
    ) -> Result<Vec<Arc<dyn Anchor>>, AuditOpenError> {
        let anchored = AnchoredLog {
            base,
            generation,
            name,
            store,
            archive: self.archive.as_ref(),
        };
        let places = AuditNode::of_log(name).anchors(&self.anchors);
        places
            .map(|place| anchored.at(place, &backend.store))
            .collect()
    }

    /// How long entries of the log of that name are kept, and what lies beside them: none goes before it is archived, and
    /// of the latest none before every sink has it.
    pub(crate) fn retention(
        &self,
        name: &str,
        number: Option<NonZeroU32>,
    ) -> Result<Retention, NamedLogError> {
        let ages = retention(self.days, self.personal_days);
        let ages = match self.archive {
            Some(_) => ages.archived(),
            None => ages,
        };
        if self.earlier(&self.current(name)?, number)?.is_some() {
            return Ok(ages);
        }
        Ok(self.sinks.iter().cloned().fold(ages, Retention::follower))
    }

    /// The name that the keys of the log have. A log may have got another since, which begins with the one that is
    /// configured; one that follows a rollback has its number behind it.
    fn origin_in(&self, current: &CurrentLog, name: &str) -> Result<KeyName, AuditOpenError> {
        let Some(origin) = PublishedLog::origin(&current.folder()) else {
            return self.origin_of(name);
        };
        let number = current.generation().number().get();
        let base = match number {
            1 => Some(origin.as_str()),
            number => origin.as_str().strip_suffix(&format!("/{number}")),
        };
        match base {
            Some(base) if base.starts_with(self.origin.as_str()) => Ok(base.parse()?),
            _ => self.origin_of(name),
        }
    }

    /// Which log is written in the folder of that name.
    fn current(&self, name: &str) -> Result<CurrentLog, NamedLogError> {
        let folder = self.folder_of(name)?;
        let current = CurrentLog::of(&folder);
        Ok(current.map_err(|error| AuditOpenError::Store { folder, error })?)
    }

    /// The folder of that name, in which a process has had a log.
    pub(super) fn existing(&self, name: &str) -> Result<PathBuf, NamedLogError> {
        let folder = self.folder_of(name)?;
        if folder.join("lock").is_file() {
            Ok(folder)
        } else {
            Err(NamedLogError::Unknown)
        }
    }

    fn folder_of(&self, name: &str) -> Result<PathBuf, NamedLogError> {
        if is_log_name(name) {
            Ok(Path::new(&self.folder).join(name))
        } else {
            Err(NamedLogError::Name)
        }
    }

    /// What the log of that name is called by who writes it.
    pub(super) fn origin_of(&self, name: &str) -> Result<KeyName, AuditOpenError> {
        Ok(origin_of(&self.origin, name)?)
    }
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
