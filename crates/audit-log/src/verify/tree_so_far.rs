//! The tree of the entries that were read.

use crate::{
    source::{TreeFileError, TreeFiles},
    tile::{GrowingTiles, HashTile, TileError, TileKind, TilePath, WIDTH},
    tree::{RightEdge, TreeHash},
};

/// Levels of tiles above the lowest.
const UPPER: std::ops::Range<u8> = 1..8;

/// Each leaf is hashed into it once: the root follows from the tiles at the right edge.
#[derive(Debug)]
pub(super) struct TreeSoFar {
    tiles: GrowingTiles,
}

impl TreeSoFar {
    /// The tree of the entries before `from`, whole bundles of them, by the tiles of a later tree.
    pub(super) fn before(from: u64, files: &TreeFiles<'_>) -> Result<Self, TreeFileError> {
        let mut rows = Vec::new();
        for level in UPPER {
            let count = from >> (8 * u32::from(level));
            let (index, kind) = (count / u64::from(WIDTH), TileKind::Hashes { level });
            let width = u16::try_from(count % u64::from(WIDTH)).unwrap_or_default();
            let (Ok(row), Some(path)) =
                (TilePath::new(kind, index, width), files.path(kind, index))
            else {
                continue;
            };
            let tile = files.tile(path)?.ok_or(TreeFileError::Missing { path })?;
            let hashes = tile.hashes().get(..width.into()).unwrap_or_default();
            let row = HashTile::new(row, hashes);
            rows.push(row.map_err(|error| TreeFileError::File { path, error })?);
        }
        match GrowingTiles::from_partial(from, &rows) {
            Ok(tiles) => Ok(Self { tiles }),
            Err(TileError::Missing { path }) => Err(TreeFileError::Missing { path }),
            Err(_) => Err(crate::tree::ProofError::TooLarge.into()),
        }
    }

    /// Appends a leaf. Gives the tiles above the lowest that it fills.
    pub(super) fn push(&mut self, leaf: TreeHash, upper: &mut Vec<HashTile>) {
        self.tiles.push(leaf, |path, hashes| {
            if path.kind() != (TileKind::Hashes { level: 0 }) {
                upper.extend(HashTile::new(path, hashes));
            }
        });
    }

    pub(super) const fn size(&self) -> u64 {
        self.tiles.size()
    }

    pub(super) fn root(&self) -> TreeHash {
        let rows: Vec<_> = self.rows().collect();
        // Whatever a right edge is made of follows from these.
        let edge = RightEdge::build(self.size(), |subtree| {
            let row = rows.iter().find(|row| row.holds(subtree));
            row.ok_or(TileError::OtherKind)?.subtree(subtree)
        });
        edge.map_or_else(|_| TreeHash::of_empty_tree(), |edge| edge.root())
    }

    /// The partial tiles above the lowest at the right edge.
    pub(super) fn upper_rows(&self) -> impl Iterator<Item = HashTile> {
        self.rows()
            .filter(|row| row.path().kind() != (TileKind::Hashes { level: 0 }))
    }

    fn rows(&self) -> impl Iterator<Item = HashTile> {
        let partial = self.tiles.partial();
        partial.filter_map(|(path, hashes)| HashTile::new(path, hashes).ok())
    }
}
