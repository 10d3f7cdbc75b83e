//! Why a folder cannot be read or written.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{checkpoint::CheckpointError, note::NoteError, tile::TileError};

/// What went wrong with the folder of a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The disk, or who else uses it.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What could not be done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no tile.
    #[error("{} is no tile of this log", path.display())]
    Tile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TileError,
    },
    /// The file of the checkpoint is no note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A note is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint is not of the tree in the folder.
    #[error("the checkpoint is of no tree of the folder")]
    OtherTree,
}

impl FolderError {
    /// For `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}
