//! Whether the entries or the tile of their hashes were changed.

use std::ops::ControlFlow;

use super::{Stopped, Walk};
use crate::{
    source::{SourceError, TreeFileError},
    tile::{HashTile, TilePath, WIDTH},
    tree::{InclusionProof, TreeHash},
    verify::Finding,
};

impl Walk<'_, '_> {
    /// The hashes of a bundle as they were signed, as far as anybody can tell; `None` without a tile and with fewer
    /// entries than there must be. Where entries and tile differ, the root tells which of them was changed.
    pub(super) fn judge(
        &mut self,
        path: TilePath,
        computed: &[TreeHash],
        tile: Option<HashTile>,
    ) -> ControlFlow<Stopped, Option<Vec<TreeHash>>> {
        let is_whole = computed.len() == usize::from(path.width());
        let by_entries = is_whole.then(|| computed.to_vec());
        let Some(tile) = tile else {
            return ControlFlow::Continue(by_entries);
        };
        if computed == tile.hashes() {
            return ControlFlow::Continue(by_entries);
        }
        if self.leads_to_root(&tile)? {
            return ControlFlow::Continue(Some(tile.hashes().to_vec()));
        }
        if let Ok(other) = HashTile::new(tile.path(), computed)
            && self.leads_to_root(&other)?
        {
            self.find(Finding::Tile { path: tile.path() });
            return ControlFlow::Continue(by_entries);
        }
        let pairs = (path.index() * u64::from(WIDTH)..).zip(computed.iter().zip(tile.hashes()));
        let mut differing = pairs.filter(|(_, (found, hash))| found != hash);
        let first = differing.next().map(|(n, _)| n);
        if let Some(n) = first {
            self.find(Finding::Undecided { path, n });
        }
        ControlFlow::Continue(by_entries.or_else(|| Some(tile.hashes().to_vec())))
    }

    /// Whether these hashes, in the place of that tile, lead to the root with all others.
    fn leads_to_root(&mut self, tile: &HashTile) -> ControlFlow<Stopped, bool> {
        let first = tile.path().index() * u64::from(WIDTH);
        let Some(leaf) = tile.hashes().first() else {
            return ControlFlow::Continue(false);
        };
        let proof = InclusionProof::build(first, self.files.size(), |subtree| {
            if !tile.holds(subtree) {
                return self.files.subtree(subtree);
            }
            let hash = tile.subtree(subtree);
            hash.map_err(|error| TreeFileError::File {
                path: tile.path(),
                error,
            })
        });
        match proof {
            Ok(proof) => ControlFlow::Continue(proof.verify(leaf, &self.root).is_ok()),
            Err(TreeFileError::Source(error @ SourceError::Unreadable { .. })) => {
                self.find(Finding::Source(error));
                ControlFlow::Break(Stopped)
            }
            Err(_) => ControlFlow::Continue(false),
        }
    }
}
