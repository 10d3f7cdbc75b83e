//! Where a log begins that was pruned.

use std::{io, path::Path};

use super::{FileStoreError, file_error::failed};
use crate::{bounded_file, checkpoint::decimal, disk::Disk, folder::WholeFiles};

/// The name of the file: one line, `<first entry> <CRC-32 of that, 8 hex digits>`.
const NAME: &str = "first";
/// 20 digits, a space, 8 digits and the end of the line.
const MAX_BYTES: usize = 30;

/// The first entry that is left; 0 without a file.
pub(super) fn read(folder: &Path) -> Result<u64, FileStoreError> {
    let path = folder.join(NAME);
    let text = match bounded_file::read_text(&path, MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        read => read.map_err(failed("read", &path))?,
    };
    let first = text.split(' ').next().and_then(decimal);
    first
        .filter(|first| line(*first) == text)
        .ok_or(FileStoreError::Damaged {
            path,
            what: "put back a copy of it; without one, the first entry bundle that is there tells",
        })
}

pub(super) fn write(disk: &dyn Disk, folder: &Path, first: u64) -> Result<(), FileStoreError> {
    let mut files = WholeFiles::for_owner(disk, folder);
    files.put(NAME, line(first).as_bytes())?;
    Ok(files.finish()?)
}

fn line(first: u64) -> String {
    format!(
        "{first} {:08x}\n",
        crc32fast::hash(first.to_string().as_bytes())
    )
}
