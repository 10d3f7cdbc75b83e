//! Proofs from the files of a log.

use super::TlogProof;
use crate::{
    checkpoint::SignedCheckpoint,
    source::{LogSource, SourceError, TreeFileError, TreeFiles},
    tile::{TileError, TilePath, WIDTH},
    tree::{InclusionProof, ProofError, TreeHash},
};

/// Why there is no proof.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The log has no such entry at its checkpoint.
    #[error("the log has {size} entries, and so no entry {n}")]
    NoSuchEntry {
        /// The entry, from 0.
        n: u64,
        /// How many entries the log has.
        size: u64,
    },
    /// A tile is missing, or is none.
    #[error(transparent)]
    Tiles(#[from] TreeFileError),
    /// The bundle of the entry is missing: it was pruned, or is lost.
    #[error("{path}: is missing, and entry {n} with it")]
    NoBundle {
        /// Which file.
        path: TilePath,
        /// The entry.
        n: u64,
    },
    /// The bundle ends before the entry.
    #[error("{path}: {error}")]
    Bundle {
        /// Which file.
        path: TilePath,
        /// What is wrong with it.
        error: TileError,
    },
    /// The entry is not in the log: it, or a tile, is another than was signed.
    #[error("{path}: entry {n} or a tile above it is not what was signed")]
    NotInTheLog {
        /// The file of the entry.
        path: TilePath,
        /// The entry.
        n: u64,
    },
}

impl From<SourceError> for ProveError {
    fn from(error: SourceError) -> Self {
        Self::Tiles(error.into())
    }
}

impl TlogProof {
    /// Makes the proof of entry `n` at a checkpoint, from the files of the log, and shows that it holds. Gives the
    /// entry too. At most 16 files are read.
    ///
    /// # Errors
    /// [`ProveError`] names the file.
    pub fn from_source(
        source: &dyn LogSource,
        signed: &SignedCheckpoint,
        n: u64,
    ) -> Result<(Vec<u8>, Self), ProveError> {
        let size = signed.checkpoint().size();
        let files = TreeFiles::new(source, size);
        let index = n / u64::from(WIDTH);
        let path = files.path(crate::tile::TileKind::Entries, index);
        let (Some(path), true) = (path, n < size) else {
            return Err(ProveError::NoSuchEntry { n, size });
        };
        let bundle = files.bundle(index)?;
        let bundle = bundle.ok_or(ProveError::NoBundle { path, n })?;
        let at = usize::try_from(n % u64::from(WIDTH)).unwrap_or_default();
        let entry = bundle.entries().nth(at).ok_or(ProveError::Bundle {
            path,
            error: TileError::Truncated { entry: at },
        })?;
        let proof = InclusionProof::build(n, size, |subtree| files.subtree(subtree))?;
        match proof.verify(&TreeHash::of_leaf(entry), &signed.checkpoint().root()) {
            Ok(()) => Ok((entry.to_vec(), Self::new(&proof, signed.note().clone()))),
            Err(ProofError::WrongRoot) => Err(ProveError::NotInTheLog { path, n }),
            Err(other) => Err(ProveError::Tiles(other.into())),
        }
    }
}
