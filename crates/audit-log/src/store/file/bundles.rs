//! The bundles that are in place, read.

use std::{io, path::PathBuf};

use super::{FileStoreError, file_error::failed};
use crate::{
    bounded_file,
    source::MAX_BUNDLE_BYTES,
    tile::{Entries, EntryBundle, TilePath, WIDTH},
};

/// Full bundles in the folder that is published.
#[derive(Debug, Clone)]
pub(super) struct Bundles {
    pub(super) folder: PathBuf,
}

/// How many entries a bundle has.
pub(super) const WIDE: u64 = WIDTH as u64;

impl Bundles {
    /// The bytes of a bundle that has to be there.
    pub(super) fn read(&self, bundle: u64) -> Result<Vec<u8>, FileStoreError> {
        let path = TilePath::of_bundle(bundle);
        let name = path.to_string();
        let file = self.folder.join(&name);
        let bytes = bounded_file::read_within(&self.folder, &name, MAX_BUNDLE_BYTES);
        let bytes = bytes.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FileStoreError::Damaged {
                path: file.clone(),
                what: "it is missing; put back a copy of it",
            },
            _ => failed("read", &file)(error),
        })?;
        if EntryBundle::decode(path, &bytes).is_err() {
            return Err(FileStoreError::Damaged {
                path: file,
                what: "it is no bundle; put back a copy of it",
            });
        }
        Ok(bytes)
    }

    /// Where a bundle stands.
    pub(super) fn file_of(&self, bundle: u64) -> PathBuf {
        self.folder.join(TilePath::of_bundle(bundle).to_string())
    }
}

/// The entries in the bytes of a bundle, each with its index in the tree.
pub(super) fn entries(bundle: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (bundle * WIDE..).zip(Entries::of(bytes))
}
