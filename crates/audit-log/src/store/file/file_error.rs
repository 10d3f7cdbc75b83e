//! Why there is no store in a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    folder::FolderError,
    journal::{FrameFull, JournalError},
    store::StoreError,
};

/// What went wrong with the files of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileStoreError {
    /// Somebody else writes to the folder.
    #[error("{} is in use by another process: a log of files has one writer", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
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
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The folder that is published cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Entries are missing that a checkpoint was signed for.
    #[error(
        "the log in {} ends before entry {found}, and its checkpoint has {published}: \
         the tail was cut or files were put back from a copy",
        path.display()
    )]
    TailCut {
        /// The folder.
        path: PathBuf,
        /// The size that the checkpoint has.
        published: u64,
        /// The size that there is.
        found: u64,
    },
    /// A file is not what its writer left, and cannot be made again from others.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// The log is another one than its checkpoint says.
    #[error("the log in {} does not have the root that its checkpoint has", path.display())]
    OtherTree {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is no longer where it was: what is there now, this process does not have the lock of.
    #[error("{} was moved or deleted; put it back, and the log goes on by itself", path.display())]
    Gone {
        /// The folder.
        path: PathBuf,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// There is much in memory that cannot be written to bundles.
    #[error("bundles cannot be written, and memory has no room for more entries")]
    NoRoom,
    /// A group is longer than a frame of the journal.
    #[error(transparent)]
    GroupTooLong(#[from] FrameFull),
    /// The journal is no longer the one that was written: the entries that were acknowledged are others.
    #[error("the journal in {} has other entries than were written to it", path.display())]
    OtherJournal {
        /// The folder.
        path: PathBuf,
    },
}

impl FileStoreError {
    /// Whether somebody else has damaged the files of the journal, whatever the disk does.
    pub(super) fn is_damaged_journal(&self) -> bool {
        match self {
            Self::OtherJournal { .. } | Self::Journal(JournalError::Damaged { .. }) => true,
            Self::Journal(JournalError::Io { source, .. }) => {
                source.kind() == io::ErrorKind::NotFound || is_none_of_ours(source)
            }
            _ => false,
        }
    }

    /// Whether the log in the folder is not what its writer left, so that it does not open at another time either.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::TailCut { .. }
            | Self::OtherTree { .. }
            | Self::Damaged { .. }
            | Self::OtherJournal { .. }
            | Self::Journal(JournalError::Damaged { .. }) => true,
            Self::Folder(FolderError::Io { source, .. }) => {
                source.kind() == io::ErrorKind::NotFound || is_none_of_ours(source)
            }
            Self::Folder(_) => true,
            Self::Io { source, .. } | Self::Journal(JournalError::Io { source, .. }) => {
                is_none_of_ours(source)
            }
            _ => false,
        }
    }
}

/// Whether what is there cannot be read as what is written there, whatever the disk does.
fn is_none_of_ours(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::FileTooLarge | K::InvalidData | K::UnexpectedEof | K::IsADirectory | K::NotADirectory
    )
}

impl From<FileStoreError> for StoreError {
    fn from(error: FileStoreError) -> Self {
        match error {
            FileStoreError::TailCut { .. }
            | FileStoreError::OtherTree { .. }
            | FileStoreError::Damaged { .. }
            | FileStoreError::OtherJournal { .. }
            | FileStoreError::Journal(JournalError::Damaged { .. })
            | FileStoreError::Folder(FolderError::Tile { .. } | FolderError::OtherTree) => {
                Self::damaged(error)
            }
            _ => Self::unavailable(error),
        }
    }
}

/// For `map_err`.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileStoreError {
    move |source| FileStoreError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
