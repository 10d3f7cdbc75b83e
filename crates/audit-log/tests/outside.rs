//! What only somebody outside the crate can show: the stores keep their contract through its public interface.

use std::sync::Arc;

use portcullis_audit_log::{conformance, store::MemoryStore};

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    conformance::store(async || Arc::new(MemoryStore::new()) as _).await;
}

/// Each log in a folder of its own, which goes with the process.
#[cfg(unix)]
#[tokio::test]
async fn the_store_in_files_keeps_the_contract() {
    use portcullis_audit_log::store::FileStore;
    let dir = tempfile::TempDir::new().unwrap();
    let number = std::cell::Cell::new(0);
    conformance::store(async || {
        let folder = dir
            .path()
            .join(number.replace(number.get() + 1).to_string());
        Arc::new(FileStore::builder(&folder).open().await.unwrap()) as _
    })
    .await;
}

/// Each log in a file of its own, which goes with the process.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_store_in_sqlite_keeps_the_contract() {
    use portcullis_audit_log::store::SqliteStore;
    use sqlx::sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
    };

    let dir = tempfile::TempDir::new().unwrap();
    let number = std::cell::Cell::new(0);
    conformance::store(async || {
        let file = number.replace(number.get() + 1).to_string();
        let options = SqliteConnectOptions::new()
            .filename(dir.path().join(file))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON");
        let store = SqliteStore::new(SqlitePoolOptions::new().connect_lazy_with(options));
        store.migrate().await.unwrap();
        Arc::new(store) as _
    })
    .await;
}
