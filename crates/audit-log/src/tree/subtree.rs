//! The perfect subtrees that every proof is made of.

use super::TreeHash;

/// A perfect subtree: the 2^level leaves from `index` × 2^level on. Its hash never changes once they are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subtree {
    level: u32,
    index: u64,
}

impl Subtree {
    /// Its height: 0 is a leaf.
    #[must_use]
    pub const fn level(&self) -> u32 {
        self.level
    }

    /// Its number among the subtrees of its level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }
}

/// The perfect subtrees that a tree of `size` leaves falls into, the largest first.
pub(super) fn peaks(size: u64) -> impl Iterator<Item = Subtree> {
    let levels = (0..u64::BITS)
        .rev()
        .filter(move |level| size >> level & 1 == 1);
    levels.map(move |level| {
        // What stands before it are larger ones, whole ones of its level.
        let index = (size >> level) - 1;
        Subtree { level, index }
    })
}

/// The root of the leaves `start..end`, by the perfect subtrees they fall into. `start` is a multiple of the largest
/// of them, as it is wherever RFC 6962 splits a tree.
pub(super) fn root_of<E>(
    start: u64,
    end: u64,
    hash_of: &mut impl FnMut(Subtree) -> Result<TreeHash, E>,
) -> Result<TreeHash, E> {
    let mut remaining = end - start;
    let mut from = end;
    let mut root = None;
    // The smallest subtree is the rightmost.
    while remaining != 0 {
        let level = remaining.trailing_zeros();
        from -= 1 << level;
        let index = from >> level;
        let left = hash_of(Subtree { level, index })?;
        root = Some(match root {
            None => left,
            Some(right) => TreeHash::of_children(&left, &right),
        });
        remaining &= remaining - 1;
    }
    Ok(root.unwrap_or_else(TreeHash::of_empty_tree))
}

/// Where a tree of the leaves `start..end`, at least two, falls into its children: behind the largest power of two
/// that is smaller than it.
pub(super) const fn split(start: u64, end: u64) -> u64 {
    start + (1 << (end - start - 1).ilog2())
}
