//! A statement that is running.

use std::{fmt, pin::pin, sync::Arc, task::Poll, time::Duration};

use tracing::Span;

use super::{Database, DatabaseDurations, DatabaseFailure, DatabaseTarget, Statement};
use crate::clock::Clock;

/// A statement that is running, from [`Database::span`] to its outcome.
///
/// One that is dropped before has the outcome `cancelled`, or `panic` while its thread unwinds.
#[must_use = "a statement that is dropped counts as cancelled"]
pub struct DatabaseSpan {
    span: Span,
    target: Arc<DatabaseTarget>,
    statement: Statement,
    collection: Option<&'static str>,
    durations: Option<DatabaseDurations>,
    clock: Arc<dyn Clock>,
    started: Duration,
    has_ended: bool,
}

impl DatabaseSpan {
    pub(super) fn new(
        database: &Database,
        span: Span,
        statement: Statement,
        collection: Option<&'static str>,
    ) -> Self {
        Self {
            span,
            target: Arc::clone(&database.target),
            statement,
            collection,
            durations: database.durations.clone(),
            started: database.clock.monotonic(),
            clock: Arc::clone(&database.clock),
            has_ended: false,
        }
    }

    /// The span itself, to enter it or to name it as a parent.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// How many rows came back.
    pub fn returned_rows(&self, rows: u64) {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        self.span.record("db.response.returned_rows", rows);
    }

    /// Runs the statement in the span and takes its outcome; `failure` says in few words how it failed,
    /// as a [`DatabaseFailure`] or as the text of its kind.
    ///
    /// # Errors
    /// What the statement failed with, as it came.
    pub fn run<T, E, F: Into<DatabaseFailure>>(
        self,
        statement: impl FnOnce() -> Result<T, E>,
        failure: impl FnOnce(&E) -> F,
    ) -> Result<T, E> {
        let outcome = self.span.in_scope(statement);
        self.end(outcome.as_ref().err().map(failure));
        outcome
    }

    /// Waits for the statement in the span and takes its outcome, as [`run`](Self::run) does.
    ///
    /// # Errors
    /// What the statement failed with, as it came.
    pub async fn run_async<T, E, F: Into<DatabaseFailure>>(
        self,
        statement: impl Future<Output = Result<T, E>>,
        failure: impl FnOnce(&E) -> F,
    ) -> Result<T, E> {
        let mut statement = pin!(statement);
        let outcome = std::future::poll_fn(|context| -> Poll<Result<T, E>> {
            self.span.in_scope(|| statement.as_mut().poll(context))
        })
        .await;
        self.end(outcome.as_ref().err().map(failure));
        outcome
    }

    /// The statement was carried out, or failed so.
    pub fn end(mut self, failure: Option<impl Into<DatabaseFailure>>) {
        self.close(failure.map(Into::into));
    }

    fn close(&mut self, failure: Option<DatabaseFailure>) {
        self.has_ended = true;
        if let Some(failure) = &failure {
            self.span.record("error.type", failure.kind);
            self.span.record("otel.status_code", "error");
            if let Some(code) = failure.status_code.as_deref() {
                self.span.record("db.response.status_code", code);
            }
        }
        if let Some(durations) = &self.durations {
            let took = self.clock.monotonic().saturating_sub(self.started);
            let error = failure.map(|failure| failure.kind);
            // Inside the span, which the duration's exemplar names.
            self.span.in_scope(|| {
                durations.observe(&self.target, self.statement, self.collection, error, took);
            });
        }
    }
}

impl Drop for DatabaseSpan {
    fn drop(&mut self) {
        if !self.has_ended {
            let panics = std::thread::panicking();
            let kind = if panics { "panic" } else { "cancelled" };
            self.close(Some(DatabaseFailure::new(kind)));
        }
    }
}

impl fmt::Debug for DatabaseSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseSpan")
            .field("target", &self.target)
            .field("statement", &self.statement)
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}
