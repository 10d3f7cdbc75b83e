//! What is asked of a disk while the log is written, so that tests have one that fails.

#[cfg(test)]
pub(crate) mod faulty;

use std::{fmt, fs::File, io, os::unix::fs::FileExt as _, path::Path};

/// Writes and syncs. Everything else happens at a start, and whatever fails there fails the start.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    fn write_all_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    /// Contents and length; no times. A failed one says nothing of what is on the disk.
    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Begins to write what is in memory of the file system that a folder is on, so that syncs of many files are quick.
    /// It promises nothing: they are to be made.
    fn hurry(&self, folder: &Path) {
        #[cfg(target_os = "linux")]
        if let Ok(folder) = File::open(folder) {
            let _ = rustix::fs::syncfs(&folder);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = folder;
    }
}

/// The one that there is.
#[derive(Debug)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {}
