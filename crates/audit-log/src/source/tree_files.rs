//! The tiles and bundles that belong to a tree of one size.

use std::cell::RefCell;

use super::{LogSource, MAX_BUNDLE_BYTES, MAX_TILE_BYTES, SourceError};
use crate::{
    tile::{EntryBundle, HashTile, TileError, TileKind, TilePath, WIDTH},
    tree::{ProofError, Subtree, TreeHash},
};

/// Levels of the tree in one tile.
const HEIGHT: u32 = 8;

/// Reads what a source has of the tree of one size. Nothing of it is to be believed before it led to a signed root.
///
/// Where a partial file is gone, since the log has grown and has the full one, that is read, and cut.
#[derive(Debug)]
pub struct TreeFiles<'a> {
    source: &'a dyn LogSource,
    size: u64,
    /// The last tile of each level: proofs ask for neighbours.
    last: RefCell<[Option<HashTile>; 8]>,
}

/// The bytes of a bundle, and whose place it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BundleFile {
    /// The path that it has in the tree.
    pub path: TilePath,
    /// What stands there; more than belongs to the tree, of a full bundle in the place of a partial one.
    pub bytes: Vec<u8>,
    /// Whether it is a full bundle in the place of a partial one.
    pub is_full: bool,
}

/// Why there is no hash of a subtree, and so no proof.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TreeFileError {
    /// A file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file is not there.
    #[error("{path} is missing")]
    Missing {
        /// Which file.
        path: TilePath,
    },
    /// A file is no tile and no bundle of the length that it must have.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: TilePath,
        /// What is wrong with it.
        error: TileError,
    },
    /// There is no such proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl<'a> TreeFiles<'a> {
    /// Those of the tree of `size` leaves.
    #[must_use]
    pub fn new(source: &'a dyn LogSource, size: u64) -> Self {
        Self {
            source,
            size,
            last: RefCell::default(),
        }
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The path of a tile or bundle, with the width that it has in this tree; `None` if this tree has no such file.
    #[must_use]
    pub fn path(&self, kind: TileKind, index: u64) -> Option<TilePath> {
        let level = match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let count = self.size.checked_shr(HEIGHT * u32::from(level))?;
        let remaining = count.checked_sub(index.checked_mul(WIDTH.into())?)?;
        let width = u16::try_from(remaining.min(WIDTH.into())).ok()?;
        TilePath::new(kind, index, width).ok()
    }

    /// The tile at a path of this tree; `None` if it is not there.
    ///
    /// # Errors
    /// [`TreeFileError::Source`], and [`TreeFileError::File`] if it has another length.
    pub fn tile(&self, path: TilePath) -> Result<Option<HashTile>, TreeFileError> {
        let whole = |at: TilePath| {
            let Some(bytes) = self.read(at, MAX_TILE_BYTES)? else {
                return Ok(None);
            };
            let tile = HashTile::decode(at, &bytes);
            tile.map(Some)
                .map_err(|error| TreeFileError::File { path: at, error })
        };
        if let Some(tile) = whole(path)? {
            return Ok(Some(tile));
        }
        let Some(tile) = full(path).map(whole).transpose()?.flatten() else {
            return Ok(None);
        };
        let hashes = &tile.hashes()[..usize::from(path.width())];
        let tile = HashTile::new(path, hashes);
        tile.map(Some)
            .map_err(|error| TreeFileError::File { path, error })
    }

    /// The bytes of bundle `index` of this tree; `None` if it is not there, or this tree has none of that index.
    ///
    /// # Errors
    /// [`TreeFileError::Source`].
    pub fn bundle(&self, index: u64) -> Result<Option<BundleFile>, TreeFileError> {
        let Some(path) = self.path(TileKind::Entries, index) else {
            return Ok(None);
        };
        if let Some(bytes) = self.read(path, MAX_BUNDLE_BYTES)? {
            let is_full = false;
            return Ok(Some(BundleFile {
                path,
                bytes,
                is_full,
            }));
        }
        let bytes = match full(path) {
            Some(full) => self.read(full, MAX_BUNDLE_BYTES)?,
            None => None,
        };
        Ok(bytes.map(|bytes| BundleFile {
            path,
            bytes,
            is_full: true,
        }))
    }

    /// The hash of a perfect subtree, for [`InclusionProof::build`](crate::tree::InclusionProof::build) and its like.
    ///
    /// # Errors
    /// [`TreeFileError`]: the tile that has it is not there, or is none.
    pub fn subtree(&self, subtree: Subtree) -> Result<TreeHash, TreeFileError> {
        let level = subtree.level() / HEIGHT;
        let slot = usize::try_from(level).unwrap_or(usize::MAX);
        if let Some(tile) = self.last.borrow().get(slot).and_then(Option::as_ref)
            && tile.holds(subtree)
        {
            let hash = tile.subtree(subtree);
            return hash.map_err(|error| TreeFileError::File {
                path: tile.path(),
                error,
            });
        }
        let first = subtree.index() << (subtree.level() % HEIGHT);
        let kind = TileKind::Hashes {
            level: u8::try_from(level).map_err(|_| ProofError::TooLarge)?,
        };
        let path = self.path(kind, first / u64::from(WIDTH));
        let path = path.ok_or(ProofError::TooLarge)?;
        let tile = self.tile(path)?.ok_or(TreeFileError::Missing { path })?;
        let hash = tile.subtree(subtree);
        let hash = hash.map_err(|error| TreeFileError::File { path, error });
        if let Some(kept) = self.last.borrow_mut().get_mut(slot) {
            *kept = Some(tile);
        }
        hash
    }

    fn read(&self, path: TilePath, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        self.source.read(&path.to_string(), at_most)
    }
}

impl BundleFile {
    /// The entries that belong to the tree, one by one, as far as the bytes go. `None` within them says that the bytes
    /// end early; [`check`](Self::check) says whether more stands behind them.
    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        crate::tile::Entries::of(&self.bytes).take(self.path.width().into())
    }

    /// Whether the file is a bundle of as many entries as it must have.
    ///
    /// # Errors
    /// [`TileError::Truncated`] and [`TileError::TrailingBytes`].
    pub fn check(&self) -> Result<(), TileError> {
        let path = if self.is_full {
            full(self.path).unwrap_or(self.path)
        } else {
            self.path
        };
        EntryBundle::decode(path, &self.bytes).map(drop)
    }
}

/// The full file in the place of a partial one.
fn full(partial: TilePath) -> Option<TilePath> {
    let full = TilePath::new(partial.kind(), partial.index(), WIDTH).ok();
    full.filter(|_| partial.is_partial())
}
