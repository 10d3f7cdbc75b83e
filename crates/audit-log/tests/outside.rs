//! What only somebody outside the crate can show: the stores keep their contract through its public interface.

use std::sync::Arc;

use portcullis_audit_log::{conformance, store::MemoryStore};

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    conformance::store(async || Arc::new(MemoryStore::new()) as _).await;
}
