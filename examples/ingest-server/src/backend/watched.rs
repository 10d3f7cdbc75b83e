//! Stores whose faults are remembered: what one statement finds wrong with the database holds for
//! all of them.

mod api_keys;
mod data_keys;
mod index_states;
mod quality_history;
mod rows;
mod sink;
mod slo_history;
mod store;
mod sweeping;
mod watch;

use std::{error::Error, sync::Arc};

use super::outages::Outages;
use crate::store::sqlite::WriteTurns;

pub(super) use self::watch::Watch;

/// A store on the database that is watched. After a fault it reads, and writes no more. API keys
/// are written beside the writer of groups, and so in turn; the store of data keys sees to its turns itself.
#[derive(Debug)]
pub(super) struct Watched<T: ?Sized> {
    store: Arc<T>,
    watch: Watch,
    turns: WriteTurns,
    /// Of API keys alone: all else is told to who asks for it.
    outages: Outages,
}

impl<T: ?Sized> Watched<T> {
    pub(super) fn new(store: Arc<T>, watch: &Watch, turns: WriteTurns) -> Self {
        Self {
            store,
            watch: watch.clone(),
            turns,
            outages: Outages::new(tell_outage),
        }
    }
}

/// Of what the cache of API keys asks for; what an operator asks for is told to the operator.
fn tell_outage(task: &'static str, cause: Option<&(dyn Error + 'static)>) {
    match cause {
        Some(error) => tracing::warn!(task, error, "the API keys' store failed"),
        None => tracing::info!(task, "the API keys' store does its work again"),
    }
}
