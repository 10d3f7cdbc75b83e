//! A group of which nobody knows whether it is in the log.

use std::num::NonZeroUsize;

use super::queued::Queued;
use crate::{
    store::{Group, LogState, Store, StoreError},
    tree::TreeHash,
};

/// What is known of it: where it would stand, and its events that nobody was told of.
#[derive(Debug)]
pub(super) struct Doubt {
    first: u64,
    size_after: u64,
    root_after: TreeHash,
    first_leaf: Vec<u8>,
    events: Vec<Queued>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Doubted {
    Written(Vec<Queued>),
    NotWritten(Vec<Queued>),
    /// What stands in its place is pruned.
    Unknown(Vec<Queued>),
}

impl Doubt {
    pub(super) fn new(group: &Group, events: Vec<Queued>) -> Self {
        let first_leaf = group.entries().next().map(|entry| entry.leaf.to_vec());
        Self {
            first: group.first(),
            size_after: group.edge_after().size(),
            root_after: group.edge_after().root(),
            first_leaf: first_leaf.unwrap_or_default(),
            events,
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Queued> {
        self.events.iter()
    }

    pub(super) fn into_events(self) -> Vec<Queued> {
        self.events
    }

    /// By the state that the log has when it is taken next; the doubt itself if another process has written since.
    pub(super) fn settle(self, state: &LogState) -> Result<Doubted, Self> {
        let size = state.edge().size();
        if size == self.first {
            Ok(Doubted::NotWritten(self.events))
        } else if size == self.size_after && state.edge().root() == self.root_after {
            Ok(Doubted::Written(self.events))
        } else {
            Err(self)
        }
    }

    /// Whether it is in the log, by the leaf that stands in its place: nobody else writes one of the same id. `None` if
    /// that was pruned.
    pub(super) async fn is_written(&self, store: &dyn Store) -> Result<Option<bool>, StoreError> {
        match store.entries(self.first, NonZeroUsize::MIN).await {
            Ok(batch) => {
                let there = batch.iter().next().map(|(_, leaf)| leaf == self.first_leaf);
                Ok(Some(there.unwrap_or(false)))
            }
            Err(StoreError::Pruned { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// By what [`is_written`](Self::is_written) said.
    pub(super) fn decided(self, is_written: Option<bool>) -> Doubted {
        match is_written {
            Some(true) => Doubted::Written(self.events),
            Some(false) => Doubted::NotWritten(self.events),
            None => Doubted::Unknown(self.events),
        }
    }
}
