//! What is said to SQLite in its own way.

use std::ops::{Deref, DerefMut};

use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use super::{transaction::WriteTransaction, turn};
use crate::store::{
    StoreError,
    sql::{Dialect, GroupRows, many_rows},
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
        let events = "INSERT INTO audit_event (n, time, tenant, actor, action, outcome, leaf) ";
        many_rows::insert::<Self, _>(connection, [events, ""], &rows.events, |row, event| {
            let index = &event.index;
            row.push_bind(event.n).push_bind(index.time.cast_signed());
            row.push_bind(&index.tenant).push_bind(&index.actor);
            row.push_bind(&index.action).push_bind(&index.outcome);
            row.push_bind(&event.leaf);
        })
        .await?;
        let terms = "INSERT INTO audit_term (n, kind, value) ";
        let of_events = rows.events.iter().flat_map(|event| {
            let terms = event.index.terms.iter();
            terms.map(|(kind, value)| (event.n, kind, value))
        });
        let of_events: Vec<_> = of_events.collect();
        many_rows::insert::<Self, _>(connection, [terms, ""], &of_events, |row, term| {
            let (n, kind, value) = *term;
            row.push_bind(n).push_bind(kind).push_bind(value);
        })
        .await?;
        let parts = "INSERT INTO audit_personal (n, sealed) ";
        many_rows::insert::<Self, _>(connection, [parts, ""], &rows.parts, |row, part| {
            let (n, sealed) = part;
            row.push_bind(*n).push_bind(sealed);
        })
        .await
    }
}
