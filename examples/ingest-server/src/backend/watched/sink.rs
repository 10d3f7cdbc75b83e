//! The way in for groups, whose faults are remembered like those of any other statement.

use async_trait::async_trait;

use super::TellsFault as _;
use crate::{
    clock::Clock,
    store::{Committed, FaultLatch, Group, GroupSink, StoreError},
};

/// A sink of the database that the latch belongs to. After a fault it takes no group.
#[derive(Debug)]
pub(super) struct WatchedSink {
    pub(super) sink: Box<dyn GroupSink>,
    pub(super) latch: FaultLatch,
}

impl WatchedSink {
    fn watch(&self, error: &StoreError) {
        if let Some(fault) = error.fault() {
            self.latch.report(fault, error);
        }
    }
}

#[async_trait]
impl GroupSink for WatchedSink {
    async fn commit(&mut self, group: &Group, clock: &dyn Clock) -> Result<Committed, StoreError> {
        self.latch.check()?;
        let outcome = self.sink.commit(group, clock).await;
        match &outcome {
            Ok(Committed {
                audit: Err(error), ..
            })
            | Err(error) => self.watch(error),
            Ok(_) => {}
        }
        outcome
    }

    async fn try_writing(&mut self) -> Result<(), StoreError> {
        self.latch.check()?;
        let outcome = self.sink.try_writing().await;
        outcome.inspect_err(|error| self.watch(error))
    }
}
