//! What the suite needs of a table beside its rows: to be its application.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use portcullis_keyring::TenantId;

use crate::{
    AnyPii, PiiKind, Sealed,
    reencrypt::{RowError, SealedRows},
};

/// A table for the suite, empty at first, with what its application does to it.
#[async_trait]
pub trait TestTable: fmt::Debug + Send + Sync {
    /// The rows as a sweep sees them.
    fn rows(&self) -> Arc<dyn SealedRows>;

    /// A field of the table, by its logical name, and its kind; of an indexed kind if the table is
    /// indexed.
    fn field(&self) -> (String, PiiKind);

    /// The record id of the row that has this number: another for each, in any order.
    fn record(&self, row: u32) -> String;

    /// Stores a sealed value in the field of a row as the application does, with the key that it needs
    /// and without index values: in a new row, or in the place of what the row has.
    ///
    /// # Errors
    /// [`RowError`].
    async fn store(
        &self,
        tenant: &TenantId,
        row: u32,
        value: &Sealed<AnyPii>,
    ) -> Result<(), RowError>;

    /// The sealed value in the field of a row.
    ///
    /// # Errors
    /// [`RowError`].
    async fn stored(&self, tenant: &TenantId, row: u32)
    -> Result<Option<Sealed<AnyPii>>, RowError>;

    /// Removes a row, as the application does.
    ///
    /// # Errors
    /// [`RowError`].
    async fn remove(&self, tenant: &TenantId, row: u32) -> Result<(), RowError>;

    /// Stores plaintext in the field of a row, as the application did before the field was sealed; whether
    /// the table has plaintext. By default it has none.
    ///
    /// # Errors
    /// [`RowError`].
    async fn store_plain(
        &self,
        tenant: &TenantId,
        row: u32,
        value: &str,
    ) -> Result<bool, RowError> {
        let _ = (tenant, row, value);
        Ok(false)
    }
}
