//! Why a witness has not cosigned.

use std::error::Error;

use http::StatusCode;

use crate::{
    checkpoint::CheckpointError,
    note::{NoteError, UnverifiedNote},
    sink::TransportError,
    source::TreeFileError,
};

/// What went wrong with a witness. It names neither what was sent nor where to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// There is no key to verify cosignatures with.
    #[error("a witness needs keys of type 04, and no others")]
    NoKey,
    /// The checkpoint is of another log than the witness was set up for.
    #[error("the checkpoint is of another log than the witness was set up for")]
    OtherLog,
    /// It has cosigned a larger tree than the log has: the log was put back, or another process has published since.
    #[error("the witness has cosigned a tree of {had} entries, and this one has {have}")]
    Ahead {
        /// The size that it has cosigned.
        had: u64,
        /// The size that it was to cosign.
        have: u64,
    },
    /// It does not cosign: 404, the log is not known to it; 403, the key is not; 422, the tree is no continuation of the
    /// one that it has cosigned.
    #[error("the witness answered with status {status}")]
    Refused {
        /// The status of the answer.
        status: StatusCode,
    },
    /// Each time that it was asked, it had another size: others ask too.
    #[error("the witness had another size each time that it was asked")]
    Busy,
    /// The answer is not what the protocol has.
    #[error("the answer of the witness has no {expected}")]
    Answer {
        /// What must stand there.
        expected: &'static str,
    },
    /// No known key has cosigned, or a signature is not by the key that it names.
    #[error("the answer of the witness has no cosignature to believe")]
    NotCosigned(#[from] UnverifiedNote),
    /// A note cannot be read.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The tiles of the log do not give the proof.
    #[error(transparent)]
    Tree(#[from] TreeFileError),
    /// The request could not be sent.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// No request can be made to that URL.
    #[error("no request can be made to the URL of the witness")]
    Endpoint(#[source] Box<dyn Error + Send + Sync>),
    /// The runtime ends.
    #[error("the proof for the witness was not made, as the runtime ends")]
    Task(#[source] Box<dyn Error + Send + Sync>),
}

impl WitnessError {
    pub(super) fn endpoint(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Endpoint(source.into())
    }

    pub(super) fn task(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Task(source.into())
    }
}
