//! What was erased, in a file outside the database: a backup that is restored brings nobody back. Each line
//! is a JSON object with the tenant, the lead if it was one, and when; no personal data.

mod error;
mod line;
mod noted;

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

use super::Store;
use crate::{files, lead::LeadId};

pub(crate) use self::{
    error::{ErasureNoteError, TombstonesError},
    noted::NotedErasures,
};

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

impl Tombstones {
    /// The file at this path, made if there is none and the database knows of no erasure.
    ///
    /// # Errors
    /// It cannot be made, or be written; or it is lost, which who runs the service may accept.
    pub(crate) async fn open(path: &Path, store: &dyn Store) -> Result<Self, ErasureNoteError> {
        let known = store.noted_erasures().await?;
        let this = Self::at(path);
        let accepted = this.accepted();
        match this.compare(&known).await {
            Err(error) if error.is_loss() && is_there(&accepted) => {
                tracing::warn!(
                    "the loss of erasures was accepted: backups may bring back who was erased"
                );
            }
            compared => compared?,
        }
        let this = Self::made(path)?;
        this.read().await?;
        store.note_erasures(&this.noted().await?).await?;
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
    pub(crate) async fn check(path: &Path, known: &NotedErasures) -> Result<(), TombstonesError> {
        let this = Self::at(path);
        match this.compare(known).await {
            Err(error) if error.is_loss() && is_there(&this.accepted()) => Ok(()),
            compared => compared,
        }
    }

    async fn compare(&self, known: &NotedErasures) -> Result<(), TombstonesError> {
        let found = if is_there(&self.path) {
            self.read().await?;
            self.noted().await?
        } else {
            NotedErasures::default()
        };
        self.compare_found(&found, known)
    }

    /// A database that was restored knows of less than the file has, never of more.
    fn compare_found(
        &self,
        found: &NotedErasures,
        known: &NotedErasures,
    ) -> Result<(), TombstonesError> {
        let (path, accepted) = (self.path.to_path_buf(), self.accepted());
        if found.count < known.count {
            return Err(TombstonesError::Lost {
                path,
                accepted,
                found: found.count,
                known: known.count,
            });
        }
        if known.file.is_some() && found.file != known.file {
            return Err(TombstonesError::Another { path, accepted });
        }
        Ok(())
    }

    /// What the file has, as far as it tells without being understood.
    async fn noted(&self) -> Result<NotedErasures, TombstonesError> {
        self.blocking(|this| {
            let text = this.open_locked().and_then(read_all);
            Ok(NotedErasures::of(
                &text.map_err(|error| this.failed(&error))?,
            ))
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, TombstonesError> + Send + 'static,
    ) -> Result<T, TombstonesError> {
        let this = self.clone();
        let working = spawn_blocking(move || work(&this));
        let done = working.await;
        done.unwrap_or_else(|_| Err(self.failed(&io::ErrorKind::Other.into())))
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
        self.blocking(Self::read_now).await
    }

    /// Notes what is about to be erased; returns when that is durable and the database knows of it.
    ///
    /// # Errors
    /// It is not: nothing must be erased. Of a file that is not the one that the other processes of the database
    /// use, a start after a backup was restored would erase some of the people alone.
    pub(crate) async fn note(
        &self,
        store: &dyn Store,
        tombstone: Tombstone,
    ) -> Result<(), ErasureNoteError> {
        let added = async {
            let known = store.noted_erasures().await?;
            Ok(self.add(tombstone, known).await?)
        };
        let added: Result<_, ErasureNoteError> = added.await;
        let noted = added.inspect_err(|_| {
            self.unnoted.fetch_add(1, Ordering::Relaxed);
        })?;
        Ok(store.note_erasures(&noted).await?)
    }

    /// What the file has by then.
    async fn add(
        &self,
        tombstone: Tombstone,
        known: NotedErasures,
    ) -> Result<NotedErasures, TombstonesError> {
        self.blocking(move |this| this.add_now(&tombstone, &known))
            .await
    }

    /// How many erasures could not be noted since the start.
    pub(crate) fn unnoted(&self) -> u64 {
        self.unnoted.load(Ordering::Relaxed)
    }

    /// Whether an erasure could be noted, as far as can be told without noting one and from the first line.
    pub(crate) async fn is_usable(&self, store: &dyn Store) -> bool {
        // What cannot be read of the database is told as its own fault.
        let known = store.noted_erasures().await.unwrap_or_default();
        let looking = self.blocking(move |this| {
            let head = this.open_file().and_then(|file| {
                let mut head = Vec::new();
                file.take(line::MAX_BYTES).read_to_end(&mut head)?;
                Ok(head)
            });
            let head = head.map_err(|error| this.failed(&error))?;
            Ok(known.file.is_none() || NotedErasures::of(&head).file == known.file)
        });
        looking.await.unwrap_or(false)
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
        let text = self.open_locked().and_then(read_all);
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

    fn add_now(
        &self,
        tombstone: &Tombstone,
        known: &NotedErasures,
    ) -> Result<NotedErasures, TombstonesError> {
        let failed = |error: io::Error| self.failed(&error);
        let mut file = self.open_locked().map_err(failed)?;
        let mut text = whole_lines(&mut file).map_err(failed)?;
        self.compare_found(&NotedErasures::of(&text), known)?;
        let line = line::write(tombstone);
        let written = file.write_all(line.as_bytes());
        written.and_then(|()| file.sync_all()).map_err(failed)?;
        text.extend(line.as_bytes());
        Ok(NotedErasures::of(&text))
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

fn read_all(mut file: File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(text)
}

/// Everything that was noted; what comes next is written behind it.
fn whole_lines(file: &mut File) -> io::Result<Vec<u8>> {
    drop_half_line(file)?;
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    Ok(text)
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
