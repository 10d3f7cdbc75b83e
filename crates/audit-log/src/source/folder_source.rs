//! A log as a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{LogSource, SourceError};
use crate::bounded_file;

/// The folder of a log, read as it is: nothing is written, no lock is taken, and no link in it is followed.
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
        match bounded_file::read_within(&self.folder, path, at_most) {
            Ok(bytes) => Ok(Some(bytes)),
            // A partial tile has its folder where a full one stands, and the other way round.
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let path = path.into();
                Err(SourceError::TooLong { path, at_most })
            }
            Err(error) => Err(SourceError::unreadable(path)(error)),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
