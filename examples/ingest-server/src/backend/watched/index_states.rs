//! The phases of index versions, whose faults are remembered like those of any other statement.

use std::{error::Error as _, num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use portcullis_pii_crypto::{
    IndexState, IndexVersion,
    index_rotation::{IndexStates, IndexStatesError, Replaced},
};
use portcullis_telemetry::Statement;

use super::watch::{TellsFault, Watch};
use crate::store::{DatabaseFault, StoreError};

/// Those of the database that is watched. After a fault they are read, and written no more.
#[derive(Debug)]
pub(super) struct WatchedIndexStates {
    pub(super) states: Arc<dyn IndexStates>,
    pub(super) watch: Watch,
}

impl WatchedIndexStates {
    fn check(&self) -> Result<(), IndexStatesError> {
        let checked = self.watch.check();
        checked.map_err(|fault| IndexStatesError::new(StoreError::from(fault)))
    }
}

impl TellsFault for IndexStatesError {
    fn fault(&self) -> Option<DatabaseFault> {
        store_error(self)?.fault()
    }

    fn kind(&self) -> &'static str {
        store_error(self).map_or("unavailable", TellsFault::kind)
    }
}

fn store_error(error: &IndexStatesError) -> Option<&StoreError> {
    error.source()?.downcast_ref()
}

#[async_trait]
impl IndexStates for WatchedIndexStates {
    async fn read(&self) -> Result<IndexState, IndexStatesError> {
        self.watch
            .ask(Statement::Select, "index_state", self.states.read())
            .await
    }

    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Update,
                "index_state",
                self.states.replace(expected, new),
            )
            .await
    }

    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        self.watch
            .ask(
                Statement::Select,
                "lead_index",
                self.states.differences(enforced, written),
            )
            .await
    }

    async fn copy_columns(
        &self,
        version: IndexVersion,
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Update,
                "lead",
                self.states.copy_columns(version, limit),
            )
            .await
    }

    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.check()?;
        self.watch
            .ask(
                Statement::Delete,
                "lead_index",
                self.states.delete_others(live, limit),
            )
            .await
    }
}
