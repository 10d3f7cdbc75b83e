//! A group of which nobody knows whether it is in the log.

use super::queued::Queued;
use crate::{
    store::{Group, LogState},
    tree::TreeHash,
};

/// What is known of it: where it would stand, and its events that nobody was told of.
#[derive(Debug)]
pub(super) struct Doubt {
    first: u64,
    size_after: u64,
    root_after: TreeHash,
    events: Vec<Queued>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Doubted {
    Written(Vec<Queued>),
    NotWritten(Vec<Queued>),
    /// Another process has written since.
    Unknown(Vec<Queued>),
}

impl Doubt {
    pub(super) fn new(group: &Group, events: Vec<Queued>) -> Self {
        Self {
            first: group.first(),
            size_after: group.edge_after().size(),
            root_after: group.edge_after().root(),
            events,
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Queued> {
        self.events.iter()
    }

    /// By the state that the log has now.
    pub(super) fn settle(self, state: &LogState) -> Doubted {
        let size = state.edge().size();
        if size == self.first {
            Doubted::NotWritten(self.events)
        } else if size == self.size_after && state.edge().root() == self.root_after {
            Doubted::Written(self.events)
        } else {
            Doubted::Unknown(self.events)
        }
    }
}
