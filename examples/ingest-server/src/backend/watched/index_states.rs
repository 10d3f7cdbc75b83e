//! The phases of index versions, whose faults are remembered like those of any other statement.

use std::{error::Error as _, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use portcullis_pii_crypto::{
    IndexState, IndexVersion,
    index_rotation::{IndexStates, IndexStatesError, Replaced},
};

use super::TellsFault as _;
use crate::store::{FaultLatch, StoreError};

/// Those of the database that the latch belongs to. After a fault they are read, and written no more.
#[derive(Debug)]
pub(super) struct WatchedIndexStates {
    pub(super) states: Arc<dyn IndexStates>,
    pub(super) latch: FaultLatch,
}

impl WatchedIndexStates {
    fn check(&self) -> Result<(), IndexStatesError> {
        let checked = self.latch.check();
        checked.map_err(|fault| IndexStatesError::new(StoreError::from(fault)))
    }

    fn watch<R>(&self, outcome: Result<R, IndexStatesError>) -> Result<R, IndexStatesError> {
        if let Err(error) = &outcome
            && let Some(error) = error
                .source()
                .and_then(|it| it.downcast_ref::<StoreError>())
            && let Some(fault) = error.fault()
        {
            self.latch.report(fault, error);
        }
        outcome
    }
}

#[async_trait]
impl IndexStates for WatchedIndexStates {
    async fn read(&self) -> Result<IndexState, IndexStatesError> {
        self.watch(self.states.read().await)
    }

    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError> {
        self.check()?;
        self.watch(self.states.replace(expected, new).await)
    }

    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        self.watch(self.states.differences(enforced, written).await)
    }

    async fn copy_columns(
        &self,
        version: IndexVersion,
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.check()?;
        self.watch(self.states.copy_columns(version, limit).await)
    }

    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.check()?;
        self.watch(self.states.delete_others(live, limit).await)
    }
}
