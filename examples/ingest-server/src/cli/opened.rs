//! The database that is configured, for commands that work on it while servers run.

use std::{io, path::PathBuf, sync::Arc};

use tokio::task::JoinHandle;

use super::{
    CliError,
    log_end::{self, LogEnd},
    settings::{Loaded, MissingSecrets, Settings},
};
use crate::{
    admin::{Actor, AdminEvent, AdminObserver, DataKeys, IndexVersions, KeyMaterial},
    audit::{AuditLog, ReasonCodes},
    backend::{
        AuditNode, Backend, Location, MissingPeppers, NamedLogs, NotInPlace, Observers,
        OpenedAudit, RefusedLogs,
    },
    clock::{Clock, SystemClock},
    config::{self, Config},
    lead::UniqueFields,
};

/// An opened database, its audit log, and who works on it.
pub(super) struct Opened {
    pub(super) backend: Backend,
    pub(super) audit: AuditLog,
    pub(super) actor: Actor,
    pub(super) clock: Arc<dyn Clock>,
    /// The file of what was erased.
    pub(super) erasures: PathBuf,
    pub(super) unique_fields: UniqueFields,
    /// What a reason may be.
    pub(super) reason_codes: ReasonCodes,
    /// The audit logs of this machine.
    pub(super) logs: NamedLogs,
    writing: JoinHandle<Result<(), NotInPlace>>,
    following: JoinHandle<()>,
}

/// There is no database to work on.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(
        "there is no database at {}: name its folder with --data-dir or the file with \
         --database-url; `serve` makes a new one",
        .0
    )]
    NoDatabase(String),
    #[error("the database at {location} cannot be reached: {kind}")]
    Unreachable {
        location: String,
        kind: io::ErrorKind,
    },
}

/// The command's own output and exit code tell its caller what was done, and the audit log
/// anyone who asks later.
#[derive(Debug)]
pub(super) struct Unobserved;

impl AdminObserver for Unobserved {
    fn observe(&self, _: &AdminEvent<'_>) {}
}

/// A database that is reached, before a log is opened for what is done there.
pub(super) struct Reached {
    pub(super) backend: Backend,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) logs: NamedLogs,
    config: Config,
}

impl Reached {
    /// Opens the database that is there.
    pub(super) async fn open(
        settings: &Settings,
        missing_peppers: MissingPeppers,
    ) -> Result<Self, CliError> {
        require_database(settings)?;
        let Loaded {
            config, services, ..
        } = settings.load(MissingSecrets::Report).await?;
        let observers = Observers::default();
        let backend = Backend::open(&config, &services, observers, missing_peppers).await?;
        Ok(Self {
            backend,
            clock: Arc::new(SystemClock),
            logs: NamedLogs::new(&config),
            config,
        })
    }

    /// Opens a log of its own.
    pub(super) async fn audited(self, refused: RefusedLogs) -> Result<Opened, CliError> {
        let Self {
            backend,
            clock,
            logs,
            config,
        } = self;
        let (node, observer) = (AuditNode::CommandLine, Arc::new(LogEnd));
        let opening = backend.open_audit(&config, node, refused, &clock, observer);
        let OpenedAudit { log, run, .. } = opening.await?;
        let writing = tokio::spawn(run);
        let following = tokio::spawn(backend.index_roots.follow());
        let user = rustix::process::getuid().as_raw();
        Ok(Opened {
            backend,
            audit: log,
            actor: Actor::CommandLine { user },
            clock,
            logs,
            erasures: config.erasures,
            unique_fields: config.unique_lead_fields,
            reason_codes: config.audit.reasons,
            writing,
            following,
        })
    }
}

impl Opened {
    /// Opens the database that is there, and a log of its own.
    pub(super) async fn open(
        settings: &Settings,
        missing_peppers: MissingPeppers,
    ) -> Result<Self, CliError> {
        let reached = Reached::open(settings, missing_peppers).await?;
        reached.audited(RefusedLogs::Refuse).await
    }

    /// The use cases on data keys.
    pub(super) fn data_keys(&self) -> DataKeys {
        let clock = Arc::clone(&self.clock);
        DataKeys::standalone(self.keys(), clock, self.audit.clone(), Arc::new(Unobserved))
    }

    /// The use cases on index versions.
    pub(super) fn index(&self) -> IndexVersions {
        let store = Arc::clone(&self.backend.store);
        let clock = Arc::clone(&self.clock);
        let audit = self.audit.clone();
        IndexVersions::standalone(self.keys(), store, clock, audit, Arc::new(Unobserved))
    }

    fn keys(&self) -> KeyMaterial {
        let Backend {
            keyring,
            data_keys,
            kek,
            store,
            index_roots,
            ..
        } = &self.backend;
        KeyMaterial {
            keyring: keyring.clone(),
            store: Arc::clone(data_keys),
            kek: Arc::clone(kek),
            sweeps: Arc::clone(store) as _,
            secrets: Arc::clone(store),
            index_roots: index_roots.clone(),
        }
    }

    /// Closes it when everything is written. Nobody can add to the audit log any more by then.
    pub(super) async fn close(self) {
        self.following.abort();
        drop(self.audit);
        // A panic is told by the runtime.
        if let Ok(Err(error)) = self.writing.await {
            log_end::tell(&error);
        }
        self.backend.connections().close().await;
    }
}

/// Opening a database that is not there would make one, and bind these secrets to it.
fn require_database(settings: &Settings) -> Result<(), OpenError> {
    let sources = settings.sources();
    let Some(database) = config::database(&sources) else {
        return Ok(());
    };
    let location = Location::new(&database);
    match location.exists() {
        Ok(true) => Ok(()),
        Ok(false) => Err(OpenError::NoDatabase(location.to_string())),
        Err(error) => Err(OpenError::Unreachable {
            location: location.to_string(),
            kind: error.kind(),
        }),
    }
}
