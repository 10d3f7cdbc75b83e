//! The audit log that is configured: where it is kept, what signs it, and what seals what lies beside it.

mod accepting;
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
    note::{InvalidKeyName, InvalidSeed, KeyName, SigningKey, VerifyingKey},
    observer::Observer,
    store::{FileStore, FileStoreError},
};
use portcullis_versioned_secrets::VersionedSecrets;

use super::Backend;
use crate::{
    audit::{
        AuditFolder, AuditIdentity, AuditLog, CurrentLog, KeyringSealer, Suspicions, log_name,
        retain, watch,
    },
    clock::Clock,
    config::{AuditSink, Config},
    delivery::{Deliveries, UnusableSink},
    files,
};

pub(crate) use self::{
    accepting::{ForeignLog, LogTreeNamed},
    named::{NamedLogError, NamedLogs},
};

/// Which of the processes on this machine writes the log: each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditNode {
    Server,
    CommandLine,
}

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
         old copy was put back. Put the newest copy there; if there is none, find out why, and begin the log that follows \
         it with `ingest-server audit accept-rollback --node {node}`",
        path = folder.display(),
        have = found.have,
        anchor = found.anchor,
        had = found.had
    )]
    RolledBack {
        folder: PathBuf,
        node: String,
        found: RolledBack,
    },
    #[error(
        "the audit log in {path} does not open. Put the newest copy there; if there is none, find out why, and begin the \
         log that follows it with `ingest-server audit accept-rollback --node {node}`",
        path = folder.display()
    )]
    TailCut {
        folder: PathBuf,
        node: String,
        #[source]
        error: FileStoreError,
    },
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
        self.is_refused()
    }

    /// Whether the log is not the one that it was.
    const fn is_refused(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::TailCut { .. })
    }

    fn of_store(folder: PathBuf, node: String, error: FileStoreError) -> Self {
        match error {
            FileStoreError::TailCut { .. } => Self::TailCut {
                folder,
                node,
                error,
            },
            error => Self::Store { folder, error },
        }
    }

    fn of_log(folder: PathBuf, node: String, error: OpenError) -> Self {
        match error {
            OpenError::RolledBack(found) => Self::RolledBack {
                folder,
                node,
                found,
            },
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
    current: CurrentLog,
    store: FileStore,
}

impl Slot {
    /// Takes the folder of that number, unless another process has it.
    async fn take(
        all: &Path,
        node: AuditNode,
        number: u32,
        clock: &Arc<dyn LogClock>,
    ) -> Result<Option<Self>, AuditOpenError> {
        files::create_folder(all).map_err(|error| AuditOpenError::Folder {
            folder: all.to_owned(),
            kind: error.kind(),
        })?;
        let name = node.name(number);
        let folder = all.join(&name);
        match CurrentLog::open(&folder, clock).await {
            Ok((current, store)) => Ok(Some(Self {
                number,
                current,
                store,
            })),
            Err(FileStoreError::InUse { .. }) => Ok(None),
            Err(error) => Err(AuditOpenError::of_store(folder, name, error)),
        }
    }
}

impl Backend {
    /// Opens the log of this process, in the first folder that no other has.
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
    ) -> Result<OpenedAudit<impl Future<Output = ()> + Send + 'static>, AuditOpenError> {
        let all = &config.audit.folder;
        let log_clock: Arc<dyn LogClock> = Arc::new(AuditClock(Arc::clone(clock)));
        for number in 0..MAX_SLOTS {
            let opened = match Slot::take(all, node, number, &log_clock).await {
                Ok(None) => continue,
                Ok(Some(slot)) => {
                    let observer = Arc::clone(&observer);
                    // Its state is large, and would be on the stack of who starts.
                    Box::pin(self.open_slot(config, node, slot, clock, observer)).await
                }
                Err(error) => Err(error),
            };
            match opened {
                Err(error) if refused == RefusedLogs::PassOver && error.is_refused() => {}
                opened => return opened,
            }
        }
        Err(AuditOpenError::NoSlot(all.clone()))
    }

    async fn open_slot(
        &self,
        config: &Config,
        node: AuditNode,
        slot: Slot,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<OpenedAudit<impl Future<Output = ()> + Send + 'static>, AuditOpenError> {
        let log_clock = Arc::new(AuditClock(Arc::clone(clock)));
        let (current, store) = (slot.current, Arc::new(slot.store));
        let sealer = KeyringSealer::new(self.keyring.clone(), Arc::clone(&self.data_keys));
        let origin = node.origin(slot.number, &config.audit.origin)?;
        let name = log_name(&node.name(slot.number));
        let mut builder = Audit::builder(Arc::clone(&store) as _, origin.clone(), name)
            .generation(current.generation().clone())
            .sealer(Arc::new(sealer))
            .observer(observer)
            .clock(Arc::clone(&log_clock) as _);
        let identity = identity(&origin, &current, &config.secrets.audit_keys)?;
        for key in signing_keys(&origin, &config.secrets.audit_keys)? {
            builder = builder.key(key);
        }
        for place in &config.audit.anchors {
            builder = builder.anchor(anchors::at(place, &origin, &self.store));
        }
        let opened = builder.open().await;
        let (audit, writing) = opened.map_err(|error| {
            AuditOpenError::of_log(current.folder(), node.name(slot.number), error)
        })?;
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
        // Its state is large, and would be on the stack of all who pass it on.
        let run = Box::pin(async move {
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
        });
        Ok(OpenedAudit {
            log,
            following,
            run,
        })
    }
}

/// How others know the log that is written: one that follows a rollback has an origin of its own, and the keys too.
fn identity(
    base: &KeyName,
    current: &CurrentLog,
    secrets: &VersionedSecrets,
) -> Result<AuditIdentity, AuditOpenError> {
    let origin = current.generation().origin(base)?;
    let keys = verifying_keys(&origin, secrets)?;
    Ok(AuditIdentity { origin, keys })
}

/// What the log of that origin is verified with.
fn verifying_keys(
    origin: &KeyName,
    secrets: &VersionedSecrets,
) -> Result<Vec<VerifyingKey>, InvalidSeed> {
    let keys = signing_keys(origin, secrets)?;
    Ok(keys.iter().map(|key| key.verifying_key().clone()).collect())
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
