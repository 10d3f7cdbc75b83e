//! One process a folder.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{FileStoreError, file_error::failed};

/// Held for as long as a folder is written to. A process that ends, however it ends, lets go of it.
#[derive(Debug)]
pub(super) struct FolderLock {
    file: File,
}

/// The name of the file that the lock is on.
const NAME: &str = "lock";

impl FolderLock {
    /// Takes the lock of a folder, without waiting for it.
    pub(super) fn take(folder: &Path) -> Result<Self, FileStoreError> {
        let path = folder.join(NAME);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { file }),
            Err(Errno::WOULDBLOCK) => Err(FileStoreError::InUse {
                path: folder.to_owned(),
            }),
            Err(error) => Err(failed("lock", &path)(error.into())),
        }
    }

    /// Whether it is still the lock of what is in this folder.
    pub(super) fn is_in_place(&self, folder: &Path) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (there, held) = (
            fs::symlink_metadata(folder.join(NAME)),
            self.file.metadata(),
        );
        there
            .and_then(|there| Ok(identity(there) == identity(held?)))
            .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let dir = TempDir::new().unwrap();
        let held = FolderLock::take(dir.path()).unwrap();
        let error = FolderLock::take(dir.path()).unwrap_err();
        assert!(
            error.to_string().contains(&*dir.path().to_string_lossy()),
            "{error}"
        );
        drop(held);
        FolderLock::take(dir.path()).unwrap();
    }
}
