//! That a leaf is in a tree.

use super::{
    MAX_SIZE, ProofError, Subtree, TreeHash,
    subtree::{root_of, split},
};

/// The hashes that lead from a leaf to the root: RFC 6962, 2.1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    index: u64,
    size: u64,
    hashes: Vec<TreeHash>,
}

impl InclusionProof {
    /// Makes the proof for the leaf `index` of a tree of `size` leaves. `hash_of` gives the hashes of perfect
    /// subtrees, all within the tree.
    ///
    /// # Errors
    /// [`ProofError::NoSuchLeaf`] and [`ProofError::TooLarge`], and what `hash_of` fails with.
    pub fn build<E: From<ProofError>>(
        index: u64,
        size: u64,
        mut hash_of: impl FnMut(Subtree) -> Result<TreeHash, E>,
    ) -> Result<Self, E> {
        check(index, size)?;
        let (mut start, mut end) = (0, size);
        let mut hashes = Vec::with_capacity(length(index, size));
        while end - start > 1 {
            let middle = split(start, end);
            if index < middle {
                hashes.push(root_of(middle, end, &mut hash_of)?);
                end = middle;
            } else {
                hashes.push(root_of(start, middle, &mut hash_of)?);
                start = middle;
            }
        }
        hashes.reverse();
        Ok(Self {
            index,
            size,
            hashes,
        })
    }

    /// A proof that was sent, of the length that it must have.
    ///
    /// # Errors
    /// [`ProofError::NoSuchLeaf`], [`ProofError::TooLarge`], [`ProofError::WrongLength`].
    pub fn from_hashes(index: u64, size: u64, hashes: Vec<TreeHash>) -> Result<Self, ProofError> {
        check(index, size)?;
        let (expected, found) = (length(index, size), hashes.len());
        if expected != found {
            return Err(ProofError::WrongLength { expected, found });
        }
        Ok(Self {
            index,
            size,
            hashes,
        })
    }

    /// Shows that a leaf, given by its hash, is in the tree with this root: RFC 9162, 2.1.3.2, with the length known.
    ///
    /// # Errors
    /// [`ProofError::WrongRoot`] if the hashes do not lead there.
    pub fn verify(&self, leaf: &TreeHash, root: &TreeHash) -> Result<(), ProofError> {
        let (mut index, mut last) = (self.index, self.size - 1);
        let mut hash = *leaf;
        for sibling in &self.hashes {
            // The last node of a level has nothing on its right, and is the last on the levels above.
            hash = if index & 1 == 1 || index == last {
                TreeHash::of_children(sibling, &hash)
            } else {
                TreeHash::of_children(&hash, sibling)
            };
            (index, last) = (index >> 1, last >> 1);
        }
        if hash == *root {
            Ok(())
        } else {
            Err(ProofError::WrongRoot)
        }
    }

    /// The leaf that it is for, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The size of the tree that it is for.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// From the leaf's sibling up to the root's child.
    #[must_use]
    pub fn hashes(&self) -> &[TreeHash] {
        &self.hashes
    }
}

const fn check(index: u64, size: u64) -> Result<(), ProofError> {
    if size > MAX_SIZE {
        return Err(ProofError::TooLarge);
    }
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    Ok(())
}

/// How many hashes lead to the root.
const fn length(index: u64, size: u64) -> usize {
    let (mut start, mut end, mut steps) = (0, size, 0);
    while end - start > 1 {
        let middle = split(start, end);
        if index < middle {
            end = middle;
        } else {
            start = middle;
        }
        steps += 1;
    }
    steps
}
