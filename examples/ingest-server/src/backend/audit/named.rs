//! The logs of this machine by the names of their folders, for commands that look at them.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    audit::{AcceptError, Audit, Retention},
    clock::Clock as LogClock,
    event::Id,
    note::{KeyName, VerifyingKey},
    store::FileStoreError,
};
use portcullis_versioned_secrets::VersionedSecrets;

use super::{AuditClock, AuditNode, AuditOpenError, Slot, origin_of, signing_keys, verifying_keys};
use crate::{
    audit::{
        CurrentLog, DATABASE, DatabaseLog, DatabaseLogError, KeptLog, KeyringSealer, LockFile,
        PublishedError, PublishedLog, is_log_name, log_name, retention,
    },
    backend::Backend,
    clock::Clock,
    config::{AnchorPlace, AuditStore, Config},
    delivery::cursor_of,
};

/// Where the logs are, what they are called, and what signs them.
#[derive(Debug, Clone)]
pub(crate) struct NamedLogs {
    store: AuditStore,
    folder: PathBuf,
    origin: KeyName,
    pub(super) secrets: VersionedSecrets,
    pub(super) anchors: Vec<AnchorPlace>,
    days: NonZeroU32,
    personal_days: NonZeroU32,
    /// Who follows the logs of services.
    sinks: Vec<Id>,
}

/// A log that is open to be changed.
pub(crate) struct OpenedLog<F> {
    pub(crate) audit: Audit,
    pub(crate) kept: KeptLog,
    /// What writes it, for the caller to spawn.
    pub(crate) run: F,
}

/// Why a log is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamedLogError {
    #[error("a log has the name of its folder, such as `server`, `command-line` or `database`")]
    Name,
    #[error("there is no such log")]
    Unknown,
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
            days: config.audit.days,
            personal_days: config.audit.personal_days,
            sinks: config.audit.sinks.iter().flat_map(cursor_of).collect(),
        }
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

    /// The log in the folder of that name, as it is published.
    pub(crate) async fn published(&self, name: &str) -> Result<PublishedLog, NamedLogError> {
        let keys = self.keys(name)?;
        let published = if name == DATABASE {
            let folder = self.existing(name)?;
            let log = DatabaseLog::open(&folder).await;
            let log = log.map_err(|error| database_failed(folder, error))?;
            PublishedLog::of_database(Arc::new(log), keys)
        } else {
            PublishedLog::open(&self.current(name)?.folder(), keys)
        };
        published.map_err(|error| NamedLogError::Published {
            name: name.to_owned(),
            error,
        })
    }

    /// What the log of that name is verified with.
    pub(crate) fn keys(&self, name: &str) -> Result<Vec<VerifyingKey>, NamedLogError> {
        let current = self.current(name)?;
        let origin = self.origin_in(&current, name)?;
        let origin = current.generation().origin(&origin);
        let origin = origin.map_err(AuditOpenError::from)?;
        Ok(verifying_keys(&origin, &self.secrets).map_err(AuditOpenError::from)?)
    }

    /// The log in the folder of that name, to be changed: its process must have ended, unless many write it.
    pub(crate) async fn open(
        &self,
        backend: &Backend,
        name: &str,
        clock: &Arc<dyn Clock>,
    ) -> Result<OpenedLog<impl Future<Output = ()> + Send + 'static>, NamedLogError> {
        let folder = self.existing(name)?;
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
        let opened = builder.open().await;
        let (audit, writing) = opened
            .map_err(|error| AuditOpenError::of_log(current.folder(), name.to_owned(), error))?;
        let run = async move {
            writing.await;
            drop(held);
        };
        Ok(OpenedLog { audit, kept, run })
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
        match CurrentLog::open(folder, clock).await {
            Ok((current, store)) => {
                let kept = KeptLog::Files(Arc::new(store));
                Ok((current, kept, name.to_owned(), None))
            }
            Err(FileStoreError::InUse { .. }) => Err(NamedLogError::InUse),
            Err(error) => {
                let (folder, name) = (folder.to_owned(), name.to_owned());
                Err(AuditOpenError::of_store(folder, name, error).into())
            }
        }
    }

    /// How long entries of the log of that name are kept, and what lies beside them: none goes before every sink has it.
    pub(crate) fn retention(&self, name: &str) -> Retention {
        let ages = retention(self.days, self.personal_days);
        // What commands record in logs of their own is delivered by nobody.
        if name.starts_with(AuditNode::CommandLine.as_str()) {
            return ages;
        }
        self.sinks.iter().cloned().fold(ages, Retention::follower)
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

pub(super) fn database_failed(folder: PathBuf, error: DatabaseLogError) -> NamedLogError {
    match error {
        DatabaseLogError::InUse => NamedLogError::InUse,
        error => AuditOpenError::Database { folder, error }.into(),
    }
}
