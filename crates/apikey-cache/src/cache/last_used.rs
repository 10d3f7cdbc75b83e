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

    /// How many are to be written.
    pub(super) fn len(&self) -> usize {
        let dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        dates.len()
    }

    /// Some of those that are to be written. They stay so until [`written`](Self::written).
    pub(super) fn some(&self, at_most: usize) -> Vec<(Kid, UnixMillis)> {
        let dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        let dates = dates.iter().take(at_most);
        dates.map(|(kid, date)| (*kid, *date)).collect()
    }

    /// These are written, but for keys that have been used again since.
    pub(super) fn written(&self, uses: &[(Kid, UnixMillis)]) {
        let mut dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        for (kid, date) in uses {
            if dates.get(kid) == Some(date) {
                dates.remove(kid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_used_while_its_date_is_written_is_written_again() {
        let uses = LastUsed::default();
        let kid: Kid = "0123456789AB08HB5DldTJ".parse().unwrap();
        uses.note(kid, UnixMillis::new(1));
        let written = uses.some(10);
        assert_eq!(written, [(kid, UnixMillis::new(1))]);
        uses.note(kid, UnixMillis::new(2));
        uses.written(&written);
        assert_eq!(uses.some(10), [(kid, UnixMillis::new(2))]);
        uses.written(&uses.some(10));
        assert_eq!(uses.len(), 0);
    }
}
