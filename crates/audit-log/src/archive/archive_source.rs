//! An archive as the log that it has.

use tokio::runtime::Handle;

use super::{Archive, ArchiveError};
use crate::source::{CHECKPOINT_PATH, LogSource, SourceError};

/// What an [`Archive`] has, so that it is verified and proofs are made from it: at the largest tree that it was filled up
/// to.
///
/// It waits for the object store, on a thread that may: within [`tokio::task::spawn_blocking`], and never on one that
/// runs tasks.
#[derive(Debug, Clone)]
pub struct ArchiveSource {
    archive: Archive,
    runtime: Handle,
}

impl ArchiveSource {
    /// The log in that archive, which is asked within that runtime.
    #[must_use]
    pub const fn new(archive: Archive, runtime: Handle) -> Self {
        Self { archive, runtime }
    }

    async fn file(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, ArchiveError> {
        if path == CHECKPOINT_PATH {
            let note = self.archive.checkpoint().await?;
            return Ok(note.map(|note| note.to_string().into_bytes()));
        }
        let at = self.archive.path(path)?;
        self.archive.bytes(&at, at_most).await
    }
}

impl LogSource for ArchiveSource {
    /// # Panics
    /// On a thread that runs tasks of a runtime.
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        match self.runtime.block_on(self.file(path, at_most)) {
            Ok(Some(bytes)) if bytes.len() > at_most => too_long(path, at_most),
            Ok(bytes) => Ok(bytes),
            Err(ArchiveError::TooLong { .. }) => too_long(path, at_most),
            Err(error) => Err(SourceError::unreadable(path)(error)),
        }
    }
}

fn too_long<T>(path: &str, at_most: usize) -> Result<T, SourceError> {
    let path = path.into();
    Err(SourceError::TooLong { path, at_most })
}
