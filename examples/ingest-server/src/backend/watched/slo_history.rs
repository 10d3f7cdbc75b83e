//! The history of objectives, whose faults are remembered like those of any other statement.

use async_trait::async_trait;
use portcullis_telemetry::Statement;

use super::Watched;
use crate::store::{SloBucket, SloHistory, SloQuery, SloSum, Slot, StoreError};

/// Its table, as `docs/formats.md` names it.
const BUCKETS: &str = "slo_bucket";

#[async_trait]
impl SloHistory for Watched<dyn SloHistory> {
    async fn put(&self, buckets: &[SloBucket]) -> Result<(), StoreError> {
        self.watch.check()?;
        self.watch
            .ask(Statement::Insert, BUCKETS, self.store.put(buckets))
            .await
    }

    async fn sums(&self, query: &SloQuery) -> Result<Vec<SloSum>, StoreError> {
        self.watch
            .ask(Statement::Select, BUCKETS, self.store.sums(query))
            .await
    }

    async fn prune(&self, slos: &[&'static str], before: Slot) -> Result<u64, StoreError> {
        self.watch.check()?;
        self.watch
            .ask(Statement::Delete, BUCKETS, self.store.prune(slos, before))
            .await
    }
}
