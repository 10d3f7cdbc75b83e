//! The logs of this machine by the names of their folders, for commands that look at another process's.

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
    store::{FileStore, FileStoreError},
};
use portcullis_versioned_secrets::VersionedSecrets;

use super::{AuditClock, AuditNode, AuditOpenError, signing_keys, verifying_keys};
use crate::{
    audit::{
        CurrentLog, KeyringSealer, PublishedError, PublishedLog, is_log_name, log_name, retention,
    },
    backend::Backend,
    clock::Clock,
    config::{AnchorPlace, Config},
    delivery::cursor_of,
};

/// Where the logs are, what they are called, and what signs them.
#[derive(Debug, Clone)]
pub(crate) struct NamedLogs {
    folder: PathBuf,
    origin: KeyName,
    pub(super) secrets: VersionedSecrets,
    pub(super) anchors: Vec<AnchorPlace>,
    days: NonZeroU32,
    personal_days: NonZeroU32,
    /// Who follows the logs of services.
    sinks: Vec<Id>,
}

/// Why a log is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamedLogError {
    #[error("a log has the name of its folder, such as `server` or `command-line`")]
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
            folder: config.audit.folder.clone(),
            origin: config.audit.origin.clone(),
            secrets: config.secrets.audit_keys.clone(),
            anchors: config.audit.anchors.clone(),
            days: config.audit.days,
            personal_days: config.audit.personal_days,
            sinks: config.audit.sinks.iter().flat_map(cursor_of).collect(),
        }
    }

    /// The log in the folder of that name, as it is published.
    pub(crate) fn published(&self, name: &str) -> Result<PublishedLog, NamedLogError> {
        let folder = self.current(name)?.folder();
        let keys = self.keys(name)?;
        PublishedLog::open(&folder, keys).map_err(|error| NamedLogError::Published {
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

    /// The log in the folder of that name, to be changed: its process must have ended. Gives what writes it too.
    pub(crate) async fn open(
        &self,
        backend: &Backend,
        name: &str,
        clock: &Arc<dyn Clock>,
    ) -> Result<
        (
            Audit,
            Arc<FileStore>,
            impl Future<Output = ()> + Send + 'static,
        ),
        NamedLogError,
    > {
        let folder = self.existing(name)?;
        let log_clock: Arc<dyn LogClock> = Arc::new(AuditClock(Arc::clone(clock)));
        let opened = CurrentLog::open(&folder, &log_clock).await;
        let (current, store) = opened.map_err(|error| match error {
            FileStoreError::InUse { .. } => NamedLogError::InUse,
            error => AuditOpenError::of_store(folder, name.to_owned(), error).into(),
        })?;
        let origin = self.origin_in(&current, name)?;
        let sealer = KeyringSealer::new(backend.keyring.clone(), Arc::clone(&backend.data_keys));
        let store = Arc::new(store);
        let mut builder = Audit::builder(Arc::clone(&store) as _, origin.clone(), log_name(name))
            .generation(current.generation().clone())
            .sealer(Arc::new(sealer))
            .clock(log_clock);
        for key in signing_keys(&origin, &self.secrets).map_err(AuditOpenError::from)? {
            builder = builder.key(key);
        }
        let opened = builder.open().await;
        let (audit, writing) = opened
            .map_err(|error| AuditOpenError::of_log(current.folder(), name.to_owned(), error))?;
        Ok((audit, store, writing))
    }

    /// How long entries of the log of that name are kept, and what lies beside them: none goes before every sink has it.
    pub(crate) fn retention(&self, name: &str) -> Retention {
        let ages = retention(self.days, self.personal_days);
        // What commands record is delivered by nobody.
        if !name.starts_with(AuditNode::Server.as_str()) {
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

    /// What the log of that name is called by its process.
    pub(super) fn origin_of(&self, name: &str) -> Result<KeyName, AuditOpenError> {
        match name {
            "server" => Ok(self.origin.clone()),
            name => Ok(format!("{}/{name}", self.origin).parse()?),
        }
    }
}
