//! The segments of the journal: the next is made, and old ones go, while others append.

use super::Upkeep;
use crate::{journal::Journal, store::file::FileStoreError};

impl Upkeep {
    /// Makes the next segment, if half of the current one is used.
    pub(super) fn prepare(&self) -> Result<(), FileStoreError> {
        let next = {
            let writer = self.log.writer.blocking_lock();
            writer.journal.as_ref().and_then(Journal::next_segment)
        };
        let Some(next) = next else {
            return Ok(());
        };
        let made = next.make()?;
        match &mut self.log.writer.blocking_lock().journal {
            Some(journal) => Ok(journal.provide(made)?),
            // Opened again, it removes what it does not know.
            None => Ok(()),
        }
    }

    /// Drops segments whose entries are in place. Before that, the tenants' numbers are written that follow from them.
    pub(super) fn drop_segments(&mut self) -> Result<(), FileStoreError> {
        self.old.remove()?;
        let size = self.tenants.size;
        let has_old = |journal: &Journal| journal.has_before(size);
        let writer = self.log.writer.blocking_lock();
        if !writer.journal.as_ref().is_some_and(has_old) {
            return Ok(());
        }
        drop(writer);
        self.tenants.write(&*self.log.disk, self.log.folder())?;
        if let Some(journal) = &mut self.log.writer.blocking_lock().journal {
            journal.let_go_before(size, &mut self.old);
        }
        Ok(self.old.remove()?)
    }
}
