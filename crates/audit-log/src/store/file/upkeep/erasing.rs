//! Personal parts that go.

use std::{collections::BTreeSet, sync::Arc};

use super::Upkeep;
use crate::{
    journal::Journal,
    store::{StoreError, file::FileStoreError},
};

impl Upkeep {
    /// Erases the personal parts of some events: from the journal, and then from the files beside, in which they are
    /// found again should the first fail.
    pub(super) fn erase(&mut self, events: &[u64]) -> Result<u64, StoreError> {
        Ok(self.erase_parts(events)?)
    }

    fn erase_parts(&mut self, events: &[u64]) -> Result<u64, FileStoreError> {
        self.take_up(u64::MAX)?;
        self.put_in_place()?;
        self.old.remove()?;
        let log = Arc::clone(&self.log);
        let mut writer = log.writer.blocking_lock();
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
        let is_behind = |journal: &Journal| there.iter().all(|n| *n < journal.first());
        if !writer.journal.as_ref().is_some_and(is_behind) {
            // The tenants' numbers in the segments that go.
            self.tenants.write(&*log.disk, log.folder())?;
            let kept = log.recent().clone();
            log.recent().erase(|n| there.contains(&n));
            if let Err(error) = writer.replace_journal(&log) {
                // So that the next call finds them.
                *log.recent() = kept;
                return Err(error);
            }
            self.old.clear();
        }
        drop(writer);
        log.personal.erase(&there)?;
        Ok(there.len() as u64)
    }
}
