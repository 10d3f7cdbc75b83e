//! The memory implementation keeps the contract of its trait.

use std::sync::Arc;

use super::*;
use crate::conformance::{IndexTables, index_states};

#[async_trait]
impl IndexTables for MemoryIndex {
    fn states(&self) -> &dyn IndexStates {
        self
    }

    async fn insert(&self, record: u32, values: &[IndexWrite]) {
        let values: Vec<_> = values
            .iter()
            .map(|write| ("lead.email", write.clone()))
            .collect();
        self.set(&tenant(), &record.to_string(), &values)
            .expect("nobody has it");
    }

    async fn versions(&self, record: u32) -> Vec<IndexVersion> {
        let versions = self.versions(&tenant(), &record.to_string());
        versions.into_iter().collect()
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    index_states(async || Arc::new(MemoryIndex::new()) as _).await;
}

fn tenant() -> TenantId {
    TenantId::new("t").expect("a name")
}
