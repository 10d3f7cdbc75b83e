//! What a folder has after a start.

use std::{io, path::Path};

use super::{CHECKPOINT, FolderError, whole_file::WholeFiles};
use crate::{
    bounded_file,
    checkpoint::Checkpoint,
    disk::Disk,
    note::SignedNote,
    source::{MAX_CHECKPOINT_BYTES, MAX_TILE_BYTES},
    tile::{GrowingTiles, HashTile, TileError, TileKind, TilePath, WIDTH},
    tree::{RightEdge, TreeHash},
};

/// The levels of tiles above the lowest.
const UPPER: std::ops::Range<u8> = 1..8;

/// The tree of the whole bundles of a folder.
#[derive(Debug)]
pub(super) struct TakenUp {
    pub(super) published: Option<Checkpoint>,
    pub(super) edge: RightEdge,
    pub(super) tiles: GrowingTiles,
}

pub(super) fn take_up(disk: &dyn Disk, folder: &Path) -> Result<TakenUp, FolderError> {
    let published = published(folder)?;
    let width = u64::from(WIDTH);
    let mut files = WholeFiles::new(disk, folder);
    let mut count = published.as_ref().map_or(0, Checkpoint::size) / width;
    // Before the checkpoint all are there, and their names are on the disk. Of others a start makes sure.
    while let Some(path) = full_tile(0, count)
        && folder.join(path.to_string()).is_file()
    {
        files.note(&folder.join(path.to_string()));
        if let Ok(bundle) = TilePath::new(TileKind::Entries, count, WIDTH) {
            files.note(&folder.join(bundle.to_string()));
        }
        count += 1;
    }
    files.finish()?;
    let size = count * width;
    let rows = upper_rows(folder, size)?;
    let tiles = GrowingTiles::from_partial(size, &rows).map_err(|source| FolderError::Tile {
        path: folder.to_owned(),
        source,
    })?;
    Ok(TakenUp {
        published,
        edge: edge(folder, size, &rows)?,
        tiles,
    })
}

/// The partial tiles above the lowest level of a tree whose full tiles are in place.
pub(super) fn upper_rows(folder: &Path, size: u64) -> Result<Vec<HashTile>, FolderError> {
    UPPER
        .map(|level| row(folder, level, size >> (8 * u32::from(level))))
        .filter_map(Result::transpose)
        .collect()
}

/// The right edge of a tree, from its partial tiles.
pub(super) fn edge(folder: &Path, size: u64, rows: &[HashTile]) -> Result<RightEdge, FolderError> {
    let edge = RightEdge::build(size, |subtree| {
        let row = rows.iter().find(|row| row.holds(subtree));
        row.ok_or(TileError::OtherKind)?.subtree(subtree)
    });
    edge.map_err(|source| FolderError::Tile {
        path: folder.to_owned(),
        source,
    })
}

fn published(folder: &Path) -> Result<Option<Checkpoint>, FolderError> {
    let path = folder.join(CHECKPOINT);
    match bounded_file::read_within(folder, CHECKPOINT, MAX_CHECKPOINT_BYTES) {
        Ok(bytes) => {
            let note = SignedNote::parse(&bytes)?;
            Ok(Some(Checkpoint::parse(note.unverified_text())?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FolderError::io("read", &path)(error)),
    }
}

/// The partial tile of a level at the right edge, from the full tiles below it: none of the folder is of this size.
fn row(folder: &Path, level: u8, count: u64) -> Result<Option<HashTile>, FolderError> {
    let Some(path) = partial_tile(level, count) else {
        return Ok(None);
    };
    let first = path.index() * u64::from(WIDTH);
    let hashes = (first..count)
        .map(|index| root_of_full(folder, level - 1, index))
        .collect::<Result<Vec<_>, _>>()?;
    let row = HashTile::new(path, &hashes);
    row.map(Some).map_err(|source| FolderError::Tile {
        path: folder.to_owned(),
        source,
    })
}

fn root_of_full(folder: &Path, level: u8, index: u64) -> Result<TreeHash, FolderError> {
    let Some(tile) = full_tile(level, index) else {
        return Ok(TreeHash::of_empty_tree());
    };
    let name = tile.to_string();
    let path = folder.join(&name);
    let bytes = bounded_file::read_within(folder, &name, MAX_TILE_BYTES)
        .map_err(FolderError::io("read", &path))?;
    match HashTile::decode(tile, &bytes) {
        Ok(tile) => Ok(tile.root()),
        Err(source) => Err(FolderError::Tile { path, source }),
    }
}

fn full_tile(level: u8, index: u64) -> Option<TilePath> {
    TilePath::new(TileKind::Hashes { level }, index, WIDTH).ok()
}

fn partial_tile(level: u8, count: u64) -> Option<TilePath> {
    let width = u16::try_from(count % u64::from(WIDTH)).ok()?;
    TilePath::new(TileKind::Hashes { level }, count / u64::from(WIDTH), width).ok()
}
