//! A checkpoint in a file elsewhere.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{Anchor, AnchorError, KeepsLater};
use crate::{
    bounded_file,
    note::{MAX_NOTE_BYTES, NoteSignature, SignedNote},
};

/// How long the lock is waited for. One that does not become free is of a process that was stopped with it.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// How often it is asked for.
const PAUSE: Duration = Duration::from_millis(1);

/// Keeps the latest checkpoint in a file, as on another disk or a share that the writer of the log cannot take back.
///
/// The file is written beside its place, synced, and put there: what is there is whole. It never goes back to an earlier
/// tree, whichever of several processes comes last: who writes holds the lock of a file with `.lock` behind the name,
/// and refuses what [`KeepsLater`] says. Where files cannot be locked, nothing is kept, and neither is while another
/// process holds the lock for longer than 2 s, as one that was stopped.
#[derive(Debug, Clone)]
pub struct FileAnchor {
    name: String,
    path: PathBuf,
    /// One at a time: a disk that hangs has one thread waiting.
    turn: Arc<Mutex<()>>,
}

impl FileAnchor {
    /// An anchor called `name`, that keeps checkpoints at `path`. The folder must be there.
    #[must_use]
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            turn: Arc::default(),
        }
    }

    async fn turn(&self) -> OurTurn {
        OurTurn {
            path: self.path.clone(),
            _held: Arc::clone(&self.turn).lock_owned().await,
        }
    }
}

/// One that has its turn. The thread that works for it keeps it, however long it hangs.
struct OurTurn {
    path: PathBuf,
    _held: OwnedMutexGuard<()>,
}

impl OurTurn {
    async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce(&Path) -> Result<T, AnchorError> + Send + 'static,
    ) -> Result<(Self, T), AnchorError> {
        let working = spawn_blocking(move || {
            let done = work(&self.path)?;
            Ok((self, done))
        });
        working.await.map_err(AnchorError::new)?
    }
}

/// Another process has the lock, and does not let go of it.
#[derive(Debug, thiserror::Error)]
#[error("another process has held the lock of the file for {} s", LOCK_WAIT.as_secs())]
struct HeldByAnother;

#[async_trait]
impl Anchor for FileAnchor {
    fn name(&self) -> &str {
        &self.name
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        let (_, latest) = self.turn().await.work(read).await?;
        Ok(latest)
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        let (turn, lock) = self.turn().await.work(open_lock).await?;
        hold(&lock).await?;
        let checkpoint = checkpoint.clone();
        let replacing = turn.work(move |path| {
            let replaced = replace(path, &checkpoint);
            drop(lock);
            replaced
        });
        replacing.await?;
        Ok(Vec::new())
    }
}

fn read(path: &Path) -> Result<Option<SignedNote>, AnchorError> {
    match bounded_file::read(path, MAX_NOTE_BYTES) {
        Ok(bytes) => SignedNote::parse(&bytes)
            .map(Some)
            .map_err(AnchorError::new),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AnchorError::new(error)),
    }
}

fn open_lock(path: &Path) -> Result<File, AnchorError> {
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    options
        .open(beside(path, ".lock"))
        .map_err(AnchorError::new)
}

/// Locks the file until it is closed. No thread waits for that: it would keep its own process from ending.
async fn hold(lock: &File) -> Result<(), AnchorError> {
    let holding = async {
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(AnchorError::new(error)),
            }
        }
    };
    let held = timeout(LOCK_WAIT, holding).await;
    held.unwrap_or_else(|_| Err(AnchorError::new(HeldByAnother)))
}

/// Who calls it holds the lock.
fn replace(path: &Path, checkpoint: &SignedNote) -> Result<(), AnchorError> {
    if let Some(kept) = read(path)? {
        KeepsLater::check(&kept, checkpoint).map_err(AnchorError::new)?;
    }
    write(path, checkpoint.to_string().as_bytes()).map_err(AnchorError::new)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = beside(path, ".new");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// The same name with more behind it, that no other anchor of the folder has.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests;
