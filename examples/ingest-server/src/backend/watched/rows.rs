//! Rows with personal data, whose faults are remembered like those of any other statement.

use std::{error::Error as _, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use portcullis_keyring::{TenantId, sweep::Cursor};
use portcullis_pii_crypto::{
    AnyPii,
    reencrypt::{IndexWrite, RowChange, RowError, RowOutcome, Scope, SealedRow, SealedRows},
};

use super::TellsFault as _;
use crate::store::{FaultLatch, StoreError};

/// Rows of the database that the latch belongs to. After a fault they are read, and written no more.
#[derive(Debug)]
pub(super) struct WatchedRows {
    pub(super) rows: Arc<dyn SealedRows>,
    pub(super) latch: FaultLatch,
}

impl WatchedRows {
    fn check(&self) -> Result<(), RowError> {
        let checked = self.latch.check();
        checked.map_err(|fault| RowError::new(self.rows.table(), StoreError::from(fault)))
    }

    fn watch<R>(&self, outcome: Result<R, RowError>) -> Result<R, RowError> {
        if let Err(error) = &outcome
            && let Some(error) = error
                .source()
                .and_then(|it| it.downcast_ref::<StoreError>())
            && let Some(fault) = error.fault()
        {
            self.latch.report(fault, error);
        }
        outcome
    }
}

#[async_trait]
impl SealedRows for WatchedRows {
    fn table(&self) -> &str {
        self.rows.table()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        self.watch(self.rows.count(scope).await)
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        self.watch(self.rows.page(scope, after, limit).await)
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        self.check()?;
        self.watch(self.rows.apply(changes).await)
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        self.rows.index(tenant, field, value)
    }

    fn is_indexed(&self) -> bool {
        self.rows.is_indexed()
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        self.watch(self.rows.cursor(sweep).await)
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        self.check()?;
        self.watch(self.rows.set_cursor(sweep, cursor).await)
    }
}
