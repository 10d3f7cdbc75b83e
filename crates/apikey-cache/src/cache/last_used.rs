//! Remembers which keys were used, to be written later and together.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{kid::Kid, store::UnixMillis};

/// Keys remembered at most; of the others the next load reminds.
const KEYS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct LastUsed {
    dates: Mutex<HashMap<Kid, UnixMillis>>,
}

impl LastUsed {
    pub(super) fn note(&self, kid: Kid, date: UnixMillis) {
        let mut dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        if dates.len() < KEYS || dates.contains_key(&kid) {
            dates.insert(kid, date);
        }
    }

    /// What was noted since the last call.
    pub(super) fn take(&self) -> Vec<(Kid, UnixMillis)> {
        let mut dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        dates.drain().collect()
    }
}
