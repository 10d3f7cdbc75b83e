//! How far the archive of the log has come.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use crate::clock::Clock;

/// What the archive has, and how long the rest has been waiting. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct ArchiveGauge {
    place: Arc<str>,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

/// How an archive does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArchiveState {
    /// Where it is.
    pub(crate) place: Arc<str>,
    /// How many entries of the log are there or were pruned before, as far as is known since the start.
    pub(crate) entries: u64,
    /// For how long the oldest entry has been waiting that is not there.
    pub(crate) lag: Duration,
    /// When it last had all.
    pub(crate) filled_at: Option<SystemTime>,
    /// Attempts since the start that failed.
    pub(crate) failures: u64,
}

#[derive(Debug, Default)]
struct State {
    entries: u64,
    /// When the oldest entry was recorded that is not there.
    waiting: Option<SystemTime>,
    filled_at: Option<SystemTime>,
    failures: u64,
}

impl ArchiveGauge {
    /// Of an archive at a place.
    pub(crate) fn new(place: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            place: place.into(),
            clock,
            state: Arc::default(),
        }
    }

    /// It has so many entries now, and all there were.
    pub(crate) fn filled(&self, entries: u64) {
        let now = self.clock.wall().into();
        let mut state = self.locked();
        state.entries = entries;
        state.waiting = None;
        state.filled_at = Some(now);
    }

    /// It could not be filled.
    pub(crate) fn failed(&self) {
        self.locked().failures += 1;
    }

    /// It has so many entries, and the next one was recorded then.
    pub(crate) fn waits(&self, entries: u64, since: Option<SystemTime>) {
        let mut state = self.locked();
        state.entries = entries;
        state.waiting = since;
    }

    /// Whether it is known since when something waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.locked().waiting.is_some()
    }

    pub(crate) fn now(&self) -> ArchiveState {
        let now: SystemTime = self.clock.wall().into();
        let state = self.locked();
        let lag = state
            .waiting
            .map(|since| now.duration_since(since).unwrap_or_default());
        ArchiveState {
            place: Arc::clone(&self.place),
            entries: state.entries,
            lag: lag.unwrap_or_default(),
            filled_at: state.filled_at,
            failures: state.failures,
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
