//! Leaves that follow one another.

use crate::tile::{Entries, TileError, write_entry};

/// Some leaves in their order.
#[derive(Debug, Clone, Default)]
pub struct EntryBatch {
    first: u64,
    count: u64,
    bytes: Vec<u8>,
}

impl EntryBatch {
    /// Without leaves; the first that is put in is that of index `first`.
    #[must_use]
    pub const fn new(first: u64) -> Self {
        Self {
            first,
            count: 0,
            bytes: Vec::new(),
        }
    }

    /// Appends a leaf.
    ///
    /// # Errors
    /// [`TileError::EntryTooLong`].
    pub fn push(&mut self, leaf: &[u8]) -> Result<(), TileError> {
        write_entry(leaf, &mut self.bytes)?;
        self.count += 1;
        Ok(())
    }

    /// The leaves, each with its index in the tree.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (self.first..).zip(Entries::of(&self.bytes))
    }

    /// The index of the leaf behind the last.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.first + self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes of the leaves, with two for the length of each.
    #[must_use]
    pub const fn size_bytes(&self) -> usize {
        self.bytes.len()
    }
}
