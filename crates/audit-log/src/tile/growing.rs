//! The tiles of a tree that grows.

use super::{HashTile, LEVELS, TileError, TileKind, TilePath, WIDTH, hash_tile::perfect_root};
use crate::tree::TreeHash;

/// The last tile of each level: what is written beside the entries as a tree grows, at most 65 KB.
#[derive(Debug, Clone, Default)]
pub struct GrowingTiles {
    size: u64,
    levels: [Vec<TreeHash>; LEVELS],
}

impl GrowingTiles {
    /// Those of the tree that has no leaf.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of a tree of `size` leaves, as after a start, from its [partial tiles](TilePath::partial) in any order.
    ///
    /// # Errors
    /// [`TileError::Missing`] names a tile that is not among them.
    pub fn from_partial(size: u64, tiles: &[HashTile]) -> Result<Self, TileError> {
        let mut growing = Self {
            size,
            ..Self::new()
        };
        for path in TilePath::partial(size) {
            if let TileKind::Hashes { level } = path.kind() {
                let tile = tiles.iter().find(|tile| tile.path() == path);
                let tile = tile.ok_or(TileError::Missing { path })?;
                growing.levels[usize::from(level)].extend_from_slice(tile.hashes());
            }
        }
        Ok(growing)
    }

    /// Appends a leaf, given by its hash. `full` gets each tile that this fills, with its hashes, the lowest first.
    pub fn push(&mut self, leaf: TreeHash, mut full: impl FnMut(TilePath, &[TreeHash])) {
        self.size += 1;
        let (mut hash, mut count) = (leaf, self.size);
        for (level, hashes) in (0..).zip(&mut self.levels) {
            hashes.push(hash);
            if hashes.len() < usize::from(WIDTH) {
                break;
            }
            count /= u64::from(WIDTH);
            if let Ok(path) = TilePath::new(TileKind::Hashes { level }, count - 1, WIDTH) {
                full(path, hashes);
            }
            hash = perfect_root(hashes);
            hashes.clear();
        }
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The partial tiles at the right edge, with their hashes.
    pub fn partial(&self) -> impl Iterator<Item = (TilePath, &[TreeHash])> {
        TilePath::partial(self.size).filter_map(|path| match path.kind() {
            TileKind::Hashes { level } => Some((path, &*self.levels[usize::from(level)])),
            TileKind::Entries => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_where_it_was() {
        let leaf = |n: u64| TreeHash::of_leaf(&n.to_be_bytes());
        for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_800] {
            let mut tiles = GrowingTiles::new();
            (0..size).for_each(|n| tiles.push(leaf(n), |_, _| {}));
            let partial: Vec<_> = tiles
                .partial()
                .map(|(path, hashes)| HashTile::new(path, hashes).unwrap())
                .collect();
            let again = GrowingTiles::from_partial(size, &partial).unwrap();
            assert_eq!(again.levels, tiles.levels, "of {size}");
            if let Some(tile) = partial.first() {
                let path = tile.path();
                let error = GrowingTiles::from_partial(size, &partial[1..]).unwrap_err();
                assert_eq!(error, TileError::Missing { path });
            }
        }
    }

    #[test]
    fn its_size_has_a_bound() {
        let mut tiles = GrowingTiles::new();
        for n in 0..70_000_u64 {
            let leaf = TreeHash::of_leaf(&n.to_be_bytes());
            tiles.push(leaf, |_, _| {});
        }
        let held: usize = tiles.levels.iter().map(Vec::len).sum();
        assert_eq!(held, 112 + 17 + 1);
        assert!(LEVELS * (usize::from(WIDTH) - 1) * TreeHash::BYTES <= 65_536);
    }
}
