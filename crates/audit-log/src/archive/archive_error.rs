//! Why a log is not archived.

use std::error::Error;

use crate::{checkpoint::CheckpointError, store::StoreError, tile::TilePath, verify::Outcome};

/// What went wrong with an archive, or with the log that was to go there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The prefix, or a path below it, is none of an object store.
    #[error("the prefix of the archive must be a path without empty parts, as `audit/server`")]
    Prefix(#[source] Box<dyn Error + Send + Sync>),
    /// The object store does not do what it was asked for.
    #[error("the archive cannot read or write {path}")]
    Store {
        /// The object, or what lies below that.
        path: Box<str>,
        /// What it says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An object is there, with other bytes: it is of another log, or somebody has put it there. Nothing was changed.
    #[error(
        "{path} is in the archive with other bytes: find out who put it there, or begin another archive"
    )]
    Different {
        /// The object.
        path: Box<str>,
    },
    /// An object is longer than any of its kind.
    #[error("{path} in the archive has more than {at_most} bytes")]
    TooLong {
        /// The object.
        path: Box<str>,
        /// How many it may have.
        at_most: usize,
    },
    /// What should be a checkpoint is none.
    #[error("{path} in the archive is no signed note")]
    NoNote {
        /// The object.
        path: Box<str>,
    },
    /// The archive is of another log, or its checkpoint is signed by other keys.
    #[error("the latest checkpoint in the archive is not of this log and its keys")]
    OtherLog(#[source] CheckpointError),
    /// The checkpoint that is to be kept is of another log.
    #[error("the checkpoint is of another log than the archive was set up for")]
    OtherOrigin,
    /// The log is not sound: nothing of it is archived, since it would stay there for ever.
    #[error("the log is {0}: nothing of it is archived before somebody has verified it")]
    Unsound(Outcome),
    /// A file of the log is missing, or belongs to a later checkpoint already: the next call goes on.
    #[error("{path} of the log is not there")]
    Missing {
        /// The file.
        path: TilePath,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// The runtime ends.
    #[error("the log was not archived, as the runtime ends")]
    Task(#[source] Box<dyn Error + Send + Sync>),
}

impl ArchiveError {
    pub(super) fn prefix(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Prefix(source.into())
    }

    pub(super) fn store(path: &str) -> impl Fn(object_store::Error) -> Self {
        move |source| Self::Store {
            path: path.into(),
            source: source.into(),
        }
    }

    pub(super) fn task(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Task(source.into())
    }
}
