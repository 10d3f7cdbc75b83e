//! Whether the file at the database's path still is the one that was opened.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::store::DatabaseFault;

/// A file that was opened, by its path and what the file system calls it.
#[derive(Debug, Clone)]
pub(super) struct OpenedFile {
    path: PathBuf,
    identity: (u64, u64),
    length: Arc<AtomicU64>,
}

impl OpenedFile {
    /// The file that lies there now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            identity: identity(&metadata),
            length: Arc::new(AtomicU64::new(metadata.len())),
        })
    }

    /// Fails if it is gone, is another, or has lost pages since the last look: SQLite goes on
    /// writing to a file that nobody will ever open again.
    pub(super) fn verify(&self) -> Result<(), DatabaseFault> {
        let Ok(metadata) = fs::metadata(&self.path) else {
            return Err(DatabaseFault::NotTheSame);
        };
        if identity(&metadata) != self.identity {
            return Err(DatabaseFault::NotTheSame);
        }
        let length = metadata.len();
        // `VACUUM` makes a file shorter too, and then the header says so.
        if length < self.length.swap(length, Ordering::Relaxed) && !self.holds_its_pages(length) {
            return Err(DatabaseFault::NotTheSame);
        }
        Ok(())
    }

    /// Whether the file is as long as its own header says.
    fn holds_its_pages(&self, length: u64) -> bool {
        let mut header = [0; 32];
        let read = File::open(&self.path).and_then(|mut file| file.read_exact(&mut header));
        if read.is_err() {
            return false;
        }
        let [.., a, b, c, d] = header;
        let pages = u64::from(u32::from_be_bytes([a, b, c, d]));
        let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            bytes => u64::from(bytes),
        };
        length >= pages * page_bytes
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of three pages as SQLite's header describes it.
    fn database(pages: u32) -> Vec<u8> {
        let mut bytes = vec![0; 4_096 * pages as usize];
        bytes[16..18].copy_from_slice(&4_096_u16.to_be_bytes());
        bytes[28..32].copy_from_slice(&pages.to_be_bytes());
        bytes
    }

    #[test]
    fn only_a_file_that_grows_or_is_vacuumed_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let is_same = |change: &dyn Fn()| {
            fs::write(&path, database(3)).unwrap();
            let file = OpenedFile::at(&path).unwrap();
            file.verify().unwrap();
            change();
            file.verify().is_ok()
        };
        let set_length = |length| {
            let file = File::options().write(true).open(&path).unwrap();
            file.set_len(length).unwrap();
        };
        assert!(is_same(&|| fs::write(&path, database(4)).unwrap()));
        assert!(is_same(&|| fs::write(&path, database(2)).unwrap()));
        assert!(!is_same(&|| set_length(2 * 4_096)));
        assert!(!is_same(&|| set_length(0)));
        assert!(!is_same(&|| fs::remove_file(&path).unwrap()));
        assert!(!is_same(&|| {
            fs::rename(&path, folder.path().join("moved")).unwrap();
            fs::write(&path, database(3)).unwrap();
        }));
    }
}
