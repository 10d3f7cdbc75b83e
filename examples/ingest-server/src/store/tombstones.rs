//! What was erased, in a file outside the database: a backup that is restored brings nobody back. Each line
//! is a JSON object with the tenant, the lead if it was one, and when; no personal data.

mod line;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use portcullis_keyring::TenantId;
use rustix::fs::OFlags;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;

use self::line::Unreadable;
use super::{Store, StoreError};
use crate::{files, lead::LeadId};

/// The file, and the way to add to it. Several processes may have it open.
#[derive(Debug, Clone)]
pub(crate) struct Tombstones {
    path: Arc<Path>,
    /// Erasures that could not be noted since the start, in this process.
    unnoted: Arc<AtomicU64>,
}

/// Something that was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub(crate) tenant: TenantId,
    /// None where all of the tenant was.
    pub(crate) lead: Option<LeadId>,
    pub(crate) at: OffsetDateTime,
}

/// What was erased is not known, or what is to be erased cannot be noted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TombstonesError {
    #[error(
        "{} cannot be read and written: {kind}; run as its owner, or change its owner or mode",
        path.display()
    )]
    File { path: PathBuf, kind: io::ErrorKind },
    #[error("the folder of {} is not there; make it or mount it, or name another file", .0.display())]
    NoFolder(PathBuf),
    #[error(
        "{} has {found} of the {known} erasures that the database knows of: put the file back, or a newer copy of \
         it; to accept that a backup may bring back who was in it, make an empty file {}",
        path.display(), accepted.display()
    )]
    Lost {
        path: PathBuf,
        accepted: PathBuf,
        found: u64,
        known: u64,
    },
    #[error("{} is not a file, or is a link to one; move it away and put the file back, or name another", .0.display())]
    NoFile(PathBuf),
    #[error(
        "{}, line {number}: is damaged: {why}; restore the file, or correct the line if you know who was \
         erased",
        path.display()
    )]
    Line {
        path: PathBuf,
        number: usize,
        why: Unreadable,
    },
}

/// Those cannot be told from what the database knows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenTombstonesError {
    #[error(transparent)]
    File(#[from] TombstonesError),
    #[error("what the database knows of erasures cannot be read or written")]
    Store(#[from] StoreError),
}

impl Tombstones {
    /// The file at this path, made if there is none and the database knows of no erasure.
    ///
    /// # Errors
    /// It cannot be made, or be written; or it is lost, which who runs the service may accept.
    pub(crate) async fn open(path: &Path, store: &dyn Store) -> Result<Self, OpenTombstonesError> {
        let known = store.noted_erasures().await?;
        let this = Self::at(path);
        let accepted = this.accepted();
        match this.compare(known).await {
            Err(TombstonesError::Lost { .. }) if is_there(&accepted) => {
                tracing::warn!(
                    "the loss of erasures was accepted: backups may bring back who was erased"
                );
            }
            compared => compared?,
        }
        let this = Self::made(path)?;
        store.note_erasures(this.read().await?.len() as u64).await?;
        // Once: it says nothing of a loss that comes later.
        drop(fs::remove_file(accepted));
        Ok(this)
    }

    fn at(path: &Path) -> Self {
        Self {
            path: path.into(),
            unnoted: Arc::default(),
        }
    }

    /// The file at this path, made if there is none.
    fn made(path: &Path) -> Result<Self, TombstonesError> {
        let tombstones = Self::at(path);
        let made = tombstones.make();
        made.map_err(|error| tombstones.failed(&error))?;
        Ok(tombstones)
    }

    /// Whether a file that is there can be read to its end, and has what is known; makes none.
    ///
    /// # Errors
    /// It cannot, or it has not.
    pub(crate) async fn check(path: &Path, known: u64) -> Result<(), TombstonesError> {
        let this = Self::at(path);
        match this.compare(known).await {
            Err(TombstonesError::Lost { .. }) if is_there(&this.accepted()) => Ok(()),
            compared => compared,
        }
    }

    /// A database that was restored knows of less than the file has, never of more.
    async fn compare(&self, known: u64) -> Result<(), TombstonesError> {
        let found = if is_there(&self.path) {
            self.read().await?.len() as u64
        } else {
            0
        };
        if found >= known {
            return Ok(());
        }
        Err(TombstonesError::Lost {
            path: self.path.to_path_buf(),
            accepted: self.accepted(),
            found,
            known,
        })
    }

    /// What says that a loss is accepted.
    fn accepted(&self) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".lost");
        path.into()
    }

    /// Everything that was ever erased, in the order in which it was.
    ///
    /// # Errors
    /// A line is not what was written.
    pub(crate) async fn read(&self) -> Result<Vec<Tombstone>, TombstonesError> {
        let this = self.clone();
        let reading = spawn_blocking(move || this.read_now());
        let read = reading.await;
        read.unwrap_or_else(|_| Err(self.failed(&io::ErrorKind::Other.into())))
    }

    /// Notes what is about to be erased; returns when that is durable, how many erasures are noted by then.
    ///
    /// # Errors
    /// It is not: the database must not be touched.
    pub(crate) async fn add(&self, tombstone: Tombstone) -> Result<u64, TombstonesError> {
        let this = self.clone();
        let adding = spawn_blocking(move || {
            let added = this.add_now(&tombstone);
            added.map_err(|error| this.failed(&error))
        });
        let added = adding.await;
        let added = added.unwrap_or_else(|_| Err(self.failed(&io::ErrorKind::Other.into())));
        if added.is_err() {
            self.unnoted.fetch_add(1, Ordering::Relaxed);
        }
        added
    }

    /// How many erasures could not be noted since the start.
    pub(crate) fn unnoted(&self) -> u64 {
        self.unnoted.load(Ordering::Relaxed)
    }

    /// Whether an erasure could be noted, as far as can be told without noting one.
    pub(crate) async fn is_usable(&self) -> bool {
        let this = self.clone();
        let opening = spawn_blocking(move || this.open_file().is_ok());
        opening.await.unwrap_or(false)
    }

    fn make(&self) -> io::Result<()> {
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        if !folder.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        match files::create_new(&self.path) {
            // That there is such a file is kept by the folder.
            Ok(_) => File::open(folder)?.sync_all(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.open_locked().map(drop)
            }
            Err(error) => Err(error),
        }
    }

    fn read_now(&self) -> Result<Vec<Tombstone>, TombstonesError> {
        let text = self.open_locked().and_then(|mut file| {
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            Ok(text)
        });
        let text = text.map_err(|error| self.failed(&error))?;
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        // One that does not end was not durable yet when its process ended: nothing was erased after it.
        let whole = lines.filter_map(|line| line.strip_suffix(b"\n"));
        let numbered = whole.enumerate();
        let read = numbered.map(|(index, line)| {
            line::read(line).map_err(|why| TombstonesError::Line {
                path: self.path.to_path_buf(),
                number: index + 1,
                why,
            })
        });
        read.collect()
    }

    fn add_now(&self, tombstone: &Tombstone) -> io::Result<u64> {
        let mut file = self.open_locked()?;
        drop_half_line(&mut file)?;
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut text)?;
        file.write_all(line::write(tombstone).as_bytes())?;
        file.sync_all()?;
        Ok(1 + text.iter().filter(|byte| **byte == b'\n').count() as u64)
    }

    /// The lock is given back when the file is closed.
    fn open_locked(&self) -> io::Result<File> {
        let file = self.open_file()?;
        file.lock()?;
        Ok(file)
    }

    fn open_file(&self) -> io::Result<File> {
        // Opening something else may wait for ever, or do something.
        if !fs::symlink_metadata(&self.path)?.is_file() {
            return Err(not_a_file());
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            // No link is followed, as for every file that is the service's own.
            .custom_flags(FLAGS)
            .open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Err(not_a_file());
        }
        Ok(file)
    }

    fn failed(&self, error: &io::Error) -> TombstonesError {
        if error.kind() == io::ErrorKind::InvalidInput {
            return TombstonesError::NoFile(self.path.to_path_buf());
        }
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return TombstonesError::NoFolder(self.path.to_path_buf());
        }
        TombstonesError::File {
            path: self.path.to_path_buf(),
            kind: error.kind(),
        }
    }
}

const FLAGS: i32 = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .bits()
    .cast_signed();

/// Anything, even what is no file.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Nothing else in this file fails so.
fn not_a_file() -> io::Error {
    io::ErrorKind::InvalidInput.into()
}

/// Takes away what a process left that ended while it wrote.
fn drop_half_line(file: &mut File) -> io::Result<()> {
    let mut text = Vec::new();
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.saturating_sub(line::MAX_BYTES);
    file.seek(SeekFrom::Start(tail))?;
    file.read_to_end(&mut text)?;
    let end = text.iter().rposition(|byte| *byte == b'\n');
    let half = text.len() - end.map_or(0, |end| end + 1);
    if half > 0 && (end.is_some() || tail == 0) {
        file.set_len(length - half as u64)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
