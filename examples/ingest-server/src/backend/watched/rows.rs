//! Rows with personal data, whose faults are remembered like those of any other statement.

use std::{error::Error as _, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use portcullis_keyring::{TenantId, sweep::Cursor};
use portcullis_pii_crypto::{
    AnyPii,
    reencrypt::{IndexWrite, RowChange, RowError, RowOutcome, Scope, SealedRow, SealedRows},
};
use portcullis_telemetry::Statement;

use super::watch::{TellsFault, Watch};
use crate::store::{DatabaseFault, StoreError};

/// Rows of the database that is watched. After a fault they are read, and written no more.
#[derive(Debug)]
pub(super) struct WatchedRows {
    pub(super) rows: Arc<dyn SealedRows>,
    pub(super) watch: Watch,
}

impl WatchedRows {
    /// As a label: there are no others.
    fn watched_table(&self) -> &'static str {
        match self.rows.table() {
            "lead" => "lead",
            _ => "event",
        }
    }

    fn check(&self) -> Result<(), RowError> {
        let checked = self.watch.check();
        checked.map_err(|fault| RowError::new(self.rows.table(), StoreError::from(fault)))
    }
}

impl TellsFault for RowError {
    fn fault(&self) -> Option<DatabaseFault> {
        store_error(self)?.fault()
    }

    fn kind(&self) -> &'static str {
        store_error(self).map_or("unavailable", TellsFault::kind)
    }
}

fn store_error(error: &RowError) -> Option<&StoreError> {
    error.source()?.downcast_ref()
}

#[async_trait]
impl SealedRows for WatchedRows {
    fn table(&self) -> &str {
        self.rows.table()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        self.watch
            .ask(
                Statement::Select,
                self.watched_table(),
                self.rows.count(scope),
            )
            .await
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        self.watch
            .ask(
                Statement::Select,
                self.watched_table(),
                self.rows.page(scope, after, limit),
            )
            .await
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Update,
                self.watched_table(),
                self.rows.apply(changes),
            )
            .await
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        self.rows.index(tenant, field, value)
    }

    fn is_indexed(&self) -> bool {
        self.rows.is_indexed()
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        self.watch
            .ask(Statement::Select, "sweep_cursor", self.rows.cursor(sweep))
            .await
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Insert,
                "sweep_cursor",
                self.rows.set_cursor(sweep, cursor),
            )
            .await
    }
}
