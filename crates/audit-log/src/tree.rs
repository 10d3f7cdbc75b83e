//! The Merkle tree of RFC 6962: hashes, the right edge that a writer keeps, proofs.

mod consistency;
mod hash;
mod inclusion;
mod proof_error;
mod right_edge;
mod subtree;

pub use self::{
    consistency::ConsistencyProof,
    hash::{InvalidHash, TreeHash},
    inclusion::InclusionProof,
    proof_error::ProofError,
    right_edge::{InvalidRightEdge, RightEdge},
    subtree::Subtree,
};

/// The largest size of a tree: 2^63 - 1, the largest that other implementations can hold.
pub const MAX_SIZE: u64 = i64::MAX.unsigned_abs();

#[cfg(test)]
mod tests;
