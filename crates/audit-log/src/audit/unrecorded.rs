//! Why an event is not on record, and why a log does not open.

use crate::{
    checkpoint::CheckpointError, entropy::EntropyError, event::EventError, note::InvalidKeyName,
    store::StoreError,
};

/// An event that must be on record is not: nothing may be done or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unrecorded {
    /// The log did not answer in time.
    #[error("the audit log did not answer within 2 s; nothing was done")]
    TimedOut,
    /// The store failed.
    #[error("the audit log cannot be written now; nothing was done")]
    Unavailable,
    /// The log was closed: the process ends.
    #[error("the audit log is closed; nothing was done")]
    Closed,
    /// An anchor knows of a later or other log.
    #[error("an anchor knows another state of the audit log; nothing was done")]
    RolledBack,
    /// The event is over a limit.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The personal part is too long.
    #[error(transparent)]
    Personal(#[from] crate::event::InvalidPersonal),
    /// There were no random bytes for its id.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// An anchor knows a tree that the log does not have: its tail was cut, or files were put back from a copy, or it was
/// rewritten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "anchor `{anchor}` knows {} of {had} entries that this one of {have} is no continuation of; \
     find out what happened to it, or accept the rollback, which starts a new origin",
    if have >= had { "another log" } else { "a log" }
)]
#[non_exhaustive]
pub struct RolledBack {
    /// What the anchor is called.
    pub anchor: String,
    /// The size of the tree that it knows.
    pub had: u64,
    /// The size of the log.
    pub have: u64,
}

impl RolledBack {
    /// Whether it has as many entries as the anchor knows, or more: nothing is missing at its end, and it is another log.
    #[must_use]
    pub const fn is_other(&self) -> bool {
        self.have >= self.had
    }
}

/// A checkpoint of the log by a key that nobody gave: what it says can be neither believed nor passed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a checkpoint of the log is signed by {signed_by}, which is none of the keys given; \
     give its public key as one that signs no more"
)]
#[non_exhaustive]
pub struct UnknownKey {
    /// The name of the key and its id, as its vkey begins; several with commas between them.
    pub signed_by: String,
}

/// An anchor keeps a checkpoint of more than the log has, by a key that nobody gave: the log was begun again under another
/// key, or its end was cut when a key was replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "anchor `{anchor}` keeps a checkpoint of {claimed} entries, signed by {signed_by}, which is none of the keys given, and \
     the log has {have}; give that key, or accept the rollback, which starts a new origin"
)]
#[non_exhaustive]
pub struct Unverifiable {
    /// What the anchor is called.
    pub anchor: String,
    /// As [`UnknownKey::signed_by`].
    pub signed_by: String,
    /// How many entries the checkpoint says that the log had.
    pub claimed: u64,
    /// The size of the log.
    pub have: u64,
}

impl From<Unverifiable> for RolledBack {
    fn from(found: Unverifiable) -> Self {
        Self {
            anchor: found.anchor,
            had: found.claimed,
            have: found.have,
        }
    }
}

/// Why a log does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store fails, or what it has is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log is not what an anchor knows.
    #[error(transparent)]
    RolledBack(#[from] RolledBack),
    /// The published checkpoint was made with a key of the log that is not given.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    /// An anchor keeps more of the log, by a key that is not given.
    #[error(transparent)]
    Unverifiable(#[from] Unverifiable),
    /// The published checkpoint is of another log, or is changed.
    #[error("the published checkpoint is not of this log and its keys")]
    OtherLog(#[source] CheckpointError),
    /// The origin is so long that a later log of it can have none.
    #[error(transparent)]
    Origin(#[from] InvalidKeyName),
    /// No key is named as the log.
    #[error("none of the keys has the name of the log")]
    NoKey,
    /// There were no random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}
