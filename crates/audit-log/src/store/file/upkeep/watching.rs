//! Whether the journal is still what was written to it, and what is done where it is not.

use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

use super::Upkeep;
use crate::{
    disk::SystemDisk,
    journal::Journal,
    store::file::{FileEvent, FileStoreError, number_file::ACKNOWLEDGED, watching::first_lost},
};

impl Upkeep {
    /// Looks whether the journal is where it was and as long, and repairs it if it is not. Then it is kept how much was
    /// acknowledged, for the next start.
    pub(super) fn watch(&mut self) {
        if self.acknowledged.is_none() {
            return;
        }
        if let Err(error) = self.repair_if_moved() {
            self.log.tell(&FileEvent::JournalFailed { error: &error });
            return;
        }
        let size = self.log.recent().size();
        let kept = self.keep_acknowledged(size);
        let kept = kept.and_then(|()| self.count_damages());
        if let Err(error) = kept {
            self.log.tell(&FileEvent::UpkeepFailed { error: &error });
        }
    }

    /// Reads the journal as a start would. What it does not have, or has otherwise than it was written, is written to a
    /// new one from memory. Gives the entries that each journal had which was damaged, as far as that is on record.
    pub(super) fn check_journal(&mut self) -> Result<Vec<Range<u64>>, FileStoreError> {
        if self.acknowledged.is_some() {
            self.old.remove()?;
            self.repair_if_moved()?;
            if first_lost(&self.log)?.is_some() {
                self.repair_if_lost()?;
            }
            self.count_damages()?;
        }
        Ok(self.log.damaged.entries()?)
    }

    /// To be called for a log that is written, with what is kept of how much was acknowledged.
    pub(in crate::store::file) fn watch_from(
        &mut self,
        kept: Option<u64>,
    ) -> Result<(), FileStoreError> {
        self.acknowledged = kept;
        let size = self.log.recent().size();
        self.count_damages()?;
        self.keep_acknowledged(size)
    }

    /// How many entries a start must find.
    pub(super) fn keep_acknowledged(&mut self, entries: u64) -> Result<(), FileStoreError> {
        if self.acknowledged != Some(entries) {
            ACKNOWLEDGED.write(&SystemDisk, self.log.folder(), entries)?;
            self.acknowledged = Some(entries);
        }
        Ok(())
    }

    fn repair_if_moved(&mut self) -> Result<(), FileStoreError> {
        let log = Arc::clone(&self.log);
        let mut writer = log.writer.blocking_lock();
        match &writer.journal {
            Some(journal) if journal.is_in_place() => return Ok(()),
            Some(_) => log.tell(&FileEvent::JournalMoved),
            // It failed, and who appends next opens it again, unless it turned out to be damaged.
            None if !writer.is_damaged => return Ok(()),
            None => match writer.reopen_journal(&log) {
                Err(error) if error.is_damaged_journal() => {}
                opened => return opened,
            },
        }
        self.old.clear();
        writer.repair_journal(&log)
    }

    /// Once more, while nobody appends: what somebody was about to append is no damage.
    fn repair_if_lost(&mut self) -> Result<(), FileStoreError> {
        let log = Arc::clone(&self.log);
        let mut writer = log.writer.blocking_lock();
        if !writer.journal.as_ref().is_some_and(Journal::is_in_place) {
            return Ok(());
        }
        if let Some(first) = first_lost(&log)? {
            log.tell(&FileEvent::JournalDamaged { first });
            writer.repair_journal(&log)?;
        }
        Ok(())
    }

    /// Somebody may have taken records away.
    fn count_damages(&self) -> Result<(), FileStoreError> {
        let damages = self.log.damaged.entries()?.len() as u64;
        self.log.damages.store(damages, Ordering::Relaxed);
        Ok(())
    }
}
