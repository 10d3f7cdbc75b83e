//! What is said to SQLite in its own way.

use std::ops::{Deref, DerefMut};

use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use super::{transaction::WriteTransaction, turn};
use crate::store::{
    StoreError,
    sql::{Dialect, GroupRows},
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

    // A transaction has the write lock from its start.
    const TAKE_LOG: &'static str = "SELECT size, first, root FROM audit_log";
    const TAKE_CHECKPOINT: &'static str = "SELECT size FROM audit_checkpoint";

    const PART: &'static str = "SELECT sealed FROM audit_personal WHERE n = $1 AND is_erased = 0";

    async fn begin(pool: &SqlitePool) -> Result<SqliteTransaction, StoreError> {
        Ok(SqliteTransaction(turn::begin(pool).await?))
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
            StoreError::damaged(error)
        } else {
            StoreError::unavailable(error)
        }
    }

    async fn insert(
        connection: &mut SqliteConnection,
        rows: &GroupRows,
    ) -> Result<(), sqlx::Error> {
        let event = "INSERT INTO audit_event (n, time, tenant, actor, action, outcome, leaf)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let term = "INSERT INTO audit_term (n, kind, value) VALUES ($1, $2, $3)";
        for row in &rows.events {
            let index = &row.index;
            let insert = sqlx::query(event)
                .bind(row.n)
                .bind(index.time.cast_signed())
                .bind(&index.tenant)
                .bind(&index.actor)
                .bind(&index.action)
                .bind(&index.outcome)
                .bind(&row.leaf);
            insert.execute(&mut *connection).await?;
            for (kind, value) in &index.terms {
                let insert = sqlx::query(term).bind(row.n).bind(kind).bind(value);
                insert.execute(&mut *connection).await?;
            }
        }
        let part = "INSERT INTO audit_personal (n, sealed) VALUES ($1, $2)";
        for (n, sealed) in &rows.parts {
            let insert = sqlx::query(part).bind(n).bind(sealed);
            insert.execute(&mut *connection).await?;
        }
        Ok(())
    }
}
