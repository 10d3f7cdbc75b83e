//! That a tree is the beginning of another.

use super::{
    MAX_SIZE, ProofError, Subtree, TreeHash,
    subtree::{root_of, split},
};

/// The hashes that lead to the roots of an earlier and a later tree: RFC 6962, 2.1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    old: u64,
    new: u64,
    hashes: Vec<TreeHash>,
}

impl ConsistencyProof {
    /// Makes the proof that the tree of `old` leaves is the beginning of the one of `new`. `hash_of` gives the hashes
    /// of perfect subtrees, all within the later tree.
    ///
    /// # Errors
    /// [`ProofError::Shrunk`] and [`ProofError::TooLarge`], and what `hash_of` fails with.
    pub fn build<E: From<ProofError>>(
        old: u64,
        new: u64,
        mut hash_of: impl FnMut(Subtree) -> Result<TreeHash, E>,
    ) -> Result<Self, E> {
        check(old, new)?;
        let mut hashes = Vec::with_capacity(length(old, new));
        if old != 0 {
            let (mut start, mut end) = (0, new);
            while old != end {
                let middle = split(start, end);
                if old <= middle {
                    hashes.push(root_of(middle, end, &mut hash_of)?);
                    end = middle;
                } else {
                    hashes.push(root_of(start, middle, &mut hash_of)?);
                    start = middle;
                }
            }
            // The whole earlier tree is known by its root.
            if start != 0 {
                hashes.push(root_of(start, end, &mut hash_of)?);
            }
            hashes.reverse();
        }
        Ok(Self { old, new, hashes })
    }

    /// A proof that was sent, of the length that it must have.
    ///
    /// # Errors
    /// [`ProofError::Shrunk`], [`ProofError::TooLarge`], [`ProofError::WrongLength`].
    pub fn from_hashes(old: u64, new: u64, hashes: Vec<TreeHash>) -> Result<Self, ProofError> {
        check(old, new)?;
        let (expected, found) = (length(old, new), hashes.len());
        if expected != found {
            return Err(ProofError::WrongLength { expected, found });
        }
        Ok(Self { old, new, hashes })
    }

    /// Shows that the tree with `old_root` is the beginning of the one with `new_root`: RFC 9162, 2.1.4.2, with
    /// the length known.
    ///
    /// # Errors
    /// [`ProofError::WrongOldRoot`] and [`ProofError::WrongRoot`] if the hashes do not lead there. The earlier tree
    /// without a leaf is the beginning of every tree, if its root is that of the empty tree.
    pub fn verify(&self, old_root: &TreeHash, new_root: &TreeHash) -> Result<(), ProofError> {
        if self.old == 0 {
            return equal(
                &TreeHash::of_empty_tree(),
                old_root,
                ProofError::WrongOldRoot,
            )
            .and_then(|()| self.verify_empty(new_root));
        }
        let (mut index, mut last) = (self.old - 1, self.new - 1);
        let up = index.trailing_ones();
        (index, last) = (index >> up, last >> up);
        let mut hashes = self.hashes.iter();
        // A perfect earlier tree is a subtree of the later one, and not repeated in the proof.
        let first = match hashes.as_slice().first() {
            Some(first) if !self.old.is_power_of_two() => {
                hashes.next();
                first
            }
            _ => old_root,
        };
        let (mut old_hash, mut new_hash) = (*first, *first);
        for sibling in hashes {
            // The last node of a level has nothing on its right, and is the last on the levels above.
            if index & 1 == 1 || index == last {
                old_hash = TreeHash::of_children(sibling, &old_hash);
                new_hash = TreeHash::of_children(sibling, &new_hash);
            } else {
                new_hash = TreeHash::of_children(&new_hash, sibling);
            }
            (index, last) = (index >> 1, last >> 1);
        }
        equal(&old_hash, old_root, ProofError::WrongOldRoot)?;
        equal(&new_hash, new_root, ProofError::WrongRoot)
    }

    /// Nothing is known of a later tree, but that without leaves too it has one root.
    fn verify_empty(&self, new_root: &TreeHash) -> Result<(), ProofError> {
        if self.new == 0 {
            return equal(&TreeHash::of_empty_tree(), new_root, ProofError::WrongRoot);
        }
        Ok(())
    }

    /// The size of the earlier tree.
    #[must_use]
    pub const fn old_size(&self) -> u64 {
        self.old
    }

    /// The size of the later tree.
    #[must_use]
    pub const fn new_size(&self) -> u64 {
        self.new
    }

    /// The hashes, in the order of RFC 6962.
    #[must_use]
    pub fn hashes(&self) -> &[TreeHash] {
        &self.hashes
    }
}

fn equal(found: &TreeHash, expected: &TreeHash, otherwise: ProofError) -> Result<(), ProofError> {
    if found == expected {
        Ok(())
    } else {
        Err(otherwise)
    }
}

const fn check(old: u64, new: u64) -> Result<(), ProofError> {
    if new > MAX_SIZE {
        return Err(ProofError::TooLarge);
    }
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    Ok(())
}

/// How many hashes lead to both roots.
const fn length(old: u64, new: u64) -> usize {
    if old == 0 {
        return 0;
    }
    let (mut start, mut end, mut steps) = (0, new, 0);
    while old != end {
        let middle = split(start, end);
        if old <= middle {
            end = middle;
        } else {
            start = middle;
        }
        steps += 1;
    }
    if start == 0 { steps } else { steps + 1 }
}
