//! What a writer keeps of the tree to append to it.

use super::{MAX_SIZE, ProofError, Subtree, TreeHash, subtree::peaks};

/// The roots of the perfect subtrees that make up a tree, from the largest to the smallest: at most 63 hashes, from
/// which the root follows, and to which a leaf is appended with two hashes on average.
///
/// Neither appending nor the root allocates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightEdge {
    size: u64,
    peaks: Vec<TreeHash>,
}

/// A right edge has one hash for each bit of the tree's size that is set, and the size has a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a right edge of {found} hashes does not belong to a tree of {size} leaves")]
#[non_exhaustive]
pub struct InvalidRightEdge {
    /// The size that was given.
    pub size: u64,
    /// How many hashes were given.
    pub found: usize,
}

/// More peaks than any tree has.
const MOST_PEAKS: usize = 64;

impl RightEdge {
    /// The edge of the tree that has no leaf.
    #[must_use]
    pub fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::with_capacity(MOST_PEAKS),
        }
    }

    /// The edge that [`size`](Self::size) and [`peaks`](Self::peaks) told earlier.
    ///
    /// # Errors
    /// [`InvalidRightEdge`] if they cannot belong together, or the size is over [`MAX_SIZE`]. Whether the hashes are
    /// right shows in the root.
    pub fn from_peaks(size: u64, peaks: &[TreeHash]) -> Result<Self, InvalidRightEdge> {
        if size > MAX_SIZE || u32::try_from(peaks.len()) != Ok(size.count_ones()) {
            let found = peaks.len();
            return Err(InvalidRightEdge { size, found });
        }
        let mut edge = Self::new();
        edge.size = size;
        edge.peaks.extend_from_slice(peaks);
        Ok(edge)
    }

    /// The edge of a tree of `size` leaves, as after a start. `hash_of` gives the hashes of perfect subtrees.
    ///
    /// # Errors
    /// [`ProofError::TooLarge`], and what `hash_of` fails with.
    pub fn build<E: From<ProofError>>(
        size: u64,
        mut hash_of: impl FnMut(Subtree) -> Result<TreeHash, E>,
    ) -> Result<Self, E> {
        if size > MAX_SIZE {
            return Err(ProofError::TooLarge.into());
        }
        let mut edge = Self::new();
        edge.size = size;
        edge.peaks = peaks(size).map(&mut hash_of).collect::<Result<_, _>>()?;
        edge.peaks.reserve(MOST_PEAKS);
        Ok(edge)
    }

    /// Appends a leaf, given by its hash.
    pub fn push(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        // As in adding 1 to a binary number: what is full is carried.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = TreeHash::of_children(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[TreeHash] {
        &self.peaks
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> TreeHash {
        let mut from_right = self.peaks.iter().rev();
        let Some(last) = from_right.next() else {
            return TreeHash::of_empty_tree();
        };
        from_right.fold(*last, |right, left| TreeHash::of_children(left, &right))
    }
}

impl Default for RightEdge {
    fn default() -> Self {
        Self::new()
    }
}
