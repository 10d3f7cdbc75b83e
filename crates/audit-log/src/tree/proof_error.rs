//! Why a proof proves nothing.

/// What is wrong with a proof, or with what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The tree has no such leaf.
    #[error("there is no leaf {index} in a tree of {size}")]
    NoSuchLeaf {
        /// The leaf, from 0.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A tree never gets smaller.
    #[error("a tree of {new} leaves cannot follow one of {old}")]
    Shrunk {
        /// The earlier size.
        old: u64,
        /// The later size.
        new: u64,
    },
    /// The size is over [`MAX_SIZE`](super::MAX_SIZE).
    #[error("a tree has at most 9223372036854775807 leaves")]
    TooLarge,
    /// A proof for this leaf and these sizes has another length.
    #[error("the proof has {found} hashes and must have {expected}")]
    WrongLength {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The hashes do not lead to the earlier root.
    #[error("the proof does not lead to the root of the earlier tree")]
    WrongOldRoot,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root of the tree")]
    WrongRoot,
}
