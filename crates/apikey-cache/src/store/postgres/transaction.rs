//! A write transaction that gives its connection back only when it is known to have ended, and in whose way nobody
//! stands for long.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};

/// Each statement sees what was committed before it, whatever the default of the server, a role or the pool is.
///
/// What those say of the times stands. Where they say nothing, nobody waits for a lock longer than 5 s; and a
/// process that stops in the middle, or is cut off, keeps its locks for 3 s, and so holds nobody up for longer than
/// that. What was answered is on disk, or one that reads the outbox would have seen numbers that are given out again
/// after a crash.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL READ COMMITTED; \
    SELECT set_config('lock_timeout', '5s', true) WHERE current_setting('lock_timeout') = '0'; \
    SELECT set_config('idle_in_transaction_session_timeout', '3s', true) \
        WHERE current_setting('idle_in_transaction_session_timeout') = '0'; \
    SELECT set_config('synchronous_commit', 'local', true) \
        WHERE current_setting('synchronous_commit') = 'off'";

/// Tables are made and altered, by one process at a time; the others wait as long as that takes.
const BEGIN_MIGRATION: &str = "\
    BEGIN ISOLATION LEVEL READ COMMITTED; \
    SELECT pg_advisory_xact_lock(hashtextextended('apikey_cache_migrations', 0))";

/// What only finds out whether it could write does not wait long for those who do.
const BEGIN_TRIAL: &str = "\
    BEGIN ISOLATION LEVEL READ COMMITTED; \
    SET LOCAL lock_timeout = '1s'; \
    SET LOCAL idle_in_transaction_session_timeout = '3s'";

/// A transaction whose connection returns to the pool after a commit or a rollback that succeeded.
///
/// In every other case it is closed: a statement or the commit failed, or the caller was dropped half-way. `sqlx`
/// gives back the connection of a `BEGIN` whose caller was dropped as if it had not begun, and the one who uses it next
/// writes into a transaction that nobody commits.
#[derive(Debug)]
pub(in crate::store) struct WriteTransaction {
    connection: PoolConnection<Postgres>,
    has_ended: bool,
}

impl WriteTransaction {
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Self::begin_with(pool, BEGIN).await
    }

    pub(super) async fn begin_migration(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Self::begin_with(pool, BEGIN_MIGRATION).await
    }

    pub(super) async fn begin_trial(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Self::begin_with(pool, BEGIN_TRIAL).await
    }

    async fn begin_with(pool: &PgPool, statements: &'static str) -> Result<Self, sqlx::Error> {
        // Before the statements: those of a caller who is dropped meanwhile may have been executed.
        let mut transaction = Self {
            connection: pool.acquire().await?,
            has_ended: false,
        };
        transaction.run(statements).await?;
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

    /// In one round trip, and without a prepared statement.
    async fn run(&mut self, statements: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statements)
            .execute(&mut *self.connection)
            .await?;
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
