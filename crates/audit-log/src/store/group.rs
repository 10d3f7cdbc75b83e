//! What becomes durable at once.

use super::LogState;
use crate::{
    event::{Event, LeafNumbers},
    tree::{RightEdge, TreeHash},
};

/// The most events of a group.
pub const MAX_GROUP_EVENTS: usize = 2_048;

/// The most bytes of a group, leaves and personal parts: what fits a frame of the journal.
pub const MAX_GROUP_BYTES: usize = 8 * 1024 * 1024 - FRAME_BYTES;

/// What a frame has beside.
const FRAME_BYTES: usize = 64;
/// What stands before each leaf, and before each personal part.
const LEAF_BYTES: usize = 2;
const PART_BYTES: usize = 10;

/// Leaves with their numbers, the state of the log behind them, and the sealed parts that lie beside them.
#[derive(Debug, Clone)]
pub struct Group {
    first: u64,
    leaves: Vec<u8>,
    entries: Vec<Placed>,
    after: LogState,
    bytes: usize,
}

/// A leaf of a group.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct GroupEntry<'a> {
    /// Its index in the tree.
    pub n: u64,
    /// Its bytes.
    pub leaf: &'a [u8],
    /// Its hash.
    pub hash: TreeHash,
    /// The sealed personal part.
    pub sealed: Option<&'a [u8]>,
}

/// There is no room in the group: it is to be committed, and another begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a group has at most 2048 events and 8 MiB")]
#[non_exhaustive]
pub struct GroupFull;

#[derive(Debug, Clone)]
struct Placed {
    end: usize,
    hash: TreeHash,
    sealed: Option<Vec<u8>>,
}

impl Group {
    /// Begins behind what a log has.
    #[must_use]
    pub const fn new(state: LogState) -> Self {
        Self {
            first: state.edge.size(),
            leaves: Vec::new(),
            entries: Vec::new(),
            after: state,
            bytes: 0,
        }
    }

    /// Gives an event its numbers, and appends its leaf. Gives the index in the tree.
    ///
    /// # Errors
    /// [`GroupFull`]; nothing was appended.
    pub fn push(&mut self, event: &Event, sealed: Option<Vec<u8>>) -> Result<u64, GroupFull> {
        let part = sealed
            .as_ref()
            .map_or(0, |sealed| PART_BYTES + sealed.len());
        let most = LEAF_BYTES + event.max_leaf_bytes() + part;
        if self.entries.len() == MAX_GROUP_EVENTS || self.bytes + most > MAX_GROUP_BYTES {
            return Err(GroupFull);
        }
        let in_tree = self.after.edge.size();
        let in_tenant = match self.after.tenants.get_mut(event.tenant()) {
            Some(leaves) => leaves,
            None => self
                .after
                .tenants
                .entry(event.tenant().clone())
                .or_default(),
        };
        let numbers = LeafNumbers {
            in_tree,
            in_tenant: *in_tenant,
        };
        *in_tenant += 1;
        let start = self.leaves.len();
        event.write_leaf(numbers, &mut self.leaves);
        let hash = TreeHash::of_leaf(&self.leaves[start..]);
        self.after.edge.push(hash);
        let end = self.leaves.len();
        self.bytes += LEAF_BYTES + end - start + part;
        self.entries.push(Placed { end, hash, sealed });
        Ok(in_tree)
    }

    /// The index of its first leaf.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Its leaves in their order.
    pub fn entries(&self) -> impl Iterator<Item = GroupEntry<'_>> {
        let mut start = 0;
        (self.first..).zip(&self.entries).map(move |(n, placed)| {
            let leaf = &self.leaves[start..placed.end];
            start = placed.end;
            GroupEntry {
                n,
                leaf,
                hash: placed.hash,
                sealed: placed.sealed.as_deref(),
            }
        })
    }

    /// The tree with its leaves.
    #[must_use]
    pub const fn edge_after(&self) -> &RightEdge {
        &self.after.edge
    }

    /// The tree, and the tenants' numbers of leaves, with its own.
    #[must_use]
    pub const fn after(&self) -> &LogState {
        &self.after
    }
}
