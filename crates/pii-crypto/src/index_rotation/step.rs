//! What a step of a rotation did, and why one was not done.

use std::{collections::BTreeMap, time::Duration};

use portcullis_keyring::KeyId;

use super::IndexStatesError;
use crate::{
    IllegalIndexStep, IndexVersion,
    reencrypt::{RowFailure, SweepError, UnusableKey},
};

/// What a step did.
#[derive(Debug)]
#[non_exhaustive]
pub enum IndexStep {
    /// The version is written from now on, beside the one that is enforced.
    Begun,
    /// Every row has values of the version, and it is enforced.
    Enforced {
        /// The version that was, and is retiring now.
        former: IndexVersion,
    },
    /// The former version is not written any more.
    Retired {
        /// The version that is gone.
        former: IndexVersion,
    },
    /// The phase has to last: nothing was done.
    Waiting {
        /// How long it still has to.
        ready_in: Duration,
    },
    /// Somebody else took the step at the same time.
    Overtaken,
    /// The version cannot be enforced: somebody has to look at these rows. The next call tries again.
    Stopped(Stopped),
    /// The version is the only one, and no value of another is left: other roots can leave the environment.
    Done,
}

/// Why the new version is not enforced.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stopped {
    /// Rows with a value that another row has too, and only one may: two records turn out to be the same.
    /// Merge them, or erase one. The first [`Report::MAX_LISTED`](crate::reencrypt::Report::MAX_LISTED) of
    /// each table.
    pub duplicates: Vec<RowFailure>,
    /// Rows that cannot be indexed, or hold another field that does not open; as many of them.
    pub failures: Vec<RowFailure>,
    /// Keys that rows fail for, with how many do; `failures` has a few of them.
    pub unusable: BTreeMap<KeyId, UnusableKey>,
    /// How many rows lack values of the version, those above included.
    pub left: u64,
    /// How many times a field has values under one of the two versions and none under the other.
    pub differences: u64,
    /// How many values of the version are not those of the row's fields, or are missing, as found by opening
    /// every row. Looked for once nothing else stands in the way. [`abandon`](super::IndexRotation::abandon)
    /// the rotation and begin it again: all values of the version are then written again.
    pub wrong: u64,
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// No version is enforced.
    #[error("no version of the index root is enforced yet: start the service once")]
    NotStarted,
    /// Another rotation has not ended.
    #[error("version {0} of the index root is on its way: end or abandon that rotation first")]
    Other(IndexVersion),
    /// The version is not written, and so cannot be given up.
    #[error(transparent)]
    Illegal(#[from] IllegalIndexStep),
    /// The phases or values could not be read or written.
    #[error(transparent)]
    States(#[from] IndexStatesError),
    /// Rows could not be read or written, or there are no keys to open them with.
    #[error(transparent)]
    Sweep(#[from] SweepError),
}

impl Stopped {
    pub(super) const fn is_any(&self) -> bool {
        self.left > 0 || self.differences > 0 || self.wrong > 0
    }
}
