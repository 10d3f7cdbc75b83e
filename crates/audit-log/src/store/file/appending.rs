//! A log that is taken, for one group.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::{sync::OwnedMutexGuard, task};

use super::{log::Log, recent::RecentGroup, writer::Writer};
use crate::{
    event::Id,
    store::{Appending, Group, LogState, StoreError},
};

#[derive(Debug)]
pub(super) struct Taken {
    log: Arc<Log>,
    writer: OwnedMutexGuard<Writer>,
    state: LogState,
}

impl Taken {
    pub(super) fn new(log: Arc<Log>, writer: OwnedMutexGuard<Writer>, tenants: &[Id]) -> Self {
        Self {
            state: writer.state_of(tenants),
            log,
            writer,
        }
    }
}

#[async_trait]
impl Appending for Taken {
    fn state(&self) -> LogState {
        self.state.clone()
    }

    async fn commit(self: Box<Self>, group: &Group) -> Result<(), StoreError> {
        let Self {
            log, mut writer, ..
        } = *self;
        let expected = writer.edge.size();
        if group.first() != expected {
            return Err(StoreError::OtherGroup { expected });
        }
        if group.is_empty() {
            return Ok(());
        }
        let (appended, after) = (RecentGroup::of(group), group.after().clone());
        // It ends there, also if nobody waits for it any more.
        let done = task::spawn_blocking(move || writer.commit(appended, &after, &log));
        Ok(done.await.map_err(StoreError::unavailable)??)
    }
}
