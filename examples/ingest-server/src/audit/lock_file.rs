//! A file whose lock says what a process has. It goes with the process, however that ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
}

impl LockFile {
    /// Has the file alone, unless others have it. It is made if it is not there.
    ///
    /// # Errors
    /// The file cannot be made or locked.
    pub(crate) fn alone(path: &Path) -> io::Result<Option<Self>> {
        Self::locked(path, File::try_lock)
    }

    /// Has the file with others, unless somebody has it alone.
    ///
    /// # Errors
    /// As [`alone`](Self::alone).
    pub(crate) fn shared(path: &Path) -> io::Result<Option<Self>> {
        Self::locked(path, File::try_lock_shared)
    }

    /// Says in it who has it.
    ///
    /// # Errors
    /// The file cannot be written; it says nobody then, or who had it before.
    pub(crate) fn write(&self, name: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all_at(name.as_bytes(), 0)
    }

    fn locked(
        path: &Path,
        lock: fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match lock(&file) {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_held_by_one_alone_or_by_many() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let alone = || LockFile::alone(&path).unwrap();
        let shared = || LockFile::shared(&path).unwrap();
        let one = alone().unwrap();
        assert!(alone().is_none() && shared().is_none());
        drop(one);
        let (first, second) = (shared().unwrap(), shared().unwrap());
        assert!(alone().is_none());
        drop((first, second));
        alone().unwrap();
    }
}
