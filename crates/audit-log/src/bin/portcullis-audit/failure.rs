//! Why nothing was printed.

use std::{io, path::PathBuf};

use portcullis_audit_log::{
    checkpoint::{CheckpointError, InvalidPolicy},
    proof::ProveError,
    source::{SourceError, TreeFileError},
    verify::Outcome,
};

use super::http_source::ClientError;

/// What ends a command early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Policy(#[from] InvalidPolicy),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[cfg(feature = "archive")]
    #[error(transparent)]
    Archive(#[from] super::archived_log::StoreError),
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error("{} cannot be {doing}", path.display())]
    KeptFile {
        path: PathBuf,
        doing: &'static str,
        source: io::Error,
    },
    #[error("{} is no checkpoint that a key of --vkey has signed", path.display())]
    Kept {
        path: PathBuf,
        source: CheckpointError,
    },
    #[cfg(unix)]
    #[error(transparent)]
    Index(#[from] portcullis_audit_log::store::FileStoreError),
    #[error("standard output cannot be written")]
    Output(#[from] io::Error),
}

impl Failure {
    /// What it says of the log.
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Prove(error) => of_proof(error),
            _ => Outcome::Unusable,
        }
    }
}

const fn of_proof(error: &ProveError) -> Outcome {
    match error {
        ProveError::NoBundle { .. } | ProveError::Tiles(TreeFileError::Missing { .. }) => {
            Outcome::Incomplete
        }
        ProveError::NotInTheLog { .. }
        | ProveError::Bundle { .. }
        | ProveError::Tiles(
            TreeFileError::File { .. } | TreeFileError::Source(SourceError::TooLong { .. }),
        ) => Outcome::Tampered,
        _ => Outcome::Unusable,
    }
}
