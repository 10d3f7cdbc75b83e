//! Files that are whole or not there.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::FolderError;
use crate::disk::Disk;

/// Where every file of a folder is written before it is put in its place.
const DRAFT: &str = ".writing";

/// Files put into a folder, whose names are on the disk when all are.
#[derive(Debug)]
pub(crate) struct WholeFiles<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    mode: u32,
    draft: PathBuf,
    changed: BTreeSet<PathBuf>,
}

impl<'a> WholeFiles<'a> {
    /// Files that everybody may read.
    pub(crate) fn new(disk: &'a dyn Disk, folder: &'a Path) -> Self {
        Self {
            disk,
            folder,
            mode: 0o644,
            draft: folder.join(DRAFT),
            changed: BTreeSet::new(),
        }
    }

    /// Files that others cannot read.
    pub(crate) fn for_owner(disk: &'a dyn Disk, folder: &'a Path) -> Self {
        Self {
            mode: 0o600,
            ..Self::new(disk, folder)
        }
    }

    /// By way of another draft, as somebody else writes to the same folder.
    pub(crate) fn by_way_of(self, draft: &Path) -> Self {
        Self {
            draft: draft.to_owned(),
            ..self
        }
    }

    /// Writes, syncs and puts a file in place. After a failure its place is as it was.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let (path, draft) = (self.folder.join(name), &self.draft);
        let parent = path.parent().unwrap_or(self.folder);
        fs::create_dir_all(parent).map_err(FolderError::io("make", parent))?;
        // A new file each time: of one whose sync failed, the system knows no more what is to be written.
        let removed = fs::remove_file(draft);
        let file = match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(self.mode)
                .open(draft),
        };
        file.and_then(|file| {
            self.disk.write_all_at(&file, bytes, 0)?;
            self.disk.sync_data(&file)?;
            fs::rename(draft, &path)
        })
        .map_err(FolderError::io("write", &path))?;
        self.note(&path);
        Ok(())
    }

    /// A file whose name is to be on the disk too.
    pub(crate) fn note(&mut self, path: &Path) {
        let above = path.ancestors().skip(1);
        let within = above.take_while(|above| above.starts_with(self.folder));
        self.changed.extend(within.map(Path::to_path_buf));
    }

    /// Waits until all names are on the disk.
    pub(crate) fn finish(self) -> Result<(), FolderError> {
        for folder in self.changed {
            File::open(&folder)
                .and_then(|opened| opened.sync_all())
                .map_err(FolderError::io("sync", &folder))?;
        }
        Ok(())
    }
}
