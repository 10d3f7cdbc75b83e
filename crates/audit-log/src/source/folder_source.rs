//! A log as a folder.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{LogSource, SourceError};

/// The folder of a log, read as it is: nothing is written, and no lock is taken.
#[derive(Debug, Clone)]
pub struct FolderSource {
    folder: PathBuf,
}

impl FolderSource {
    /// The log in that folder, whether or not it is there.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }
}

impl LogSource for FolderSource {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let file = match File::open(self.folder.join(path)) {
            Ok(file) => file,
            // A partial tile has its folder where a full one stands, and the other way round.
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(SourceError::unreadable(path)(error)),
        };
        let unreadable = |error| SourceError::unreadable::<io::Error>(path)(error);
        let length = file.metadata().map_err(unreadable)?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(at_most).min(at_most));
        let limit = u64::try_from(at_most).unwrap_or(u64::MAX);
        let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(unreadable)?;
        if bytes.len() > at_most {
            let path = path.into();
            return Err(SourceError::TooLong { path, at_most });
        }
        Ok(Some(bytes))
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
