//! The folder that a log is published as, written so that whatever is there after a crash is whole.

mod earlier;
mod folder_error;
mod taken_up;
mod whole_file;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::taken_up::TakenUp;
use crate::{
    checkpoint::Checkpoint,
    disk::{Disk, SystemDisk},
    note::SignedNote,
    tile::{GrowingTiles, TileError, TileKind, TilePath, WIDTH, write_entry},
    tree::{RightEdge, TreeHash},
};

pub use self::folder_error::FolderError;
pub(crate) use self::whole_file::WholeFiles;

/// The name of the checkpoint in a folder.
const CHECKPOINT: &str = "checkpoint";

/// The tiles, bundles and checkpoint of one log, written behind its journal: C2SP tlog-tiles.
///
/// Entries are kept in memory until [`write`](Self::write). A file is written beside its place, synced, and then put
/// there; a bundle and the tiles above are in place before the tile of its hashes is, from which a start tells how far
/// the folder goes.
#[derive(Debug)]
pub struct LogFolder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    edge: RightEdge,
    tiles: GrowingTiles,
    bundle: Vec<u8>,
    /// Full, and not yet in place: bundles and upper tiles, each before the tile that tells of it.
    waiting: Vec<(TilePath, Vec<u8>)>,
    published: Option<Checkpoint>,
    in_place: u64,
}

impl LogFolder {
    /// Takes up the folder of a log, which is made if it is not there. What its whole bundles have is not read again;
    /// the entries behind them, its journal has.
    ///
    /// # Errors
    /// [`FolderError`] if a file cannot be read, or what must be there is not.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        Self::open_on(Arc::new(SystemDisk), path)
    }

    pub(crate) fn open_on(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(FolderError::io("make", path))?;
        let TakenUp {
            published,
            edge,
            tiles,
        } = taken_up::take_up(&*disk, path)?;
        Ok(Self {
            disk,
            path: path.to_owned(),
            in_place: edge.size(),
            edge,
            tiles,
            bundle: Vec::new(),
            waiting: Vec::new(),
            published,
        })
    }

    /// Appends an entry, in memory.
    ///
    /// # Errors
    /// [`TileError::EntryTooLong`]; nothing is appended.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), TileError> {
        self.push_hashed(entry, TreeHash::of_leaf(entry))
    }

    /// Appends an entry whose hash is known.
    pub(crate) fn push_hashed(&mut self, entry: &[u8], leaf: TreeHash) -> Result<(), TileError> {
        write_entry(entry, &mut self.bundle)?;
        self.edge.push(leaf);
        let mut full = Vec::new();
        self.tiles
            .push(leaf, |path, hashes| full.push((path, bytes_of(hashes))));
        if let Some((lowest, _)) = full.first() {
            let bundle = TilePath::new(TileKind::Entries, lowest.index(), WIDTH);
            if let Ok(path) = bundle {
                self.waiting.push((path, std::mem::take(&mut self.bundle)));
            }
            // The lowest comes last: it tells that the others are there.
            self.waiting.extend(full.into_iter().rev());
        }
        Ok(())
    }

    /// Puts the full tiles and bundles in place.
    ///
    /// # Errors
    /// [`FolderError::Io`]. Whatever is in place is whole; the rest stays in memory, and is written by the next call.
    pub fn write(&mut self) -> Result<(), FolderError> {
        let telling = |path: &TilePath| path.kind() == TileKind::Hashes { level: 0 };
        for is_telling in [false, true] {
            let mut files = WholeFiles::new(&*self.disk, &self.path);
            for (path, bytes) in &self.waiting {
                if telling(path) == is_telling {
                    files.put(&path.to_string(), bytes)?;
                }
            }
            files.finish()?;
        }
        self.waiting.clear();
        self.in_place = whole_bundles(self.edge.size());
        Ok(())
    }

    /// Publishes a checkpoint of the tree as it is or was, with the partial tiles that belong to it. Those of the last
    /// one go where there is a full tile by now; after a crash in the middle, they may stay.
    ///
    /// # Errors
    /// [`FolderError::OtherTree`] if the log never had that tree, or has published a larger one: no checkpoint was
    /// written then. [`FolderError::Io`] as of [`write`](Self::write).
    pub fn publish(&mut self, note: &SignedNote) -> Result<(), FolderError> {
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        let size = checkpoint.size();
        if size > self.edge.size() || size < self.published() {
            return Err(FolderError::OtherTree);
        }
        let is_current = size == self.edge.size();
        if is_current && checkpoint.root() != self.edge.root() {
            return Err(FolderError::OtherTree);
        }
        self.write()?;
        let partial = if is_current {
            self.partial()
        } else {
            let tree = self.tree_of(size)?;
            if checkpoint.root() != tree.edge.root() {
                return Err(FolderError::OtherTree);
            }
            tree.files
        };
        let mut files = WholeFiles::new(&*self.disk, &self.path);
        for (path, bytes) in partial {
            files.put(&path.to_string(), &bytes)?;
        }
        files.finish()?;
        let mut files = WholeFiles::new(&*self.disk, &self.path);
        files.put(CHECKPOINT, note.to_string().as_bytes())?;
        files.finish()?;
        let superseded = self.published();
        self.published = Some(checkpoint);
        self.remove_partial(superseded)
    }

    /// The tree with all entries, also those in memory.
    #[must_use]
    pub const fn edge(&self) -> &RightEdge {
        &self.edge
    }

    /// How many entries are in whole bundles that are in place: what a journal has of them may go.
    #[must_use]
    pub const fn in_place(&self) -> u64 {
        self.in_place
    }

    /// The size of the tree of the last checkpoint; 0 without one.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published.as_ref().map_or(0, Checkpoint::size)
    }

    /// The last checkpoint. Nobody has looked at its signatures.
    #[must_use]
    pub const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.published.as_ref()
    }

    /// The root of the tree of so many entries, no more than are in place.
    pub(crate) fn root_of(&self, size: u64) -> Result<TreeHash, FolderError> {
        Ok(self.tree_of(size)?.edge.root())
    }

    fn partial(&self) -> Vec<(TilePath, Vec<u8>)> {
        let bundle = TilePath::partial(self.edge.size())
            .filter(|path| path.kind() == TileKind::Entries)
            .map(|path| (path, self.bundle.clone()));
        let hashes = self.tiles.partial();
        bundle
            .chain(hashes.map(|(path, hashes)| (path, bytes_of(hashes))))
            .collect()
    }

    fn remove_partial(&self, of: u64) -> Result<(), FolderError> {
        let is_published = |path: &TilePath| {
            let mut published = TilePath::partial(self.published());
            published.any(|other| (other.kind(), other.index()) == (path.kind(), path.index()))
        };
        for path in TilePath::partial(of).filter(|path| !is_published(path)) {
            let Ok(full) = TilePath::new(path.kind(), path.index(), WIDTH) else {
                continue;
            };
            let full = self.path.join(full.to_string());
            let partial = full.with_extension("p");
            if full.exists() && partial.exists() {
                fs::remove_dir_all(&partial).map_err(FolderError::io("remove", &partial))?;
            }
        }
        Ok(())
    }
}

const fn whole_bundles(size: u64) -> u64 {
    size - size % WIDTH as u64
}

fn bytes_of(hashes: &[TreeHash]) -> Vec<u8> {
    hashes
        .iter()
        .flat_map(TreeHash::as_bytes)
        .copied()
        .collect()
}

#[cfg(test)]
mod tests;
