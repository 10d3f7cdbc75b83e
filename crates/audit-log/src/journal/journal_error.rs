//! Why there is no journal to write to.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::Damage;

/// What went wrong with the files of a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
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
    /// The journal is not what its writer left.
    #[error("the journal is damaged: {}; keep a copy of it, and put back files that are sound", path.display())]
    Damaged {
        /// The segment, or the folder of all where it is none of them.
        path: PathBuf,
        /// What is wrong.
        source: Damage,
    },
    /// Nothing is appended after a failure: what is on the disk then, only opening it again tells.
    #[error("the journal failed earlier; open it again")]
    Failed,
    /// The frame does not follow the last one.
    #[error("the frame must begin with entry {expected}")]
    OtherFrame {
        /// Which entry is next.
        expected: u64,
    },
}

/// For `map_err`.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    move |source| JournalError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
