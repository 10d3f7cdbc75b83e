//! The file of the index: a row for each full bundle.

use std::{
    fs::{File, OpenOptions},
    io,
    ops::Range,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    FileStoreError,
    file_error::failed,
    index_row::{IndexRow, RowView},
};
use crate::disk::Disk;

/// Rows are written without a sync: of one that a crash took, the checksum says so, and it is made again from its
/// bundle. To a search, a bundle without a row may have anything.
#[derive(Debug)]
pub(super) struct IndexFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: File,
}

/// Rows that were read at once.
#[derive(Debug)]
pub(super) struct Rows {
    range: Range<u64>,
    bytes: Vec<u8>,
}

impl IndexFile {
    /// Opens the file, or makes it.
    pub(super) fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, FileStoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed("open", path))?;
        Ok(Self {
            disk,
            path: path.to_owned(),
            file,
        })
    }

    pub(super) fn put(&self, bundle: u64, row: &IndexRow) -> Result<(), FileStoreError> {
        self.write(bundle, &row.encode(bundle))
    }

    /// Takes the rows of these bundles away: what they tell of is pruned.
    pub(super) fn clear(&self, bundles: Range<u64>) -> Result<(), FileStoreError> {
        for bundle in bundles {
            self.write(bundle, &[0; IndexRow::BYTES])?;
        }
        self.disk
            .sync_data(&self.file)
            .map_err(failed("sync", &self.path))
    }

    /// The rows of these bundles, as far as there are any.
    pub(super) fn read(&self, bundles: Range<u64>) -> Result<Rows, FileStoreError> {
        let length = bundles.end.saturating_sub(bundles.start);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.saturating_mul(IndexRow::BYTES)];
        let read = fill(&self.file, &mut bytes, offset(bundles.start));
        bytes.truncate(read.map_err(failed("read", &self.path))?);
        Ok(Rows {
            range: bundles,
            bytes,
        })
    }

    fn write(&self, bundle: u64, bytes: &[u8]) -> Result<(), FileStoreError> {
        self.disk
            .write_all_at(&self.file, bytes, offset(bundle))
            .map_err(failed("write", &self.path))
    }
}

impl Rows {
    /// Whether it was read where the row of a bundle is.
    pub(super) fn is_of(&self, bundle: u64) -> bool {
        self.range.contains(&bundle)
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The row of a bundle, if there is a sound one.
    pub(super) fn row(&self, bundle: u64) -> Option<RowView<'_>> {
        let at = usize::try_from(bundle.checked_sub(self.range.start)?).ok()?;
        let at = at.checked_mul(IndexRow::BYTES)?;
        let bytes = self.bytes.get(at..at.checked_add(IndexRow::BYTES)?)?;
        RowView::read(bundle, bytes)
    }
}

/// Where the row of a bundle stands.
pub(super) const fn offset(bundle: u64) -> u64 {
    bundle.saturating_mul(IndexRow::BYTES as u64)
}

/// Reads as much as there is.
pub(super) fn fill(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::disk::SystemDisk;

    fn open(dir: &TempDir) -> IndexFile {
        IndexFile::open(Arc::new(SystemDisk), &dir.path().join("index")).unwrap()
    }

    #[test]
    fn a_row_is_4_bytes_an_event_and_belongs_to_one_bundle() {
        let dir = TempDir::new().unwrap();
        for bundle in [0, 2, 1] {
            open(&dir).put(bundle, &IndexRow::new()).unwrap();
        }
        let bytes = std::fs::read(dir.path().join("index")).unwrap();
        assert_eq!(bytes.len(), 3 * IndexRow::BYTES);
        assert_eq!(bytes.len() / (3 * 256), 4);
        let rows = open(&dir).read(1..4).unwrap();
        assert!(rows.row(1).is_some() && rows.row(2).is_some());
        assert!(rows.row(0).is_none() && rows.row(3).is_none());
        // One that stands elsewhere is none.
        assert!(RowView::read(1, &bytes[..IndexRow::BYTES]).is_none());
    }

    #[test]
    fn each_bit_of_a_row_is_guarded() {
        let sound = IndexRow::new().encode(7);
        assert!(RowView::read(7, &sound).is_some());
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(RowView::read(7, &bytes).is_none(), "bit {bit}");
        }
        assert!(RowView::read(7, &[0; IndexRow::BYTES]).is_none());
        assert!(RowView::read(7, &sound[1..]).is_none());
    }
}
