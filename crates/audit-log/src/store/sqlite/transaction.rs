//! A write transaction that gives its connection back only when it is known to have ended.
//!
//! `keyring`, `apikey-cache` and `dq-metrics` do not depend on each other for it: `scripts/tidy` keeps the
//! copies the same.

use std::ops::{Deref, DerefMut};

use sqlx::{Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};

/// A transaction that holds the write lock from its start, so that what it reads stays true.
///
/// Its connection returns to the pool after a commit or a rollback that succeeded, and is closed in
/// every other case: a statement or the commit failed, or the caller was dropped half-way. After a
/// failure nobody knows whether SQLite has rolled back (it does so by itself on a full disk and on
/// most I/O errors, and then refuses `ROLLBACK`), and a connection that is thought to be inside a
/// transaction refuses every later one. Closing it ends whatever it was in.
///
/// The statements are plain ones: `sqlx::Transaction` counts how deep it is, and a `ROLLBACK` that
/// SQLite refuses leaves its count wrong for good.
#[derive(Debug)]
pub(super) struct WriteTransaction {
    connection: PoolConnection<Sqlite>,
    has_ended: bool,
}

impl WriteTransaction {
    pub(super) async fn begin(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        // Before the statement: one whose caller is dropped meanwhile may have been executed.
        let mut transaction = Self {
            connection: pool.acquire().await?,
            has_ended: false,
        };
        transaction.run("BEGIN IMMEDIATE").await?;
        Ok(transaction)
    }

    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await?;
        self.has_ended = true;
        Ok(())
    }

    /// Takes back what was done, of a transaction in which nothing failed.
    pub(super) async fn rollback(mut self) -> Result<(), sqlx::Error> {
        self.run("ROLLBACK").await?;
        self.has_ended = true;
        Ok(())
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(statement)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

impl Deref for WriteTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests;
