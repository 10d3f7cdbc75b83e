//! What is said to SQLite in its own way.

use std::ops::{Deref, DerefMut};

use sqlx::{Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteQueryResult};

use super::transaction::WriteTransaction;
use crate::{
    kid::Kid,
    store::{StoreError, UnixMillis, sql::Dialect},
};

/// A [`WriteTransaction`] that the tables may know.
#[derive(Debug)]
pub(in crate::store) struct SqliteTransaction(WriteTransaction);

impl Deref for SqliteTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0
    }
}

impl DerefMut for SqliteTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

impl Dialect for Sqlite {
    type Transaction = SqliteTransaction;

    const APPEND: &'static str = "\
        INSERT INTO apikey_cache_outbox (kind, kid, version, tenant, at) \
        VALUES ($1, $2, $3, $4, $5) RETURNING seq";

    const HEAD: &'static str = "\
        SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'apikey_cache_outbox'), 0) AS seq";

    /// Each half ends at the first entry of an index, however many keys a tenant has.
    const TENANT_ALIKE: &'static str = "\
        SELECT * FROM (SELECT tenant FROM apikey_cache_api_key WHERE tenant = $1 LIMIT 1) \
        UNION ALL \
        SELECT * FROM (SELECT tenant FROM apikey_cache_api_key WHERE tenant = $1 COLLATE NOCASE LIMIT 1) \
        LIMIT 1";

    async fn begin(pool: &SqlitePool) -> Result<SqliteTransaction, StoreError> {
        let transaction = WriteTransaction::begin(pool).await;
        transaction.map(SqliteTransaction).map_err(Self::failed)
    }

    async fn commit(transaction: SqliteTransaction) -> Result<(), StoreError> {
        transaction.0.commit().await.map_err(Self::failed)
    }

    async fn rollback(transaction: SqliteTransaction) -> Result<(), StoreError> {
        transaction.0.rollback().await.map_err(Self::failed)
    }

    fn failed(error: sqlx::Error) -> StoreError {
        /// `SQLITE_CORRUPT` and `SQLITE_NOTADB`; their extended codes share the low byte.
        const DAMAGED: [i32; 2] = [11, 26];
        let code = error
            .as_database_error()
            .and_then(|error| error.code()?.parse::<i32>().ok());
        if code.is_some_and(|code| DAMAGED.contains(&(code & 0xff))) {
            StoreError::Corrupt(error.into())
        } else {
            StoreError::unavailable(error)
        }
    }

    fn changed(outcome: &SqliteQueryResult) -> u64 {
        outcome.rows_affected()
    }

    async fn update_last_used(
        pool: &SqlitePool,
        uses: &[(Kid, UnixMillis)],
    ) -> Result<(), StoreError> {
        // Made before the lock is taken. Nothing in a kid has to be escaped.
        let uses = uses.iter();
        let uses = uses.map(|(kid, date)| format!("[\"{}\",{}]", kid.as_str(), date.value()));
        let uses = format!("[{}]", uses.collect::<Vec<_>>().join(","));
        let mut transaction = Self::begin(pool).await?;
        let update = sqlx::query(UPDATE_LAST_USED).bind(uses);
        let updated = update.execute(&mut *transaction).await;
        updated.map_err(Self::failed)?;
        Self::commit(transaction).await
    }
}

/// One statement for all, which looks each of them up.
pub(super) const UPDATE_LAST_USED: &str = "\
    UPDATE apikey_cache_api_key SET last_used = used.at \
    FROM (SELECT value ->> 0 AS kid, max(value ->> 1) AS at FROM json_each(?1) GROUP BY 1) AS used \
    WHERE apikey_cache_api_key.kid = used.kid AND (last_used IS NULL OR last_used < used.at)";
