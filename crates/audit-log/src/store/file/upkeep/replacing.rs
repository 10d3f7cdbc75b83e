//! A journal without what is to go, in the place of one that has it.

use std::sync::Arc;

use super::Upkeep;
use crate::{
    journal::{Journal, Replacement},
    store::file::{FileStoreError, log::JOURNAL, replacing::Replacing},
};

/// How often what was appended meanwhile is taken over before others have to wait for the rest, and how many bytes are
/// few enough for that at once.
const PASSES: usize = 8;
const FEW_BYTES: usize = 256 * 1024;

impl Upkeep {
    /// Removes what a replacement left that failed.
    pub(super) fn settle_replaced(&self) -> Result<(), FileStoreError> {
        let folder = self.log.path_of(JOURNAL);
        Replacement::remove_draft(&folder)?;
        let _writer = self.log.writer.blocking_lock();
        Ok(Journal::settle_replaced(&folder)?)
    }

    /// Replaces the journal by one that has what is in memory without the personal parts of some entries, and takes
    /// them from memory. When this returns, the journal has them in no file. Others append meanwhile, and wait only for
    /// what came last to be written, and for names to change.
    pub(super) fn replace_journal(
        &mut self,
        is_gone: impl Fn(u64) -> bool + Copy,
    ) -> Result<(), FileStoreError> {
        let replaced = self.put_replacement(is_gone);
        if replaced.is_err() {
            // It may have what another erasure is to find nowhere. The next one removes it if this does not.
            let _ = Replacement::remove_draft(&self.log.path_of(JOURNAL));
        }
        replaced
    }

    fn put_replacement(
        &mut self,
        is_gone: impl Fn(u64) -> bool + Copy,
    ) -> Result<(), FileStoreError> {
        // Their segments are those of the journal that goes.
        self.old.remove()?;
        // The tenants' numbers in them.
        self.tenants.write(&*self.log.disk, self.log.folder())?;
        let log = Arc::clone(&self.log);
        let mut replacing = Replacing::begin(&log)?;
        for _ in 0..PASSES {
            let bytes = replacing.catch_up(&log, is_gone)?;
            replacing.prepare()?;
            if bytes <= FEW_BYTES {
                break;
            }
            // That of the others goes on to be filled.
            self.prepare()?;
        }
        let mut writer = log.writer.blocking_lock();
        replacing.catch_up(&log, is_gone)?;
        writer.journal = None;
        let (journal, replaced) = replacing.put()?;
        writer.journal = Some(journal);
        log.recent().erase(is_gone);
        drop(writer);
        Ok(replaced.remove()?)
    }
}
