//! The audit log that is configured: where it is kept, what signs it, and what seals what lies beside it.

mod anchors;
mod named;

use std::{
    future::pending,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::{
    audit::{Audit, OpenError, RolledBack},
    clock::Clock as LogClock,
    note::{InvalidKeyName, InvalidSeed, KeyName, SigningKey},
    observer::Observer,
    store::{FileStore, FileStoreError},
};
use portcullis_versioned_secrets::VersionedSecrets;

use super::Backend;
use crate::{
    audit::{
        AuditFolder, AuditIdentity, AuditLog, KeyringSealer, Suspicions, log_name, retain, watch,
    },
    clock::Clock,
    config::{AuditSink, Config, settings},
    delivery::{Deliveries, UnusableSink},
    files,
};

pub(crate) use self::named::{NamedLogError, NamedLogs};

/// Which of the processes on this machine writes the log: each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditNode {
    Server,
    CommandLine,
}

/// The log of this process.
pub(crate) struct OpenedAudit<F> {
    pub(crate) log: AuditLog,
    pub(crate) following: AuditFollowing,
    /// What writes it and follows it, for the caller to spawn.
    pub(crate) run: F,
}

/// Those who follow a log.
#[derive(Debug, Clone)]
pub(crate) struct AuditFollowing {
    pub(crate) deliveries: Deliveries,
    pub(crate) suspicions: Suspicions,
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
    /// An anchor knows a log that this one is no continuation of.
    #[error(
        "the audit log in {path} has {have} entries, and its anchor `{anchor}` knows it with {had}: its end was cut, or an \
         old copy was put back. Put the newest copy there; if there is none, find out why, move {path} away and keep it, \
         and give the log another name with {name}",
        path = folder.display(),
        have = found.have,
        anchor = found.anchor,
        had = found.had,
        name = settings::AUDIT_ORIGIN.variable
    )]
    RolledBack { folder: PathBuf, found: RolledBack },
    #[error("a key of the audit log cannot be used")]
    Key(#[from] InvalidSeed),
    #[error("the name of the audit log cannot be used")]
    Name(#[from] InvalidKeyName),
    #[error("the audit log cannot be delivered")]
    Sink(#[from] UnusableSink),
}

/// So many processes of one kind can have a log each on one machine.
const MAX_SLOTS: u32 = 64;

impl AuditOpenError {
    /// Whether it is something to set right, which no further start does.
    pub(crate) const fn is_configuration(&self) -> bool {
        matches!(self, Self::RolledBack { .. })
    }

    fn of_log(folder: PathBuf, error: OpenError) -> Self {
        match error {
            OpenError::RolledBack(found) => Self::RolledBack { folder, found },
            error => Self::Log { folder, error },
        }
    }
}

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

    /// Where its entries are delivered to. Those of a command wait in its log for who looks there.
    fn sinks(self, configured: &[AuditSink]) -> &[AuditSink] {
        match self {
            Self::Server => configured,
            Self::CommandLine => &[],
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
    /// Opens the log of this process.
    ///
    /// # Errors
    /// [`AuditOpenError`].
    pub(crate) async fn open_audit(
        &self,
        config: &Config,
        node: AuditNode,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<OpenedAudit<impl Future<Output = ()> + Send + 'static>, AuditOpenError> {
        let log_clock = Arc::new(AuditClock(Arc::clone(clock)));
        let slot = Slot::take(&config.audit.folder, node, &log_clock).await?;
        let (folder, store) = (slot.folder, Arc::new(slot.store));
        let sealer = KeyringSealer::new(self.keyring.clone(), Arc::clone(&self.data_keys));
        let origin = node.origin(slot.number, &config.audit.origin)?;
        let name = log_name(&node.name(slot.number));
        let mut builder = Audit::builder(Arc::clone(&store) as _, origin.clone(), name)
            .sealer(Arc::new(sealer))
            .observer(observer)
            .clock(Arc::clone(&log_clock) as _);
        let mut keys = Vec::new();
        for key in signing_keys(&origin, &config.secrets.audit_keys)? {
            keys.push(key.verifying_key().clone());
            builder = builder.key(key);
        }
        for place in &config.audit.anchors {
            builder = builder.anchor(anchors::at(place, &origin, &self.store));
        }
        let identity = AuditIdentity { origin, keys };
        let opened = builder.open().await;
        let (audit, writing) = opened.map_err(|error| AuditOpenError::of_log(folder, error))?;
        let sinks = node.sinks(&config.audit.sinks);
        let clock_of_log: Arc<dyn LogClock> = log_clock;
        let (deliveries, delivering) =
            Deliveries::new(sinks, audit.store(), Arc::clone(&clock_of_log))?;
        let suspicions = Suspicions::default();
        let watching = {
            let (audit, suspicions) = (audit.clone(), suspicions.clone());
            async move {
                match node {
                    AuditNode::Server => watch(audit, &*clock_of_log, suspicions).await,
                    AuditNode::CommandLine => pending().await,
                }
            }
        };
        let retaining = retain(
            audit.clone(),
            config.audit.days,
            config.audit.personal_days,
            {
                let deliveries = deliveries.clone();
                move |ages| deliveries.held(ages)
            },
        );
        let own = AuditFolder::new(config.audit.folder.clone(), node.name(slot.number));
        let (log, gathering) =
            AuditLog::new(audit, own, identity, Arc::clone(clock), config.audit.writes);
        let following = AuditFollowing {
            deliveries,
            suspicions,
        };
        let run = async move {
            let written = async { tokio::join!(writing, gathering) };
            tokio::select! {
                _ = written => {}
                () = retaining => {}
                () = delivering => {}
                _ = watching => {}
            }
            if let Err(error) = store.close().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the audit log was not put in place; the next start does it"
                );
            }
        };
        Ok(OpenedAudit {
            log,
            following,
            run,
        })
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
