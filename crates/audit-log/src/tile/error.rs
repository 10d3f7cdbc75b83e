//! Why a file is no tile.

use super::TilePath;
use crate::tree::ProofError;

/// What is wrong with a tile, a bundle, or with what is asked of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// The path is of another kind of file.
    #[error("the path is of a file of another kind")]
    OtherKind,
    /// A tile has 32 bytes for each hash.
    #[error("the tile must have {expected} bytes and has {found}")]
    WrongLength {
        /// How many it must have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A bundle ends within an entry, or before it.
    #[error("the bundle ends within entry {entry}")]
    Truncated {
        /// The entry, from 0 in the bundle.
        entry: usize,
    },
    /// There is something behind the last entry of a bundle.
    #[error("the bundle has {found} bytes behind its last entry")]
    TrailingBytes {
        /// How many.
        found: usize,
    },
    /// An entry is longer than its length can say.
    #[error("an entry has at most 65535 bytes, not {found}")]
    EntryTooLong {
        /// How many it has.
        found: usize,
    },
    /// A tile is not among those that were given.
    #[error("{path} is missing")]
    Missing {
        /// Which tile.
        path: TilePath,
    },
    /// The subtree is not within the tile.
    #[error("subtree {index} of level {level} is not in the tile")]
    NotInTile {
        /// The level of the subtree in the tree.
        level: u32,
        /// Its number in that level.
        index: u64,
    },
    /// The proof is for what no tree has.
    #[error(transparent)]
    Proof(#[from] ProofError),
}
