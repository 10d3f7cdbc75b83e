//! The segments of the journal: the next is made, and old ones go, while others append.

use std::sync::{Arc, atomic::Ordering};

use super::Upkeep;
use crate::{
    journal::{Frame, Journal},
    store::file::{FileEvent, FileStoreError, log::JOURNAL},
};

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

    /// Looks whether the journal is where it was and as long, and opens it again if it is not. What it then has may be
    /// damaged: all that is in no bundle is in memory too, and is written to a new one.
    pub(super) fn watch(&mut self) {
        let log = Arc::clone(&self.log);
        let mut writer = log.writer.blocking_lock();
        if writer.journal.as_ref().is_none_or(Journal::is_in_place) {
            return;
        }
        log.tell(&FileEvent::JournalMoved);
        log.damages.fetch_add(1, Ordering::Relaxed);
        self.old.clear();
        let reopened = writer.reopen_journal(&log);
        let is_whole = writer.journal.as_ref().is_some_and(Journal::is_in_place);
        let done = match reopened {
            Ok(()) if is_whole => Ok(()),
            Err(error) if !error.is_damaged_journal() => Err(error),
            _ => writer.write_journal_again(&log),
        };
        if let Err(error) = done {
            log.tell(&FileEvent::JournalFailed { error: &error });
        }
    }

    /// Reads the journal as a start would. What it does not have, or has otherwise than it was written, is written to a
    /// new one from memory. Gives the first entry of that.
    pub(super) fn check_journal(&mut self) -> Result<Option<u64>, FileStoreError> {
        let log = Arc::clone(&self.log);
        let mut writer = log.writer.blocking_lock();
        if writer.journal.is_none() {
            // Closed after a failure; opened again, it is read.
            return Ok(None);
        }
        self.old.remove()?;
        let known = log.recent().clone();
        let mut memory = known.groups().flat_map(|group| group.entries()).peekable();
        let mut other = None;
        let each = |frame: &Frame<'_>| {
            for (n, entry) in (frame.first()..).zip(frame.entries()) {
                while memory.next_if(|(of, _)| *of < n).is_some() {}
                let same = memory.next_if(|(of, _)| *of == n);
                if same.is_some_and(|(_, known)| known != entry) {
                    other.get_or_insert(n);
                }
            }
        };
        let looked = Journal::look(&log.path_of(JOURNAL), known.edge.clone(), each);
        let lost = match looked.map_err(FileStoreError::from) {
            Ok(size) => other.or_else(|| (size < known.size()).then_some(size)),
            Err(error) if error.is_damaged_journal() => Some(known.in_place),
            Err(error) => return Err(error),
        };
        if let Some(first) = lost {
            log.tell(&FileEvent::JournalDamaged { first });
            log.damages.fetch_add(1, Ordering::Relaxed);
            writer.write_journal_again(&log)?;
        }
        Ok(lost)
    }
}
