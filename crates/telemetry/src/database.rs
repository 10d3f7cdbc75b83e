//! Client spans of databases and key-value stores, without a value or a statement in them.

mod durations;
mod failure;
mod span;
mod statement;

use std::{fmt, sync::Arc};

use tracing::{Span, field::Empty, info_span};

use crate::clock::{Clock, SystemClock};

pub use self::{
    durations::DatabaseDurations, failure::DatabaseFailure, span::DatabaseSpan,
    statement::Statement,
};

/// A database as its client sees it: makes the span of each statement after the OpenTelemetry
/// semantic conventions for database clients.
///
/// A span says which database was asked (`db.system.name`, `db.namespace`, `server.address`,
/// `server.port`), what for (`db.operation.name`, `db.collection.name`) and what came of it
/// (`error.type`, `db.response.status_code`, `db.response.returned_rows`, the span's status).
/// `db.query.text` and `db.query.parameter.*` are left out: they are what personal data travels in.
///
/// ```
/// use portcullis_telemetry::{Database, Statement};
///
/// # #[derive(Debug)] struct Busy;
/// # fn insert() -> Result<(), Busy> { Ok(()) }
/// let database = Database::new("sqlite", "leads");
/// let inserted = database
///     .span(Statement::Insert, Some("lead"))
///     .run(insert, |_busy| "busy");
/// assert!(inserted.is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Database {
    target: Arc<DatabaseTarget>,
    durations: Option<DatabaseDurations>,
    clock: Arc<dyn Clock>,
}

/// What all spans of a database have in common.
pub(crate) struct DatabaseTarget {
    system: &'static str,
    namespace: Option<Box<str>>,
    server: Option<(Box<str>, u16)>,
}

impl Database {
    /// The database `namespace` of a system that the conventions name `system`: `sqlite`,
    /// `postgresql`, `redis`. The namespace is the operator's name for it (of Redis, the number of the
    /// database), never a tenant's; an empty one is left out.
    #[must_use]
    pub fn new(system: &'static str, namespace: &str) -> Self {
        Self {
            target: Arc::new(DatabaseTarget {
                system,
                namespace: (!namespace.is_empty()).then(|| namespace.into()),
                server: None,
            }),
            durations: None,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// The server that is asked, as the configuration names it.
    #[must_use]
    pub fn with_server(self, address: &str, port: u16) -> Self {
        let target = DatabaseTarget {
            system: self.target.system,
            namespace: self.target.namespace.clone(),
            server: Some((address.into(), port)),
        };
        Self {
            target: Arc::new(target),
            ..self
        }
    }

    /// Where the duration of each statement is observed.
    #[must_use]
    pub fn with_durations(mut self, durations: &DatabaseDurations) -> Self {
        self.durations = Some(durations.clone());
        self
    }

    /// The time that durations are measured with.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The span of a statement that begins now, in the span that the code runs in.
    ///
    /// `collection` is the table it is about, if it is about one. Both are text of the program, so that
    /// they are few whatever is stored.
    pub fn span(&self, statement: Statement, collection: Option<&'static str>) -> DatabaseSpan {
        let span = self.target.span(statement, collection);
        DatabaseSpan::new(self, span, statement, collection)
    }
}

impl DatabaseTarget {
    fn span(&self, statement: Statement, collection: Option<&'static str>) -> Span {
        let operation = statement.operation();
        // The conventions: the operation and what it is about, or what is known of the two.
        let about = collection.or(self.namespace.as_deref());
        let name = match (operation, about) {
            (Some(operation), Some(about)) => format!("{operation} {about}"),
            (Some(known), None) | (None, Some(known)) => known.to_owned(),
            (None, None) => self.system.to_owned(),
        };
        let server = self.server.as_ref();
        info_span!(
            "db.client",
            otel.name = name,
            otel.kind = "client",
            otel.status_code = Empty,
            db.system.name = self.system,
            db.namespace = self.namespace.as_deref(),
            db.operation.name = operation,
            db.collection.name = collection,
            db.response.status_code = Empty,
            db.response.returned_rows = Empty,
            server.address = server.map(|(address, _)| &**address),
            server.port = server.map(|(_, port)| *port),
            "error.type" = Empty,
        )
    }
}

impl fmt::Debug for DatabaseTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseTarget")
            .field("system", &self.system)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
