//! The file itself: locked, read, and replaced whole or not at all.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::store::StoreError;

/// Where a file of keys lies, with what stands beside it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    draft: PathBuf,
    lock: PathBuf,
}

/// The right to change the file, until it is dropped. It ends with the process, too.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// A new file that nobody reads yet.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    folder: &'a Folder,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
struct Failed {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| {
        let path = path.to_owned();
        let failed = Failed {
            doing,
            path,
            source,
        };
        StoreError::Unavailable(failed.into())
    }
}

/// Where a file lies that is there, without links: what takes its place must not take that of a link to it.
pub(super) fn find(path: &Path) -> Result<PathBuf, StoreError> {
    path.canonicalize().map_err(|error| {
        let absent = error.kind() == io::ErrorKind::NotFound;
        let error = if absent { without_file() } else { error };
        failed("open", path)(error)
    })
}

/// Where a file will lie in a folder that is there.
pub(super) fn find_folder_of(path: &Path) -> Result<PathBuf, StoreError> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename);
    let name = name.map_err(|kind| failed("make", path)(kind.into()))?;
    let folder = parent_of(path)
        .canonicalize()
        .map_err(failed("make", path))?;
    Ok(folder.join(name))
}

/// That nothing has this name, as far as it can be known.
pub(super) fn is_free(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("make", path)(error)),
        Ok(_) => Err(failed("make", path)(io::ErrorKind::AlreadyExists.into())),
    }
}

fn without_file() -> io::Error {
    let what = "there is no such file: mount what it lies on, or make an empty one with `FileDekStore::create`";
    io::Error::new(io::ErrorKind::NotFound, what)
}

/// The folder of a file.
fn parent_of(file: &Path) -> &Path {
    let parent = file.parent().filter(|path| *path != Path::new(""));
    parent.unwrap_or_else(|| Path::new("."))
}

pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    File::open(path).map_err(failed("open", path))
}

/// The beginning, in which the first line ends, if it is one.
pub(super) fn read_head(file: &mut File, path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let bytes = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    let read = file.take(bytes).read_to_end(&mut head);
    read.map_err(failed("read", path))?;
    Ok(head)
}

/// The whole, of which `head` was read.
pub(super) fn read_rest(
    mut head: Vec<u8>,
    mut file: File,
    path: &Path,
) -> Result<Vec<u8>, StoreError> {
    let read = file.read_to_end(&mut head);
    read.map_err(failed("read", path))?;
    Ok(head)
}

impl Folder {
    pub(super) fn of(file: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut name = OsString::from(file);
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            path: parent_of(file).to_owned(),
            draft: beside(".new"),
            lock: beside(".lock"),
        }
    }

    /// Waits for other processes, each of which is done in a moment.
    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let mut options = for_owner();
        let file = options.create(true).truncate(false).open(&self.lock);
        let file = file.map_err(failed("open", &self.lock))?;
        for _ in 0..LOCK_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_ATTEMPTS),
                Err(TryLockError::Error(error)) => {
                    return Err(failed("lock", &self.lock)(error));
                }
            }
        }
        let held = io::Error::new(
            io::ErrorKind::TimedOut,
            "another process has held the lock for 5 s",
        );
        Err(failed("lock", &self.lock)(held))
    }

    /// Writes a new file beside the old one. The caller holds the lock.
    pub(super) fn write_draft(&self, text: &str) -> Result<Draft<'_>, StoreError> {
        let draft = Draft { folder: self };
        // Somebody who was killed may have left one.
        draft.remove()?;
        let written = for_owner()
            .create_new(true)
            .open(&self.draft)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            });
        if let Err(error) = written {
            // It is in nobody's way, but may be what fills the disk.
            draft.remove()?;
            return Err(failed("write", &self.draft)(error));
        }
        Ok(draft)
    }
}

impl Draft<'_> {
    pub(super) fn put_in_place(self, path: &Path) -> Result<(), StoreError> {
        let Folder {
            path: folder,
            draft,
            ..
        } = self.folder;
        fs::rename(draft, path).map_err(failed("replace", path))?;
        sync_folder(folder).map_err(failed("sync", folder))
    }

    pub(super) fn remove(&self) -> Result<(), StoreError> {
        let draft = &self.folder.draft;
        match fs::remove_file(draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", draft)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Options to write a file that others cannot read.
fn for_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// So that the new name is there after a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be opened as files here, and names are written with the file system's journal.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// More than a first line has.
const HEAD_BYTES: usize = 256;

/// 5 s in all.
const LOCK_ATTEMPTS: u32 = 2500;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(2);
