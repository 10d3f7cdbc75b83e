//! A log in SQLite: several processes, what is erased, what is changed by somebody, a database that is locked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changed;
mod erased;
#[cfg(unix)]
mod shared;
#[cfg(unix)]
#[path = "../support/shared_checks.rs"]
mod shared_checks;
#[path = "../support/shared_log.rs"]
mod shared_log;
mod tables;
#[cfg(unix)]
#[path = "../support/writers.rs"]
mod writers;

use std::{path::Path, time::Duration};

use portcullis_audit_log::store::SqliteStore;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

const FILE: &str = "audit.db";

fn options(folder: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(folder.join(FILE))
        .create_if_missing(true)
        .busy_timeout(Duration::from_millis(20))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
}

fn pool(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(4)
        .connect_lazy_with(options)
}

async fn open(folder: &Path) -> SqliteStore {
    let store = SqliteStore::new(pool(options(folder)));
    store.migrate().await.unwrap();
    store
}

/// The part of a process that a test has started.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    if let Some(folder) = writers::place() {
        let store = open(Path::new(&folder)).await;
        writers::record_all(std::sync::Arc::new(store)).await;
    }
}
