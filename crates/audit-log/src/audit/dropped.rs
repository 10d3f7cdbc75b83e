//! What was dropped, until it is told in the log itself.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::event::Action;

/// Counts of dropped events, by action. Actions are constants of the program, so that there are few.
#[derive(Debug, Default)]
pub(super) struct Dropped(Mutex<BTreeMap<Action, u64>>);

impl Dropped {
    pub(super) fn add(&self, action: Action, count: u64) {
        *self.counts().entry(action).or_default() += count;
    }

    /// All counts, which are 0 then.
    pub(super) fn take(&self) -> BTreeMap<Action, u64> {
        std::mem::take(&mut self.counts())
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<Action, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
