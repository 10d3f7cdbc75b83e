//! Leaves that go, by whole bundles.

use std::{fs, io, sync::Arc};

use super::Upkeep;
use crate::store::{
    StoreError,
    file::{FileStoreError, bundles::WIDE, file_error::failed, number_file::FIRST},
};

impl Upkeep {
    /// Takes leaves away, and gives how many. Tiles stay, and with them every proof.
    pub(super) fn prune(&mut self, before: u64) -> Result<u64, StoreError> {
        Ok(self.prune_bundles(before)?)
    }

    fn prune_bundles(&mut self, before: u64) -> Result<u64, FileStoreError> {
        self.settle_replaced()?;
        self.take_up(u64::MAX)?;
        self.put_in_place()?;
        let log = Arc::clone(&self.log);
        let (first, in_place) = {
            let recent = log.recent();
            (recent.first, recent.in_place)
        };
        let wanted = (before - before % WIDE).min(in_place);
        if wanted <= first {
            return Ok(0);
        }
        // They could be made again from the bundles.
        self.tenants.write(&*log.disk, log.folder())?;
        FIRST.write(&*log.disk, log.folder(), wanted)?;
        {
            let mut recent = log.recent();
            recent.first = wanted;
            recent.erase(|n| n < wanted);
        }
        self.old.remove()?;
        if !self.is_behind(|n| wanted <= n) {
            self.check_journal()?;
            self.replace_journal(|n| n < wanted)?;
        }
        log.damaged.forget(|entries| entries.start < wanted)?;
        self.remove_bundles(wanted)?;
        Ok(wanted - first)
    }

    /// Removes what is left of everything before the first entry. It ends with the first bundle that is not there:
    /// they went from the oldest on.
    pub(super) fn remove_bundles(&self, first: u64) -> Result<(), FileStoreError> {
        let log = &self.log;
        if first == 0 {
            return Ok(());
        }
        log.personal.erase_before(first)?;
        let end = first / WIDE;
        let mut begin = end;
        while begin > 0 && log.bundles.file_of(begin - 1).exists() {
            begin -= 1;
        }
        for bundle in begin..end {
            let file = log.bundles.file_of(bundle);
            fs::remove_file(&file).map_err(failed("remove", &file))?;
            match fs::remove_dir_all(file.with_extension("p")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &file)(error));
                }
                _ => {}
            }
        }
        log.index.clear(begin..end)
    }
}
