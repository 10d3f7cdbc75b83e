//! The table of the example, read in other ways.

use std::num::NonZeroU32;

use async_trait::async_trait;
use portcullis_keyring::{TenantId, sweep::Cursor};
use portcullis_pii_crypto::{
    AnyPii, IndexValue,
    reencrypt::{IndexWrite, RowChange, RowError, RowOutcome, Scope, SealedRow, SealedRows},
};
use sqlx::SqlitePool;

use super::customers::Customers;

/// The table, read in another way.
#[derive(Debug)]
pub(crate) struct Read {
    customers: Customers,
    how: How,
}

#[derive(Debug)]
enum How {
    /// As if only the keys told the kinds of its fields, as events are read.
    Untyped,
    /// With the index values that are stored.
    Indexed(SqlitePool),
}

impl Read {
    pub(crate) const fn untyped(customers: Customers) -> Self {
        Self {
            customers,
            how: How::Untyped,
        }
    }

    pub(crate) const fn indexed(customers: Customers, pool: SqlitePool) -> Self {
        Self {
            customers,
            how: How::Indexed(pool),
        }
    }
}

async fn indexed(pool: &SqlitePool, row: SealedRow) -> Result<SealedRow, RowError> {
    let select = "SELECT value FROM customer_index WHERE customer = ?";
    let select = sqlx::query_scalar::<_, IndexValue>(select).bind(row.at.as_str());
    let values = select.fetch_all(pool).await;
    let values = values.map_err(|error| RowError::new("customer", error))?;
    let write = |value| (0, IndexWrite::new("identity", value));
    Ok(row.with_indexed(values.into_iter().map(write).collect()))
}

#[async_trait]
impl SealedRows for Read {
    fn table(&self) -> &str {
        self.customers.table()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        self.customers.count(scope).await
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        let mut page = self.customers.page(scope, after, limit).await?;
        match &self.how {
            How::Untyped => {
                for field in page.iter_mut().flat_map(|row| &mut row.fields) {
                    field.kind = None;
                }
                Ok(page)
            }
            How::Indexed(pool) => {
                let mut rows = Vec::new();
                for row in page {
                    rows.push(indexed(pool, row).await?);
                }
                Ok(rows)
            }
        }
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        self.customers.apply(changes).await
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        self.customers.index(tenant, field, value)
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        self.customers.cursor(sweep).await
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        self.customers.set_cursor(sweep, cursor).await
    }
}
