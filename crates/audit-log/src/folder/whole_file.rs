//! Files that are whole or not there.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::FolderError;
use crate::disk::Disk;

/// Where every file is written before it is put in its place.
const DRAFT: &str = ".writing";

/// Files put into a folder, whose names are on the disk when all are.
#[derive(Debug)]
pub(super) struct WholeFiles<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    changed: BTreeSet<PathBuf>,
}

impl<'a> WholeFiles<'a> {
    pub(super) const fn new(disk: &'a dyn Disk, folder: &'a Path) -> Self {
        Self {
            disk,
            folder,
            changed: BTreeSet::new(),
        }
    }

    /// Writes, syncs and puts a file in place. After a failure its place is as it was.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let (path, draft) = (self.folder.join(name), self.folder.join(DRAFT));
        let parent = path.parent().unwrap_or(self.folder);
        fs::create_dir_all(parent).map_err(FolderError::io("make", parent))?;
        // A new file each time: of one whose sync failed, the system knows no more what is to be written.
        let removed = fs::remove_file(&draft);
        let file = match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&draft),
        };
        file.and_then(|file| {
            self.disk.write_all_at(&file, bytes, 0)?;
            self.disk.sync_data(&file)?;
            fs::rename(&draft, &path)
        })
        .map_err(FolderError::io("write", &path))?;
        self.note(&path);
        Ok(())
    }

    /// A file whose name is to be on the disk too.
    pub(super) fn note(&mut self, path: &Path) {
        let above = path.ancestors().skip(1);
        let within = above.take_while(|above| above.starts_with(self.folder));
        self.changed.extend(within.map(Path::to_path_buf));
    }

    /// Waits until all names are on the disk.
    pub(super) fn finish(self) -> Result<(), FolderError> {
        for folder in self.changed {
            File::open(&folder)
                .and_then(|opened| opened.sync_all())
                .map_err(FolderError::io("sync", &folder))?;
        }
        Ok(())
    }
}
