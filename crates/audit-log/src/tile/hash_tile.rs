//! Tiles of hashes.

use super::{HEIGHT, TileError, TileKind, TilePath, WIDTH};
use crate::tree::{Subtree, TreeHash};

/// A tile: up to 256 hashes of one level that stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashTile {
    path: TilePath,
    hashes: Vec<TreeHash>,
}

impl HashTile {
    /// Reads the file of a tile.
    ///
    /// # Errors
    /// [`TileError::OtherKind`] if the path is that of a bundle, [`TileError::WrongLength`] if the file is not of the
    /// width that the path says. Whether the hashes are right shows in the root.
    pub fn decode(path: TilePath, bytes: &[u8]) -> Result<Self, TileError> {
        let (hashes, rest) = bytes.as_chunks::<{ TreeHash::BYTES }>();
        let hashes: Vec<_> = hashes.iter().copied().map(TreeHash::from_bytes).collect();
        match Self::new(path, &hashes) {
            Ok(tile) if rest.is_empty() => Ok(tile),
            Ok(_) | Err(TileError::WrongLength { .. }) => Err(TileError::WrongLength {
                expected: usize::from(path.width()) * TreeHash::BYTES,
                found: bytes.len(),
            }),
            Err(other) => Err(other),
        }
    }

    /// A tile of these hashes, as many as the path says.
    ///
    /// # Errors
    /// [`TileError::OtherKind`] and [`TileError::WrongLength`], as of their bytes.
    pub fn new(path: TilePath, hashes: &[TreeHash]) -> Result<Self, TileError> {
        if path.kind() == TileKind::Entries {
            return Err(TileError::OtherKind);
        }
        let (expected, found) = (usize::from(path.width()), hashes.len());
        if expected != found {
            return Err(TileError::WrongLength {
                expected: expected * TreeHash::BYTES,
                found: found.saturating_mul(TreeHash::BYTES),
            });
        }
        let hashes = hashes.to_vec();
        Ok(Self { path, hashes })
    }

    /// The file of the tile.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bytes: Vec<_> = self.hashes.iter().map(|hash| *hash.as_bytes()).collect();
        bytes.concat()
    }

    /// Where it stands.
    #[must_use]
    pub const fn path(&self) -> TilePath {
        self.path
    }

    /// Its hashes, 1 to 256.
    #[must_use]
    pub fn hashes(&self) -> &[TreeHash] {
        &self.hashes
    }

    /// The hash above it, in the tile above; of a full tile.
    #[cfg(unix)]
    pub(crate) fn root(&self) -> TreeHash {
        perfect_root(&self.hashes)
    }

    /// Whether the hash of a subtree follows from this tile: it is of one of the 8 levels that a tile stands for.
    #[must_use]
    pub fn holds(&self, subtree: Subtree) -> bool {
        self.range(subtree).is_some()
    }

    /// The hash of a perfect subtree, hashed from the tile. Nothing is allocated.
    ///
    /// # Errors
    /// [`TileError::NotInTile`].
    pub fn subtree(&self, subtree: Subtree) -> Result<TreeHash, TileError> {
        let hashes = self.range(subtree).ok_or_else(|| TileError::NotInTile {
            level: subtree.level(),
            index: subtree.index(),
        })?;
        Ok(perfect_root(hashes))
    }

    fn range(&self, subtree: Subtree) -> Option<&[TreeHash]> {
        let TileKind::Hashes { level } = self.path.kind() else {
            return None;
        };
        let above = subtree.level().checked_sub(HEIGHT * u32::from(level))?;
        if above >= HEIGHT {
            return None;
        }
        // In hashes of the tile's level, from the first of that level and from the first of the tile.
        let first = subtree.index().checked_mul(1 << above)?;
        let first = first.checked_sub(self.path.index().checked_mul(u64::from(WIDTH))?)?;
        let first = usize::try_from(first).ok()?;
        self.hashes.get(first..first.checked_add(1 << above)?)
    }
}

/// The root above a power of two of hashes, at most 256.
pub(super) fn perfect_root(hashes: &[TreeHash]) -> TreeHash {
    match hashes {
        [] => TreeHash::of_empty_tree(),
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            TreeHash::of_children(&perfect_root(left), &perfect_root(right))
        }
    }
}
