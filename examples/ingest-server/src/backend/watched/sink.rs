//! The way in for groups, whose faults are remembered like those of any other statement.

use async_trait::async_trait;
use portcullis_telemetry::Statement;

use super::watch::Watch;
use crate::{
    clock::Clock,
    store::{Committed, Group, GroupSink, StoreError},
};

/// A sink of the database that is watched. After a fault it takes no group.
#[derive(Debug)]
pub(super) struct WatchedSink {
    pub(super) sink: Box<dyn GroupSink>,
    pub(super) watch: Watch,
}

#[async_trait]
impl GroupSink for WatchedSink {
    async fn commit(&mut self, group: &Group, clock: &dyn Clock) -> Result<Committed, StoreError> {
        self.watch.check()?;
        self.watch.commit(self.sink.commit(group, clock)).await
    }

    async fn try_writing(&mut self) -> Result<(), StoreError> {
        self.watch.check()?;
        let tried = self.sink.try_writing();
        self.watch
            .ask(Statement::Insert, "secret_check", tried)
            .await
    }
}
