//! The suites of both contracts, on files.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use super::*;
use crate::conformance;

/// Stores in files of one folder, each empty.
struct Files {
    folder: tempfile::TempDir,
    count: AtomicU32,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            count: AtomicU32::new(0),
        }
    }

    async fn next(&self) -> Arc<SqliteKeyStore> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.db"));
        let store = SqliteKeyStore::new(pool(&path).await);
        store.migrate().await.unwrap();
        Arc::new(store)
    }
}

async fn pool(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePoolOptions::new().max_connections(4);
    pool.connect_with(options).await.unwrap()
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_a_key_store() {
    let files = Files::new();
    conformance::key_store(async || files.next().await as _).await;
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract_of_a_change_feed() {
    let files = Files::new();
    conformance::change_feed(async || {
        let store = files.next().await;
        (Arc::clone(&store) as _, store as _)
    })
    .await;
}
