//! A whole log, checked from its first entry to its checkpoint.

mod log_error;

use std::collections::HashMap;

use crate::{
    checkpoint::Checkpoint,
    event::{Leaf, LeafNumbers},
    tile::{EntryBundle, GrowingTiles, HashTile, TileKind, TilePath, WIDTH},
    tree::{RightEdge, TreeHash},
};

pub use self::log_error::LogError;

/// Goes through the bundles of a log in their order, and says where it is not what its checkpoint says: an entry that
/// was changed, inserted, moved, removed or doubled, or withheld from its tenant, and bytes that are no entry.
///
/// The checkpoint is to be verified before. What is kept is the right edge, the last tile of each level, and a number
/// for each tenant.
#[derive(Debug)]
pub struct LogVerifier {
    checkpoint: Checkpoint,
    edge: RightEdge,
    tiles: GrowingTiles,
    tenants: HashMap<Box<str>, u64>,
}

impl LogVerifier {
    /// Begins with the first entry of the log of this checkpoint.
    #[must_use]
    pub fn new(checkpoint: Checkpoint) -> Self {
        Self {
            checkpoint,
            edge: RightEdge::new(),
            tiles: GrowingTiles::new(),
            tenants: HashMap::new(),
        }
    }

    /// The bundle to read next; `None` after the last.
    #[must_use]
    pub fn next_bundle(&self) -> Option<TilePath> {
        let read = self.edge.size();
        let remaining = self.checkpoint.size().checked_sub(read)?;
        let width = u16::try_from(remaining.min(WIDTH.into())).ok()?;
        TilePath::new(TileKind::Entries, read / u64::from(WIDTH), width).ok()
    }

    /// Checks the bytes of the next bundle. Gives the tiles that its entries fill: those in the log must be equal.
    ///
    /// # Errors
    /// [`LogError`] names the entry. After an error, nothing more is to be learnt from this verifier.
    pub fn check_bundle(&mut self, bytes: &[u8]) -> Result<Vec<HashTile>, LogError> {
        let path = self.next_bundle().ok_or_else(|| self.wrong_size())?;
        let bundle = EntryBundle::decode(path, bytes);
        let bundle = bundle.map_err(|error| LogError::File { path, error })?;
        let mut full = Vec::new();
        for entry in bundle.entries() {
            self.check_entry(entry)?;
            let leaf = TreeHash::of_leaf(entry);
            self.edge.push(leaf);
            self.tiles.push(leaf, |path, hashes| {
                full.extend(HashTile::new(path, hashes))
            });
        }
        Ok(full)
    }

    /// Checks that all entries together are what the checkpoint says. Gives the partial tiles at the right edge: those
    /// in the log must be equal.
    ///
    /// # Errors
    /// [`LogError::WrongSize`] before the last bundle, [`LogError::WrongRoot`].
    pub fn finish(self) -> Result<Vec<HashTile>, LogError> {
        if self.edge.size() != self.checkpoint.size() {
            return Err(self.wrong_size());
        }
        if self.edge.root() != self.checkpoint.root() {
            return Err(LogError::WrongRoot);
        }
        let partial = self.tiles.partial();
        Ok(partial
            .filter_map(|(path, hashes)| HashTile::new(path, hashes).ok())
            .collect())
    }

    fn check_entry(&mut self, entry: &[u8]) -> Result<(), LogError> {
        let index = self.edge.size();
        let leaf = Leaf::parse(entry).map_err(|error| LogError::Leaf { index, error })?;
        let LeafNumbers { in_tree, in_tenant } = leaf.numbers();
        if in_tree != index {
            let found = in_tree;
            return Err(LogError::WrongIndex { index, found });
        }
        let expected = match self.tenants.get_mut(leaf.tenant()) {
            Some(next) => next,
            None => self.tenants.entry(leaf.tenant().into()).or_default(),
        };
        if in_tenant != *expected {
            return Err(LogError::WrongTenantIndex {
                index,
                expected: *expected,
                found: in_tenant,
            });
        }
        *expected += 1;
        Ok(())
    }

    const fn wrong_size(&self) -> LogError {
        LogError::WrongSize {
            expected: self.checkpoint.size(),
            found: self.edge.size(),
        }
    }
}

#[cfg(test)]
mod tests;
