//! What is read of a log.

use std::{io, num::NonZeroUsize};

use super::{
    FileStoreError,
    bundles::{self, WIDE},
    file_error::failed,
    log::{Log, PUBLISHED},
    recent::Recent,
};
use crate::{
    bounded_file,
    note::SignedNote,
    source::MAX_BUNDLE_BYTES,
    store::{EntryBatch, StoreError},
    tile::{TileKind, TilePath},
};

/// More are not read at once, however many are asked for.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

impl Log {
    pub(super) fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError> {
        let recent = self.recent().clone();
        let first = recent.first;
        if from < first {
            return Err(StoreError::Pruned { first });
        }
        let mut batch = Batch {
            batch: EntryBatch::new(from),
            most: most.get().min(MAX_BATCH_BYTES),
        };
        let read = self.fill(&mut batch, &recent);
        let first = self.recent().first;
        if read.is_err() && from < first {
            // Pruned meanwhile.
            return Err(StoreError::Pruned { first });
        }
        read?;
        Ok(batch.batch)
    }

    fn fill(&self, batch: &mut Batch, recent: &Recent) -> Result<(), FileStoreError> {
        while batch.batch.next() < recent.first_in_memory() {
            let bundle = batch.batch.next() / WIDE;
            let bytes = self.bundles.read(bundle)?;
            let entries = bundles::entries(bundle, &bytes);
            if !batch.take(entries.take_while(|(n, _)| *n < recent.first_in_memory())) {
                return Ok(());
            }
        }
        for group in recent.groups() {
            if !batch.take(group.entries()) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, FileStoreError> {
        let first = self.recent().first;
        if path.kind() == TileKind::Entries && path.index() < first / WIDE {
            return Ok(None);
        }
        self.published(&path.to_string())
    }

    pub(super) fn checkpoint(&self) -> Result<Option<SignedNote>, FileStoreError> {
        let Some(bytes) = self.published("checkpoint")? else {
            return Ok(None);
        };
        let note = SignedNote::parse(&bytes).map_err(crate::folder::FolderError::from)?;
        Ok(Some(note))
    }

    pub(super) fn part(&self, n: u64) -> Result<Option<Vec<u8>>, FileStoreError> {
        let (first, found) = {
            let recent = self.recent();
            let mut groups = recent.groups();
            let group = groups.find(|group| (group.first()..group.end()).contains(&n));
            (
                recent.first,
                group.map(|group| group.part(n).map(<[u8]>::to_vec)),
            )
        };
        match found {
            _ if n < first => Ok(None),
            Some(part) => Ok(part),
            None => self.personal.read(n),
        }
    }

    fn published(&self, name: &str) -> Result<Option<Vec<u8>>, FileStoreError> {
        let folder = self.path_of(PUBLISHED);
        match bounded_file::read_within(&folder, name, MAX_BUNDLE_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &folder.join(name))(error)),
        }
    }
}

/// Entries up to so many bytes, and one in any case.
struct Batch {
    batch: EntryBatch,
    most: usize,
}

impl Batch {
    /// Whether there is room for more than these.
    fn take<'a>(&mut self, entries: impl Iterator<Item = (u64, &'a [u8])>) -> bool {
        for (n, entry) in entries {
            if n < self.batch.next() {
                continue;
            }
            let length = self.batch.size_bytes() + entry.len();
            if !self.batch.is_empty() && length > self.most || self.batch.push(entry).is_err() {
                return false;
            }
        }
        true
    }
}
