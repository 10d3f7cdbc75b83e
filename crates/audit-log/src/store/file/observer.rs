//! What a store in a folder has to tell.

use std::fmt;

use super::FileStoreError;

/// Takes what happens to the files of a store.
pub trait FileObserver: fmt::Debug + Send + Sync {
    /// Something happened. It must not block.
    fn observe(&self, event: &FileEvent<'_>);
}

/// What happened to the files of a store. No event carries anything of an entry.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum FileEvent<'a> {
    /// A frame that was being written when its writer ended was cut off. Nothing in it was acknowledged.
    TornTailCut {
        /// How long it was.
        bytes: usize,
    },
    /// The journal could not be written. It is closed, and opened again for the next group.
    JournalFailed {
        /// Why.
        error: &'a FileStoreError,
    },
    /// The path of the journal no longer leads to the file that is written, or a file of it is missing or shorter than
    /// it was made: somebody has deleted, moved or cut it.
    JournalMoved,
    /// The journal does not have what was written to it: somebody has overwritten it. A verification finds that.
    JournalDamaged {
        /// The first entry that a start would not find.
        first: u64,
    },
    /// The journal was opened again.
    JournalReopened {
        /// Entries that were acknowledged and that it no longer had. They are in it again, from memory.
        restored: u64,
    },
    /// What follows the journal could not be done: bundles and tiles, the next segment, or that old ones go. It is
    /// tried again each second, and whatever was acknowledged is in the journal meanwhile.
    UpkeepFailed {
        /// Why.
        error: &'a FileStoreError,
    },
    /// Rows of the index were missing or damaged, and were made again.
    IndexRebuilt {
        /// How many.
        rows: u64,
    },
}

/// Of nobody who wants to know.
#[derive(Debug)]
pub(super) struct NoObserver;

impl FileObserver for NoObserver {
    fn observe(&self, _: &FileEvent<'_>) {}
}
