//! The index of a store, held against the leaves of its log.

use std::{fs::File, io, ops::Range, path::Path};

use super::{
    FileStoreError,
    bundles::WIDE,
    file_error::failed,
    index_file::{fill, offset},
    index_row::{IndexRow, RowView},
    log::{INDEX, JOURNAL},
};
use crate::{event::Leaf, journal::DamagedJournals, source::SourceError, verify::Companions};

/// The index of a [`FileStore`](super::FileStore), for a [`Verification`](crate::verify::Verification) of its log: each
/// row must say what the leaves of its bundle are, or a search passes them by. The store may be open meanwhile.
///
/// A row that is not there, or of which a crash left a part, says nothing, and the store makes it again: no fault. Of a
/// row that says something else, the leaves that it hides are faulty, and the last one of the bundle. Remove the file
/// `index` then, while no process has the store: it is made again from the leaves.
#[derive(Debug)]
pub struct StoredIndex {
    file: Option<File>,
    damaged: DamagedJournals,
    current: Option<Current>,
    rows: u64,
}

/// The bundle that leaves are shown of.
#[derive(Debug)]
struct Current {
    bundle: u64,
    there: Vec<u8>,
    made: IndexRow,
    leaves: u64,
}

impl StoredIndex {
    /// The index of the store in that folder, which is the one above the folder that is published. An index that is
    /// not there has no rows.
    ///
    /// # Errors
    /// [`FileStoreError::Io`].
    pub fn open(folder: &Path) -> Result<Self, FileStoreError> {
        let path = folder.join(INDEX);
        let file = match File::open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("open", &path)(error)),
        };
        Ok(Self {
            file,
            damaged: DamagedJournals::beside(&folder.join(JOURNAL)),
            current: None,
            rows: 0,
        })
    }

    /// How many rows are those that follow from their leaves.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    fn read(&self, bundle: u64) -> Result<Vec<u8>, SourceError> {
        let mut row = vec![0; IndexRow::BYTES];
        let read = match &self.file {
            Some(file) => fill(file, &mut row, offset(bundle)),
            None => Ok(0),
        };
        row.truncate(read.map_err(|error| SourceError::unreadable(INDEX)(error))?);
        Ok(row)
    }

    fn current(&mut self, bundle: u64) -> Result<&mut Current, SourceError> {
        let current = match self.current.take() {
            Some(current) if current.bundle == bundle => current,
            _ => Current {
                bundle,
                there: self.read(bundle)?,
                made: IndexRow::new(),
                leaves: 0,
            },
        };
        Ok(self.current.insert(current))
    }
}

impl Companions for StoredIndex {
    /// Those that are on record in the folder.
    fn damages(&mut self) -> Result<Vec<Range<u64>>, SourceError> {
        let entries = self.damaged.entries();
        entries.map_err(SourceError::unreadable(JOURNAL))
    }

    fn agrees(&mut self, leaf: &Leaf<'_>) -> Result<bool, SourceError> {
        let n = leaf.numbers().in_tree;
        let bundle = n / WIDE;
        let current = self.current(bundle)?;
        current.made.add(leaf);
        current.leaves += 1;
        let row = RowView::read(bundle, &current.there);
        let is_whole = n % WIDE == WIDE - 1 && current.leaves == WIDE;
        let hides_it = row.is_some_and(|row| !row.has(leaf));
        if hides_it || is_whole && !current.made.is_left_of(bundle, &current.there) {
            return Ok(false);
        }
        let is_compared = is_whole && row.is_some();
        self.rows += u64::from(is_compared);
        Ok(true)
    }
}
