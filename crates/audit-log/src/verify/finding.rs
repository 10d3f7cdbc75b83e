//! What is wrong with a log, and where.

use super::Outcome;
use crate::{
    checkpoint::CheckpointError,
    event::LeafError,
    note::UnverifiedNote,
    source::{CHECKPOINT_PATH, SourceError, TreeFileError},
    tile::{TileError, TilePath},
    tree::ProofError,
};

/// One thing that is wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// There is no checkpoint, and so no log.
    #[error("checkpoint: is missing")]
    NoCheckpoint,
    /// What was to be verified is no part of the log.
    #[error("{} were to be verified, and the log has {size}, from 0 on", entries(*from, *to))]
    NoSuchRange {
        /// The first.
        from: u64,
        /// That behind the last.
        to: u64,
        /// How many entries the log has.
        size: u64,
    },
    /// The checkpoint is none, or is not signed as it must be.
    #[error("checkpoint: {0}")]
    Checkpoint(CheckpointError),
    /// The checkpoint that was kept is of another log, so that nothing is to be compared.
    #[error("the checkpoint that was kept is of another log")]
    OtherLog,
    /// The log has shrunk: its tail is cut, or an old copy was put in its place.
    #[error("checkpoint: the log has {found} entries, and had {kept} before")]
    RolledBack {
        /// How many entries it had.
        kept: u64,
        /// How many it has.
        found: u64,
    },
    /// The log was rewritten: what it had before is not how it begins.
    #[error(
        "checkpoint: the log of {size} entries does not begin with the {kept} that it had before"
    )]
    Forked {
        /// How many entries it had.
        kept: u64,
        /// How many it has.
        size: u64,
    },
    /// An entry is not what the log has signed, or what it signed is not as it must be.
    #[error("{path}: entry {n} {fault}")]
    Entry {
        /// The file that it is in.
        path: TilePath,
        /// The entry, from 0 in the log.
        n: u64,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// A file is no tile and no bundle of so many entries.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: TilePath,
        /// What is wrong with it.
        error: TileError,
    },
    /// The hashes of a tile are not those of the entries.
    #[error("{path}: the tile does not have the hashes of the entries")]
    Tile {
        /// Which file.
        path: TilePath,
    },
    /// A bundle and the tile of its hashes differ, and neither leads to the root.
    #[error("{path}: entry {n} and the tile of its hash differ, and neither is what was signed")]
    Undecided {
        /// The file of the bundle.
        path: TilePath,
        /// The first entry that differs.
        n: u64,
    },
    /// What is there is not what was signed, and nothing tells where.
    #[error("checkpoint: the entries do not lead to the root of {size} entries")]
    Root {
        /// The size of the log.
        size: u64,
    },
    /// Files are missing, which no pruning explains.
    #[error("{path}: is missing{}", after(*more))]
    Missing {
        /// The first of them.
        path: TilePath,
        /// How many of its kind are missing directly after it.
        more: u64,
    },
    /// The beginning of the log is missing, and no entry says that it was pruned so far.
    #[error("the entries before {first} are gone, and the log says so {}", of_recorded(*recorded))]
    Unexplained {
        /// The first entry that is there.
        first: u64,
        /// The first that may be, as the log says; 0 if it says nothing.
        recorded: u64,
    },
    /// The checkpoint is larger than the entries: the last of them are missing.
    #[error("checkpoint: the log has {expected} entries, and those from {found} on are missing")]
    FewerEntries {
        /// What the checkpoint says.
        expected: u64,
        /// The first that is missing.
        found: u64,
    },
    /// Somebody has damaged the journal while it was written to. Nothing that was acknowledged is lost by that.
    #[error(
        "journal: that of entries {from} to {to} was damaged and is repaired; what was there of it is in `damaged`"
    )]
    Journal {
        /// The first entry that it had, from 0 in the log.
        from: u64,
        /// The size of the log at that time.
        to: u64,
    },
    /// A file cannot be read.
    #[error("{0}")]
    Source(SourceError),
    /// What is asked for is in no tree of the log's size.
    #[error("checkpoint: {0}")]
    Proof(ProofError),
    /// There are more tenants than are kept in memory.
    #[error("entry {n} is of one tenant too many; verify ranges of the log")]
    TooManyTenants {
        /// The entry, from 0 in the log.
        n: u64,
    },
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// It is another than the one that was signed.
    #[error("is not the one that was signed")]
    Changed,
    /// It stands in the place of another: entries were moved, removed, inserted or doubled.
    #[error("says that it is entry {found}")]
    WrongIndex {
        /// What it says.
        found: u64,
    },
    /// An entry of its tenant is missing before it, or is there twice.
    #[error("says that it is entry {found} of its tenant, and must be {expected}")]
    WrongTenantIndex {
        /// What must stand there.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// It was signed, and is no leaf.
    #[error("is no event: {0}")]
    Leaf(LeafError),
    /// Its personal part is another.
    #[error("commits to another personal part")]
    Personal,
    /// What is kept of it elsewhere, as in an index, is not what it says.
    #[error("is not what the index says")]
    Row,
}

impl Finding {
    /// What it makes of the log.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Missing { .. } | Self::FewerEntries { .. } | Self::Unexplained { .. } => {
                Outcome::Incomplete
            }
            // Of a key that is known, nobody else makes a signature: that one is wrong shows that bytes were changed.
            Self::Checkpoint(CheckpointError::Unverified(UnverifiedNote::WrongSignature {
                ..
            })) => Outcome::Tampered,
            Self::Source(SourceError::TooLong { path, .. }) if **path != *CHECKPOINT_PATH => {
                Outcome::Tampered
            }
            Self::NoCheckpoint
            | Self::NoSuchRange { .. }
            | Self::Checkpoint(_)
            | Self::OtherLog
            | Self::Proof(_)
            | Self::Source(_)
            | Self::TooManyTenants { .. } => Outcome::Unusable,
            Self::Journal { .. }
            | Self::RolledBack { .. }
            | Self::Forked { .. }
            | Self::Entry { .. }
            | Self::File { .. }
            | Self::Tile { .. }
            | Self::Undecided { .. }
            | Self::Root { .. } => Outcome::Tampered,
        }
    }
}

fn of_recorded(recorded: u64) -> String {
    match recorded {
        0 => "of none".to_owned(),
        recorded => format!("of those before {recorded} alone"),
    }
}

fn entries(from: u64, to: u64) -> String {
    match to {
        u64::MAX => format!("entries from {from} on"),
        to => format!("entries {from} to {to}"),
    }
}

fn after(more: u64) -> String {
    match more {
        0 => String::new(),
        more => format!(", and {more} after it"),
    }
}

impl From<TreeFileError> for Finding {
    fn from(error: TreeFileError) -> Self {
        match error {
            TreeFileError::Source(error) => Self::Source(error),
            TreeFileError::Missing { path } => Self::Missing { path, more: 0 },
            TreeFileError::File { path, error } => Self::File { path, error },
            TreeFileError::Proof(error) => Self::Proof(error),
        }
    }
}
