//! Where a log is not what its checkpoint says.

use crate::{
    event::LeafError,
    tile::{TileError, TilePath},
};

/// What is wrong with a log, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file is no bundle of so many entries.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: TilePath,
        /// What is wrong with it.
        error: TileError,
    },
    /// An entry is no leaf.
    #[error("entry {index}: {error}")]
    Leaf {
        /// The entry, from 0 in the log.
        index: u64,
        /// What is wrong with it.
        error: LeafError,
    },
    /// An entry is not the one that belongs there.
    #[error("entry {index} says that it is entry {found}")]
    WrongIndex {
        /// The entry, from 0 in the log.
        index: u64,
        /// What it says.
        found: u64,
    },
    /// An entry of a tenant is missing, or one is there twice.
    #[error("entry {index} says that it is entry {found} of its tenant, and must be {expected}")]
    WrongTenantIndex {
        /// The entry, from 0 in the log.
        index: u64,
        /// What must stand there.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// There are fewer entries than the checkpoint says, or more.
    #[error("there are {found} entries, and must be {expected}")]
    WrongSize {
        /// What the checkpoint says.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The entries do not lead to the root of the checkpoint.
    #[error("the entries do not lead to the root of the checkpoint")]
    WrongRoot,
}
