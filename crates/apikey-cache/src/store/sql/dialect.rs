//! What each SQL database says in its own way.

use std::ops::DerefMut;

use sqlx::{Database, Pool};

use super::row::SqlRow;
use crate::{
    kid::Kid,
    store::{StoreError, UnixMillis},
};

/// A database that can have the tables of keys.
pub(in crate::store) trait Dialect: Database<Row: SqlRow> {
    /// One in which no other changes what it has read or written before it has ended.
    type Transaction: DerefMut<Target = Self::Connection> + Send;

    /// Appends a kind, kid, version, tenant and date to the outbox; gives the number as `seq`. Changes are numbered
    /// in the order in which they are committed.
    const APPEND: &'static str;

    /// The last number given out, as `seq`.
    const HEAD: &'static str;

    /// The tenant of this name, or else one like it, as `tenant`: by indexes alone.
    const TENANT_ALIKE: &'static str;

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

    /// How many rows a statement changed.
    fn changed(outcome: &Self::QueryResult) -> u64;

    /// Stores when keys were last used, by one statement that looks each of them up.
    fn update_last_used(
        pool: &Pool<Self>,
        uses: &[(Kid, UnixMillis)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
