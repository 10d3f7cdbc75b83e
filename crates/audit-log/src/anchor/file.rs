//! A checkpoint in a file elsewhere.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{Anchor, AnchorError, KeepsLater};
use crate::note::{NoteSignature, SignedNote};

/// Keeps the latest checkpoint in a file, as on another disk or a share that the writer of the log cannot take back.
///
/// The file is written beside its place, synced, and put there: what is there is whole. It never goes back to an earlier
/// tree, whichever of several processes comes last: who writes holds the lock of a file with `.lock` behind the name,
/// and refuses what [`KeepsLater`] says. Where files cannot be locked, nothing is kept.
#[derive(Debug, Clone)]
pub struct FileAnchor {
    name: String,
    path: PathBuf,
    /// One at a time: a disk that hangs, or a process that stopped with the lock, has one thread waiting.
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

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, AnchorError> + Send + 'static,
    ) -> Result<T, AnchorError> {
        let path = self.path.clone();
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let working = spawn_blocking(move || {
            let done = work(&path);
            drop(turn);
            done
        });
        working.await.map_err(AnchorError::new)?
    }
}

#[async_trait]
impl Anchor for FileAnchor {
    fn name(&self) -> &str {
        &self.name
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        self.in_turn(read).await
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        let checkpoint = checkpoint.clone();
        self.in_turn(move |path| replace(path, &checkpoint)).await?;
        Ok(Vec::new())
    }
}

fn read(path: &Path) -> Result<Option<SignedNote>, AnchorError> {
    match fs::read(path) {
        Ok(bytes) => SignedNote::parse(&bytes)
            .map(Some)
            .map_err(AnchorError::new),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AnchorError::new(error)),
    }
}

fn replace(path: &Path, checkpoint: &SignedNote) -> Result<(), AnchorError> {
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(beside(path, ".lock"))
        .map_err(AnchorError::new)?;
    // Until it is closed.
    lock.lock().map_err(AnchorError::new)?;
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
