//! The audit log that is configured: where it is kept, what signs it, and what seals what lies beside it.

mod named;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    audit::{Audit, OpenError},
    clock::Clock as LogClock,
    note::{InvalidKeyName, InvalidSeed, KeyName, SigningKey},
    observer::Observer,
    store::{FileStore, FileStoreError},
};
use portcullis_versioned_secrets::VersionedSecrets;

use super::Backend;
use crate::{
    audit::{AuditFolder, AuditIdentity, AuditLog, KeyringSealer, log_name, retain},
    clock::Clock,
    config::Config,
    files,
};

pub(crate) use self::named::{NamedLogError, NamedLogs};

/// Which of the processes on this machine writes the log: each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditNode {
    Server,
    CommandLine,
}

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
    #[error("{MAX_SLOTS} processes have a log in {}; end some of them", .0.display())]
    NoSlot(PathBuf),
    #[error("the audit log in {} does not open", folder.display())]
    Log {
        folder: PathBuf,
        #[source]
        error: OpenError,
    },
    #[error("a key of the audit log cannot be used")]
    Key(#[from] InvalidSeed),
    #[error("the name of the audit log cannot be used")]
    Name(#[from] InvalidKeyName),
}

/// So many processes of one kind can have a log each on one machine.
const MAX_SLOTS: u32 = 64;

impl AuditNode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::CommandLine => "command-line",
        }
    }

    /// What the folder of a process is called, and what stands in its entries.
    fn name(self, slot: u32) -> String {
        match slot {
            0 => self.as_str().to_owned(),
            slot => format!("{}-{}", self.as_str(), slot + 1),
        }
    }

    /// What its log is called: two logs of one name would look like one that says two things.
    fn origin(self, slot: u32, configured: &KeyName) -> Result<KeyName, InvalidKeyName> {
        match (self, slot) {
            (Self::Server, 0) => Ok(configured.clone()),
            _ => format!("{configured}/{}", self.name(slot)).parse(),
        }
    }
}

/// The folder of this process, which no other has.
struct Slot {
    number: u32,
    folder: PathBuf,
    store: FileStore,
}

impl Slot {
    /// Takes the first folder that no other process has.
    async fn take(
        all: &Path,
        node: AuditNode,
        clock: &Arc<AuditClock>,
    ) -> Result<Self, AuditOpenError> {
        files::create_folder(all).map_err(|error| AuditOpenError::Folder {
            folder: all.to_owned(),
            kind: error.kind(),
        })?;
        for number in 0..MAX_SLOTS {
            let folder = all.join(node.name(number));
            let builder = FileStore::builder(&folder).clock(Arc::clone(clock) as _);
            match builder.open().await {
                Ok(store) => {
                    return Ok(Self {
                        number,
                        folder,
                        store,
                    });
                }
                Err(FileStoreError::InUse { .. }) => {}
                Err(error) => return Err(AuditOpenError::Store { folder, error }),
            }
        }
        Err(AuditOpenError::NoSlot(all.to_owned()))
    }
}

impl Backend {
    /// Opens the log of this process, and gives the way in and what writes it, for the caller to spawn.
    ///
    /// # Errors
    /// [`AuditOpenError`].
    pub(crate) async fn open_audit(
        &self,
        config: &Config,
        node: AuditNode,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<(AuditLog, impl Future<Output = ()> + Send + 'static), AuditOpenError> {
        let log_clock = Arc::new(AuditClock(Arc::clone(clock)));
        let slot = Slot::take(&config.audit.folder, node, &log_clock).await?;
        let (folder, store) = (slot.folder, Arc::new(slot.store));
        let sealer = KeyringSealer::new(self.keyring.clone(), Arc::clone(&self.data_keys));
        let origin = node.origin(slot.number, &config.audit.origin)?;
        let name = log_name(&node.name(slot.number));
        let mut builder = Audit::builder(Arc::clone(&store) as _, origin.clone(), name)
            .sealer(Arc::new(sealer))
            .observer(observer)
            .clock(log_clock);
        let mut keys = Vec::new();
        for key in signing_keys(&origin, &config.secrets.audit_keys)? {
            keys.push(key.verifying_key().clone());
            builder = builder.key(key);
        }
        let identity = AuditIdentity { origin, keys };
        let opened = builder.open().await;
        let (audit, writing) = opened.map_err(|error| AuditOpenError::Log { folder, error })?;
        let retaining = retain(audit.clone(), config.audit.days, config.audit.personal_days);
        let own = AuditFolder::new(config.audit.folder.clone(), node.name(slot.number));
        let (log, gathering) =
            AuditLog::new(audit, own, identity, Arc::clone(clock), config.audit.writes);
        let run = async move {
            let written = async { tokio::join!(writing, gathering) };
            tokio::select! {
                _ = written => {}
                () = retaining => {}
            }
            if let Err(error) = store.close().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the audit log was not put in place; the next start does it"
                );
            }
        };
        Ok((log, run))
    }
}

/// Every version signs: while one replaces another, who knows either can verify.
fn signing_keys(
    origin: &KeyName,
    secrets: &VersionedSecrets,
) -> Result<Vec<SigningKey>, InvalidSeed> {
    // EXPOSE: a signing key is made of it, which is wiped like it.
    let keys = secrets
        .iter()
        .map(|(_, seed)| SigningKey::from_seed(origin.clone(), seed));
    keys.collect()
}

/// The service's clock, as the log takes it.
#[derive(Debug)]
struct AuditClock(Arc<dyn Clock>);

impl LogClock for AuditClock {
    fn wall(&self) -> std::time::SystemTime {
        self.0.wall().into()
    }

    fn monotonic(&self) -> std::time::Duration {
        self.0.monotonic()
    }
}
