//! Files that say one number.

use std::{io, path::Path};

use super::{FileStoreError, file_error::failed};
use crate::{bounded_file, checkpoint::decimal, disk::Disk, folder::WholeFiles};

/// A file of one line, `<number> <CRC-32 of that, 8 hex digits>`.
#[derive(Debug)]
pub(super) struct NumberFile {
    name: &'static str,
    /// Of one that is damaged: what to do.
    what: &'static str,
}

/// The first entry that is left of a log that was pruned.
pub(super) const FIRST: NumberFile = NumberFile {
    name: "first",
    what: "put back a copy of it; without one, the first entry bundle that is there tells",
};

/// How many entries were acknowledged, a second ago or later: a start must find as many.
pub(super) const ACKNOWLEDGED: NumberFile = NumberFile {
    name: "acknowledged",
    what: "it does not say how many entries were acknowledged; put back a copy of it",
};

/// 20 digits, a space, 8 digits and the end of the line.
const MAX_BYTES: usize = 30;

impl NumberFile {
    /// The number; `None` without a file.
    pub(super) fn read(&self, folder: &Path) -> Result<Option<u64>, FileStoreError> {
        let path = folder.join(self.name);
        let text = match bounded_file::read_text(&path, MAX_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(failed("read", &path))?,
        };
        let number = text.split(' ').next().and_then(decimal);
        let number = number.filter(|number| line(*number) == text);
        number.map(Some).ok_or(FileStoreError::Damaged {
            path,
            what: self.what,
        })
    }

    pub(super) fn write(
        &self,
        disk: &dyn Disk,
        folder: &Path,
        number: u64,
    ) -> Result<(), FileStoreError> {
        let mut files = WholeFiles::for_owner(disk, folder);
        files.put(self.name, line(number).as_bytes())?;
        Ok(files.finish()?)
    }
}

fn line(number: u64) -> String {
    format!(
        "{number} {:08x}\n",
        crc32fast::hash(number.to_string().as_bytes())
    )
}
