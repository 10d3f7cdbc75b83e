//! The trees that a log had when it was smaller.

use super::{FolderError, LogFolder, bytes_of, taken_up};
use crate::{
    bounded_file,
    source::{MAX_BUNDLE_BYTES, MAX_TILE_BYTES},
    tile::{Entries, EntryBundle, HashTile, TileKind, TilePath, WIDTH},
    tree::{RightEdge, TreeHash},
};

/// A tree that a log has or had, with its partial tiles.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) edge: RightEdge,
    /// Partial tiles, and the partial bundle unless its entries are pruned.
    pub(super) files: Vec<(TilePath, Vec<u8>)>,
}

impl LogFolder {
    /// The tree of so many entries, no more than the log has. Its full tiles and bundles are in place.
    pub(super) fn tree_of(&self, size: u64) -> Result<Tree, FolderError> {
        let mut rows = taken_up::upper_rows(&self.path, size)?;
        let mut files = Vec::new();
        for path in TilePath::partial(size) {
            let width = usize::from(path.width());
            match path.kind() {
                TileKind::Entries => {
                    let bundle = self.bundle(path)?;
                    files.extend(bundle.map(|bytes| (path, first_entries(bytes, width))));
                }
                TileKind::Hashes { level: 0 } => {
                    let hashes = self.leaf_hashes(path)?;
                    let row = hashes.get(..width).unwrap_or(&hashes);
                    rows.push(self.tile(path, row)?);
                }
                TileKind::Hashes { .. } => {}
            }
        }
        files.extend(rows.iter().map(|row| (row.path(), bytes_of(row.hashes()))));
        let edge = taken_up::edge(&self.path, size, &rows)?;
        Ok(Tree { edge, files })
    }

    /// The bytes of the bundle that a partial one is the beginning of; none if it is pruned.
    fn bundle(&self, partial: TilePath) -> Result<Option<Vec<u8>>, FolderError> {
        if self.is_last(partial) {
            return Ok(Some(self.bundle.clone()));
        }
        let full = self.full(partial)?;
        let name = full.to_string();
        let path = self.path.join(&name);
        match bounded_file::read_within(&self.path, &name, MAX_BUNDLE_BYTES) {
            Ok(bytes) => match EntryBundle::decode(full, &bytes) {
                Ok(_) => Ok(Some(bytes)),
                Err(source) => Err(FolderError::Tile { path, source }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FolderError::io("read", &path)(error)),
        }
    }

    fn leaf_hashes(&self, partial: TilePath) -> Result<Vec<TreeHash>, FolderError> {
        if self.is_last(partial) {
            let mut lowest = self.tiles.partial();
            let lowest = lowest.find(|(path, _)| path.kind() == partial.kind());
            return Ok(lowest.map_or_else(Vec::new, |(_, hashes)| hashes.to_vec()));
        }
        let full = self.full(partial)?;
        let name = full.to_string();
        let path = self.path.join(&name);
        let bytes = bounded_file::read_within(&self.path, &name, MAX_TILE_BYTES)
            .map_err(FolderError::io("read", &path))?;
        match HashTile::decode(full, &bytes) {
            Ok(tile) => Ok(tile.hashes().to_vec()),
            Err(source) => Err(FolderError::Tile { path, source }),
        }
    }

    /// Whether a tile of the lowest level is still being filled.
    fn is_last(&self, tile: TilePath) -> bool {
        tile.index() == self.edge.size() / u64::from(WIDTH)
    }

    fn full(&self, partial: TilePath) -> Result<TilePath, FolderError> {
        let full = TilePath::new(partial.kind(), partial.index(), WIDTH);
        full.map_err(|_| FolderError::OtherTree)
    }

    fn tile(&self, path: TilePath, hashes: &[TreeHash]) -> Result<HashTile, FolderError> {
        HashTile::new(path, hashes).map_err(|source| FolderError::Tile {
            path: self.path.join(path.to_string()),
            source,
        })
    }
}

/// The bytes of the first entries of a bundle.
fn first_entries(mut bundle: Vec<u8>, count: usize) -> Vec<u8> {
    let length = Entries::of(&bundle)
        .take(count)
        .map(|entry| 2 + entry.len())
        .sum();
    bundle.truncate(length);
    bundle
}
