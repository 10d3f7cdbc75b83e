//! A checkpoint in a file elsewhere.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use tokio::task::spawn_blocking;

use super::{Anchor, AnchorError};
use crate::note::{NoteSignature, SignedNote};

/// Keeps the latest checkpoint in a file, as on another disk or a share that the writer of the log cannot take back.
///
/// The file is written beside its place, synced, and put there: what is there is whole.
#[derive(Debug, Clone)]
pub struct FileAnchor {
    name: String,
    path: PathBuf,
}

impl FileAnchor {
    /// An anchor called `name`, that keeps checkpoints at `path`. The folder must be there.
    #[must_use]
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
        }
    }
}

#[async_trait]
impl Anchor for FileAnchor {
    fn name(&self) -> &str {
        &self.name
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        let path = self.path.clone();
        let read = spawn_blocking(move || fs::read(path)).await;
        match read.map_err(AnchorError::new)? {
            Ok(bytes) => SignedNote::parse(&bytes)
                .map(Some)
                .map_err(AnchorError::new),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AnchorError::new(error)),
        }
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        let (path, text) = (self.path.clone(), checkpoint.to_string());
        let written = spawn_blocking(move || replace(&path, text.as_bytes())).await;
        written
            .map_err(AnchorError::new)?
            .map_err(AnchorError::new)?;
        Ok(Vec::new())
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
