//! The log as files that any web server can publish: C2SP tlog-tiles, 256 wide.

mod bundle;
mod error;
mod growing;
mod hash_tile;
mod path;

pub use self::{
    bundle::{Entries, EntryBundle, write_entry},
    error::TileError,
    growing::GrowingTiles,
    hash_tile::HashTile,
    path::{InvalidPath, TileKind, TilePath},
};

/// How many hashes or entries a full tile or bundle has.
pub const WIDTH: u16 = 256;

/// Levels of the tree in one tile: 2^8 hashes are 256.
const HEIGHT: u32 = 8;

/// The most levels of tiles that a tree has.
const LEVELS: usize = 8;

#[cfg(test)]
mod tests;
