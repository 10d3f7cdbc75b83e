//! Faults of the database after which nothing more is written to it, and who learns of them.

use std::{
    error::Error,
    fmt::Debug,
    sync::{Arc, OnceLock},
};

/// What is wrong with the database itself. It does not go away while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DatabaseFault {
    /// Pages of it hold what was never written to them.
    #[error("{}", self.action())]
    Corrupt,
    /// What lies at its path is not what was opened, or only a piece of it.
    #[error("{}", self.action())]
    NotTheSame,
    /// What SQLite keeps beside it and has not put into it yet is at no path any more.
    #[error("{}", self.action())]
    LogNotTheSame,
}

impl DatabaseFault {
    /// What happened, and what to do.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::Corrupt => "the database is damaged: stop the service and restore a backup",
            Self::NotTheSame => {
                "the database file was removed, replaced or truncated: stop the service, put the \
                 file back or restore a backup"
            }
            Self::LogNotTheSame => {
                "the `-wal` or `-shm` file beside the database was removed or replaced: stop the \
                 service with SIGTERM, which saves what it held, and start it again"
            }
        }
    }
}

/// Is told of faults.
pub(crate) trait FaultObserver: Debug + Send + Sync {
    /// Called each time one is met.
    fn observe(&self, event: &FaultEvent<'_>);
}

/// A statement met a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultEvent<'a> {
    pub(crate) fault: DatabaseFault,
    /// Whether it is the first since the start.
    pub(crate) is_first: bool,
    pub(crate) cause: &'a (dyn Error + 'static),
}

/// Remembers the first fault until the process ends.
#[derive(Debug, Clone)]
pub(crate) struct FaultLatch {
    first: Arc<OnceLock<DatabaseFault>>,
    observer: Option<Arc<dyn FaultObserver>>,
}

impl FaultLatch {
    pub(crate) fn new(observer: Option<Arc<dyn FaultObserver>>) -> Self {
        Self {
            first: Arc::default(),
            observer,
        }
    }

    /// Remembers a fault, and tells of it.
    pub(crate) fn report(&self, fault: DatabaseFault, cause: &(dyn Error + 'static)) {
        let is_first = self.first.set(fault).is_ok();
        if let Some(observer) = &self.observer {
            observer.observe(&FaultEvent {
                fault,
                is_first,
                cause,
            });
        }
    }

    /// Refuses if there was a fault.
    pub(crate) fn check(&self) -> Result<(), DatabaseFault> {
        self.first.get().map_or(Ok(()), |fault| Err(*fault))
    }
}
