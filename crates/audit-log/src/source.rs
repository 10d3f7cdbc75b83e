//! Where a published log is read from: a folder, a web server, a store.

mod folder_source;
mod source_error;
mod store_source;
mod tree_files;

use std::fmt;

use crate::{event::MAX_LEAF_BYTES, note::MAX_NOTE_BYTES, tile::WIDTH, tree::TreeHash};

pub use self::{
    folder_source::FolderSource,
    source_error::SourceError,
    store_source::StoreSource,
    tree_files::{BundleFile, TreeFileError, TreeFiles},
};

/// The name of the checkpoint in a log.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// The most bytes that a checkpoint is read with.
pub const MAX_CHECKPOINT_BYTES: usize = MAX_NOTE_BYTES;

/// The bytes of a full tile.
pub const MAX_TILE_BYTES: usize = WIDTH as usize * TreeHash::BYTES;

/// The most bytes of a bundle: 256 of the longest leaves, each behind its length.
pub const MAX_BUNDLE_BYTES: usize = WIDTH as usize * (2 + MAX_LEAF_BYTES);

/// The files of a published log, by the paths that C2SP tlog-tiles gives them.
///
/// Reading blocks: who verifies a log hashes all of it, on a thread of its own.
///
/// # Contract
/// - What is read is the whole file, as it was at one time.
/// - A file that is not there is `None`, and no error. Whether it is there must not depend on who asks.
/// - No more than `at_most` bytes are kept in memory.
pub trait LogSource: fmt::Debug {
    /// Reads the file at a path, which is [`CHECKPOINT_PATH`] or that of a [`TilePath`](crate::tile::TilePath).
    ///
    /// # Errors
    /// [`SourceError::TooLong`] if the file has more than `at_most` bytes, [`SourceError::Unreadable`] if nobody can
    /// tell what is in it.
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError>;
}

impl<S: LogSource + ?Sized> LogSource for &S {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        (**self).read(path, at_most)
    }
}

impl<S: LogSource + ?Sized> LogSource for Box<S> {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        (**self).read(path, at_most)
    }
}

#[cfg(test)]
mod tests;
