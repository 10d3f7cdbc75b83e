//! How the file is opened, and its schema brought up to date, while other processes do the same.

use std::{borrow::Cow, io, path::Path, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    failure::{self, Failure},
    log::CHECKPOINT_PAGES,
    transaction::WriteTransaction,
};
use crate::{files, store::StoreError};

/// How long a statement waits for another process's transaction while the database is opened.
pub(super) const OPENING_TIMEOUT: Duration = Duration::from_secs(5);

/// How often an opening step that SQLite refuses at once is tried again, and how far apart.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Migrations need no transaction of their own.
const IN_TRANSACTION: bool = true;

const MIGRATIONS: [(i64, &str, &str); 8] = [
    (
        1,
        "events and leads",
        include_str!("../../../migrations/sqlite/0001_events_and_leads.sql"),
    ),
    (
        2,
        "audit and limits",
        include_str!("../../../migrations/sqlite/0002_audit_and_limits.sql"),
    ),
    (
        3,
        "detection policy",
        include_str!("../../../migrations/sqlite/0003_detection_policy.sql"),
    ),
    (
        4,
        "fewer pages a row",
        include_str!("../../../migrations/sqlite/0004_fewer_pages_a_row.sql"),
    ),
    (
        5,
        "sweeps and erasure",
        include_str!("../../../migrations/sqlite/0005_sweeps_and_erasure.sql"),
    ),
    (
        6,
        "first use of secrets",
        include_str!("../../../migrations/sqlite/0006_first_use_of_secrets.sql"),
    ),
    (
        7,
        "audit anchors",
        include_str!("../../../migrations/sqlite/0007_audit_anchors.sql"),
    ),
    (
        8,
        "slo buckets",
        include_str!("../../../migrations/sqlite/0008_slo_buckets.sql"),
    ),
];

/// Acknowledged means durable, so every commit is synced; deleted values are overwritten.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(OPENING_TIMEOUT)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        // Each connection that commits may be the one that puts the log into the file.
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
}

/// Makes the file if there is none, for the owner alone; what SQLite puts beside it is as the file.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    match files::create_new(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::Unavailable(error.into()))
        }
        _ => Ok(()),
    }
}

/// The journal mode is a property of the file; SQLite does not
/// wait for a lock to change it.
pub(super) async fn switch_to_wal(options: &SqliteConnectOptions) -> Result<(), Failure> {
    let options = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let mut attempt = 1;
    loop {
        let error = match options.connect().await {
            Ok(connection) => return Ok(connection.close().await?),
            Err(error) => error,
        };
        if attempt == ATTEMPTS || !is_busy(&error) {
            return Err(error.into());
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Runs what has not run yet. The write lock makes processes that start together take turns.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), Failure> {
    let migrations = MIGRATIONS.into_iter().map(|(version, description, sql)| {
        let sql = sql.into_sql_str();
        Migration::new(
            version,
            Cow::Borrowed(description),
            MigrationType::Simple,
            sql,
            IN_TRANSACTION,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(SCHEMA_MIGRATIONS);
    let mut tx = WriteTransaction::begin(pool).await?;
    let migrated = migrator.run_direct(None, &mut *tx, false).await;
    migrated.map_err(|error| StoreError::Migrate(error.into()))?;
    tx.commit().await?;
    Ok(())
}

/// Refuses a SQLite through which erased rows could not be shredded. What is missing is a flag of its build, which
/// the configuration of the workspace gives.
pub(super) async fn check_build(pool: &SqlitePool) -> Result<(), Failure> {
    let is_there = "SELECT EXISTS (SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_dbpage')";
    if sqlx::query_scalar(is_there).fetch_one(pool).await? {
        return Ok(());
    }
    let error = "SQLite was built without SQLITE_ENABLE_DBPAGE_VTAB: build within the workspace, or set \
                 LIBSQLITE3_FLAGS as its .cargo/config.toml does";
    Err(StoreError::Unavailable(error.into()).into())
}

/// Of which version a schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    /// There is none.
    None,
    /// Of an earlier version, to be migrated.
    Earlier,
    /// Of this version, or of a later one.
    Present,
}

/// The schema that is there.
pub(super) async fn schema(pool: &SqlitePool) -> Result<Schema, Failure> {
    let table = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)";
    let table = sqlx::query_scalar(table).bind(SCHEMA_MIGRATIONS);
    if !table.fetch_one(pool).await? {
        return Ok(Schema::None);
    }
    let version = "SELECT max(version) FROM schema_migrations";
    let version: Option<i64> = sqlx::query_scalar(version).fetch_one(pool).await?;
    let newest = MIGRATIONS.into_iter().map(|(version, ..)| version).max();
    Ok(if version < newest {
        Schema::Earlier
    } else {
        Schema::Present
    })
}

const SCHEMA_MIGRATIONS: &str = "schema_migrations";

fn is_busy(error: &sqlx::Error) -> bool {
    failure::code(error) == Some(failure::BUSY)
}
