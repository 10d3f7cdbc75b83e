//! The folder that a log is published as, written so that whatever is there after a crash is whole.

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
    published: u64,
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
        write_entry(entry, &mut self.bundle)?;
        let leaf = TreeHash::of_leaf(entry);
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

    /// Publishes a checkpoint of the tree as it is, with the partial tiles that belong to it. Those of the last one go
    /// where there is a full tile by now; after a crash in the middle, they may stay.
    ///
    /// # Errors
    /// [`FolderError::OtherTree`] if the checkpoint is of another tree, and nothing was written; [`FolderError::Io`] as
    /// of [`write`](Self::write).
    pub fn publish(&mut self, note: &SignedNote) -> Result<(), FolderError> {
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        if (checkpoint.size(), checkpoint.root()) != (self.edge.size(), self.edge.root()) {
            return Err(FolderError::OtherTree);
        }
        self.write()?;
        let mut files = WholeFiles::new(&*self.disk, &self.path);
        for path in TilePath::partial(self.edge.size()) {
            if path.kind() == TileKind::Entries {
                files.put(&path.to_string(), &self.bundle)?;
            }
        }
        for (path, hashes) in self.tiles.partial() {
            files.put(&path.to_string(), &bytes_of(hashes))?;
        }
        files.finish()?;
        let mut files = WholeFiles::new(&*self.disk, &self.path);
        files.put(CHECKPOINT, note.to_string().as_bytes())?;
        files.finish()?;
        let published = std::mem::replace(&mut self.published, self.edge.size());
        self.remove_partial(published)
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
    pub const fn published(&self) -> u64 {
        self.published
    }

    fn remove_partial(&self, of: u64) -> Result<(), FolderError> {
        for path in TilePath::partial(of) {
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
