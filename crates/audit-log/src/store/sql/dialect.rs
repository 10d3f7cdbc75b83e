//! What each SQL database says in its own way.

use std::{fmt::Debug, ops::DerefMut};

use sqlx::{Database, Pool};

use super::{GroupRows, row::SqlRow};
use crate::store::StoreError;

/// A database that can have the tables of a log.
pub(in crate::store) trait Dialect: Database<Row: SqlRow> {
    /// One that sees what was committed before it took something.
    type Transaction: DerefMut<Target = Self::Connection> + Debug + Send;

    /// Reads the row of the log, and takes it until the transaction ends.
    const TAKE_LOG: &'static str;

    /// Reads the row of the checkpoint, and takes it likewise.
    const TAKE_CHECKPOINT: &'static str;

    /// Reads what is sealed beside a leaf, if it is not erased.
    const PART: &'static str;

    fn begin(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Result<Self::Transaction, StoreError>> + Send;

    fn commit(
        transaction: Self::Transaction,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn rollback(
        transaction: Self::Transaction,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What an error means.
    fn failed(error: sqlx::Error) -> StoreError;

    /// Inserts leaves, their terms and their personal parts.
    fn insert(
        connection: &mut Self::Connection,
        rows: &GroupRows,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}
