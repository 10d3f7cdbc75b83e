//! Columns, read as what they must be.

use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::store::StoreError;

/// A column holds what was never written there.
#[derive(Debug, thiserror::Error)]
#[error("the column `{0}` of the audit log has what was never written there")]
pub(super) struct WrongColumn(&'static str);

/// A row whose columns are numbers, texts and bytes.
pub(in crate::store) trait SqlRow: Row {
    fn number(&self, column: &'static str) -> Result<u64, StoreError>;
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError>;
}

impl<R: Row> SqlRow for R
where
    for<'a> &'a str: ColumnIndex<R>,
    for<'a> String: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> Option<String>: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> i64: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> Vec<u8>: Decode<'a, R::Database> + Type<R::Database>,
{
    fn number(&self, column: &'static str) -> Result<u64, StoreError> {
        let found: Option<i64> = self.try_get(column).ok();
        found
            .and_then(|number| u64::try_from(number).ok())
            .ok_or_else(|| StoreError::damaged(WrongColumn(column)))
    }

    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        let found = self.try_get(column);
        found.map_err(|_| StoreError::damaged(WrongColumn(column)))
    }

    fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        let found = self.try_get(column);
        found.map_err(|_| StoreError::damaged(WrongColumn(column)))
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        let found = self.try_get(column);
        found.map_err(|_| StoreError::damaged(WrongColumn(column)))
    }
}
