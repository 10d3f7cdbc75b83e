//! A transaction that gives its connection back only when it is known to have ended.
//!
//! `keyring` and `dq-metrics` do not depend on each other for it: `scripts/tidy` keeps the copies the same.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};

/// Each statement sees what was committed before it. By the default of the database, a role or a pool it may be another
/// level, at which a statement that has waited for somebody sees what was there before.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A transaction whose connection returns to the pool after a commit or a rollback that succeeded.
///
/// In every other case it is closed: a statement or the commit failed, or the caller was dropped half-way. `sqlx`
/// gives back the connection of a `BEGIN` whose caller was dropped as if it had not begun, and what others of the pool
/// write there next is in a transaction that nobody commits.
#[derive(Debug)]
pub(super) struct WriteTransaction {
    connection: PoolConnection<Postgres>,
    has_ended: bool,
}

impl WriteTransaction {
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, sqlx::Error> {
        // Before the statement: that of a caller who is dropped meanwhile may have been executed.
        let mut transaction = Self {
            connection: pool.acquire().await?,
            has_ended: false,
        };
        transaction.run(BEGIN).await?;
        Ok(transaction)
    }

    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await?;
        self.has_ended = true;
        Ok(())
    }

    pub(super) async fn rollback(mut self) -> Result<(), sqlx::Error> {
        self.run("ROLLBACK").await?;
        self.has_ended = true;
        Ok(())
    }

    /// Without a prepared statement.
    async fn run(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        let statement = sqlx::raw_sql(statement);
        statement.execute(&mut *self.connection).await?;
        Ok(())
    }
}

impl Deref for WriteTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
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
