//! What is kept of every statement: its span, how long it took, and the fault that it tells of.

use std::error::Error;

use portcullis_apikey_cache::store as apikey_store;
use portcullis_keyring::store::{self as keyring_store, ChangeError, InsertError};
use portcullis_telemetry::{Database, DatabaseDurations, DatabaseSpan, Statement};

use crate::store::{DatabaseFault, FaultLatch, StoreError};

/// One for a database, whatever its stores are.
#[derive(Debug, Clone)]
pub(in crate::backend) struct Watch {
    latch: FaultLatch,
    database: Database,
}

/// As the semantic conventions name it, and the one that a process has.
const SYSTEM: &str = "sqlite";
const NAMESPACE: &str = "ingest";

impl Watch {
    /// Durations are observed where there is something to observe them with.
    pub(in crate::backend) fn new(
        latch: FaultLatch,
        durations: Option<&DatabaseDurations>,
    ) -> Self {
        let database = Database::new(SYSTEM, NAMESPACE);
        let database = match durations {
            Some(durations) => database.with_durations(durations),
            None => database,
        };
        Self { latch, database }
    }

    /// Refuses what writes, after a fault.
    pub(super) fn check(&self) -> Result<(), DatabaseFault> {
        self.latch.check()
    }

    /// Waits for an answer in the span of its statement, passes it on, and remembers the fault it tells of.
    pub(super) async fn ask<R, E: TellsFault>(
        &self,
        statement: Statement,
        table: &'static str,
        answer: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        let span = self.database.span(statement, Some(table));
        self.outcome(span, answer).await
    }

    /// The same for a transaction, whose statements are of many kinds.
    pub(super) async fn commit<R, E: TellsFault>(
        &self,
        transaction: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        let span = self.database.span(Statement::Commit, None);
        self.outcome(span, transaction).await
    }

    async fn outcome<R, E: TellsFault>(
        &self,
        span: DatabaseSpan,
        answer: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        let answer = span.run_async(answer, TellsFault::kind).await;
        answer.inspect_err(|error| self.note(error))
    }

    /// Remembers a fault that is told of.
    pub(super) fn note(&self, error: &impl TellsFault) {
        if let Some(fault) = error.fault() {
            self.latch.report(fault, error);
        }
    }
}

/// An error that may tell of a fault.
pub(super) trait TellsFault: Error + 'static {
    fn fault(&self) -> Option<DatabaseFault>;

    /// In one word, for `error.type`.
    fn kind(&self) -> &'static str;
}

impl TellsFault for StoreError {
    fn fault(&self) -> Option<DatabaseFault> {
        match self {
            Self::Corrupt(_) => Some(DatabaseFault::Corrupt),
            Self::Fault(fault) => Some(*fault),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Corrupt(_) | Self::Malformed(_) => "corrupt",
            Self::Fault(_) | Self::Emptied { .. } => "fault",
            Self::Late => "late",
            _ => "unavailable",
        }
    }
}

impl TellsFault for keyring_store::StoreError {
    fn fault(&self) -> Option<DatabaseFault> {
        matches!(self, Self::Corrupt(_)).then_some(DatabaseFault::Corrupt)
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "corrupt",
            _ => "unavailable",
        }
    }
}

impl TellsFault for InsertError {
    fn fault(&self) -> Option<DatabaseFault> {
        match self {
            Self::Store(error) => error.fault(),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            _ => "refused",
        }
    }
}

impl TellsFault for ChangeError {
    fn fault(&self) -> Option<DatabaseFault> {
        match self {
            Self::Store(error) => error.fault(),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            _ => "refused",
        }
    }
}

impl TellsFault for apikey_store::StoreError {
    fn fault(&self) -> Option<DatabaseFault> {
        matches!(self, Self::Corrupt(_)).then_some(DatabaseFault::Corrupt)
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "corrupt",
            _ => "unavailable",
        }
    }
}
