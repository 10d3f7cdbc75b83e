//! Why the file of erasures cannot be used.

use std::{io, path::PathBuf};

use super::line::Unreadable;
use crate::store::StoreError;

/// What was erased is not known, or what is to be erased cannot be noted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TombstonesError {
    #[error(
        "{} cannot be read and written: {kind}; run as its owner, or change its owner or mode",
        path.display()
    )]
    File { path: PathBuf, kind: io::ErrorKind },
    #[error("the folder of {} is not there; make it or mount it, or name another file", .0.display())]
    NoFolder(PathBuf),
    #[error(
        "{} has {found} of the {known} erasures that the database knows of: put the file back, or a newer copy of \
         it; to accept that a backup may bring back who was in it, make an empty file {}",
        path.display(), accepted.display()
    )]
    Lost {
        path: PathBuf,
        accepted: PathBuf,
        found: u64,
        known: u64,
    },
    #[error(
        "{} is not the file that the erasures of this database are in: its first one is another. Name the same file \
         for all processes of a database, or put it back; to accept that a backup may bring back who was in it, make \
         an empty file {}",
        path.display(), accepted.display()
    )]
    Another { path: PathBuf, accepted: PathBuf },
    #[error("{} is not a file, or is a link to one; move it away and put the file back, or name another", .0.display())]
    NoFile(PathBuf),
    #[error(
        "{}, line {number}: is damaged: {why}; restore the file, or correct the line if you know who was \
         erased",
        path.display()
    )]
    Line {
        path: PathBuf,
        number: usize,
        why: Unreadable,
    },
}

/// An erasure cannot be noted, or what was noted cannot be compared with what the database knows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErasureNoteError {
    #[error(transparent)]
    File(#[from] TombstonesError),
    #[error("what the database knows of erasures cannot be read or written")]
    Store(#[from] StoreError),
}

impl TombstonesError {
    /// Whether what is missing can be accepted as lost.
    pub(super) const fn is_loss(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Another { .. })
    }
}
