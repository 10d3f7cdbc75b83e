//! What is asked of a disk while the log is written, so that tests have one that fails.

#[cfg(test)]
pub(crate) mod faulty;

use std::{fmt, fs::File, io, os::unix::fs::FileExt as _};

/// Writes and syncs. Everything else happens at a start, and whatever fails there fails the start.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    fn write_all_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    /// Contents and length; no times. A failed one says nothing of what is on the disk.
    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// The one that there is.
#[derive(Debug)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {}
