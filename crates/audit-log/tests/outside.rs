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
