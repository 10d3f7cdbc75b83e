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

/// Files that are written before any is synced: one sync of many is quicker than many of one.
const MOST_DRAFTS: usize = 64;

/// Files put into a folder, whose names are on the disk when all are.
#[derive(Debug)]
pub(crate) struct WholeFiles<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    mode: u32,
    draft: PathBuf,
    written: Vec<Written>,
    changed: BTreeSet<PathBuf>,
}

/// A file that is not in its place yet.
#[derive(Debug)]
struct Written {
    file: File,
    draft: PathBuf,
    path: PathBuf,
}

impl<'a> WholeFiles<'a> {
    /// Files that everybody may read.
    pub(crate) fn new(disk: &'a dyn Disk, folder: &'a Path) -> Self {
        Self {
            disk,
            folder,
            mode: 0o644,
            draft: folder.join(DRAFT),
            written: Vec::new(),
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

    /// Writes a file, which is put in its place by [`finish`](Self::finish) at the latest. After a failure, places are
    /// as they were, or have the whole file.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let (path, draft) = (self.folder.join(name), self.next_draft());
        let parent = path.parent().unwrap_or(self.folder);
        self.make(parent).map_err(FolderError::io("make", parent))?;
        // A new file each time: of one whose sync failed, the system knows no more what is to be written.
        let removed = fs::remove_file(&draft);
        let file = match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(self.mode)
                .open(&draft),
        };
        let written = file.and_then(|file| {
            self.disk.write_all_at(&file, bytes, 0)?;
            Ok(file)
        });
        let file = written.map_err(FolderError::io("write", &path))?;
        self.written.push(Written { file, draft, path });
        if self.written.len() == MOST_DRAFTS {
            self.place()?;
        }
        Ok(())
    }

    /// Makes a folder within this one, which is there: one that was moved away may come back, and nothing is to be in
    /// its place then.
    fn make(&self, within: &Path) -> io::Result<()> {
        if within == self.folder {
            return Ok(());
        }
        let made = fs::create_dir(within).or_else(|error| match (error.kind(), within.parent()) {
            (io::ErrorKind::NotFound, Some(above)) => {
                self.make(above)?;
                fs::create_dir(within)
            }
            _ => Err(error),
        });
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Syncs what is written, and puts it in place.
    fn place(&mut self) -> Result<(), FolderError> {
        if self.written.len() > 1 {
            self.disk.hurry(self.folder);
        }
        for written in std::mem::take(&mut self.written) {
            let Written { file, draft, path } = written;
            self.disk
                .sync_data(&file)
                .and_then(|()| fs::rename(&draft, &path))
                .map_err(FolderError::io("write", &path))?;
            self.note(&path);
        }
        Ok(())
    }

    fn next_draft(&self) -> PathBuf {
        let mut draft = self.draft.clone().into_os_string();
        if !self.written.is_empty() {
            draft.push(self.written.len().to_string());
        }
        draft.into()
    }

    /// Removes what a writer left that failed or ended while it put one file.
    pub(crate) fn remove_draft(&self) -> Result<(), FolderError> {
        match fs::remove_file(&self.draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::io("remove", &self.draft)(error))
            }
            _ => Ok(()),
        }
    }

    /// A file whose name is to be on the disk too.
    pub(crate) fn note(&mut self, path: &Path) {
        let above = path.ancestors().skip(1);
        let within = above.take_while(|above| above.starts_with(self.folder));
        self.changed.extend(within.map(Path::to_path_buf));
    }

    /// Puts all files in place, and waits until their names are on the disk.
    pub(crate) fn finish(mut self) -> Result<(), FolderError> {
        self.place()?;
        for folder in self.changed {
            File::open(&folder)
                .and_then(|opened| opened.sync_all())
                .map_err(FolderError::io("sync", &folder))?;
        }
        Ok(())
    }
}
