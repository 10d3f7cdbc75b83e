//! Personal parts that go.

use std::{collections::BTreeSet, sync::Arc};

use super::Upkeep;
use crate::store::{StoreError, file::FileStoreError};

impl Upkeep {
    /// Erases the personal parts of some events: from the journal, and then from the files beside, in which they are
    /// found again should the first fail.
    pub(super) fn erase(&mut self, events: &[u64]) -> Result<u64, StoreError> {
        Ok(self.erase_parts(events)?)
    }

    fn erase_parts(&mut self, events: &[u64]) -> Result<u64, FileStoreError> {
        self.settle_replaced()?;
        self.take_up(u64::MAX)?;
        self.put_in_place()?;
        self.old.remove()?;
        let log = Arc::clone(&self.log);
        let mut there = BTreeSet::new();
        for n in events {
            let is_in_memory = log.recent().groups().any(|group| group.part(*n).is_some());
            if is_in_memory || log.personal.has(*n)? {
                there.insert(*n);
            }
        }
        if there.is_empty() {
            return Ok(0);
        }
        if !self.is_behind(|n| there.iter().all(|of| *of < n)) {
            // Of what is damaged, there is a record when it goes.
            self.check_journal()?;
            self.replace_journal(|n| there.contains(&n))?;
        }
        log.damaged
            .forget(|entries| there.range(entries.clone()).next().is_some())?;
        log.personal.erase(&there)?;
        Ok(there.len() as u64)
    }

    /// Whether what is before the first entry of the journal is all that is meant.
    pub(super) fn is_behind(&self, is_all_before: impl Fn(u64) -> bool) -> bool {
        let writer = self.log.writer.blocking_lock();
        let journal = writer.journal.as_ref();
        journal.is_some_and(|journal| is_all_before(journal.first()))
    }
}
