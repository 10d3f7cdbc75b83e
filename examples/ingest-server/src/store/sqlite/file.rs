//! Whether the files at the database's paths still are those that were opened.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::store::DatabaseFault;

/// A file that was opened, by its path and what the file system calls it, and what SQLite keeps
/// beside it.
#[derive(Debug, Clone)]
pub(super) struct OpenedFile {
    path: PathBuf,
    file: Arc<File>,
    identity: Identity,
    length: Arc<AtomicU64>,
    beside: [PathBuf; 2],
    beside_identities: Arc<OnceLock<[Identity; 2]>>,
}

/// Device and inode.
type Identity = (u64, u64);

impl OpenedFile {
    /// The file that lies there now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let file = open_to_the_end(path)?;
        let metadata = file.metadata()?;
        let beside = ["-wal", "-shm"].map(|suffix| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            path.into()
        });
        Ok(Self {
            path: path.to_owned(),
            file,
            identity: identity(&metadata),
            length: Arc::new(AtomicU64::new(metadata.len())),
            beside,
            beside_identities: Arc::default(),
        })
    }

    /// Remembers the write-ahead log and its index. They stay the same from the first connection to
    /// the end of the last.
    pub(super) fn note_log(&self) -> io::Result<()> {
        let [log, index] = &self.beside;
        let identities = [
            identity(&fs::metadata(log)?),
            identity(&fs::metadata(index)?),
        ];
        self.beside_identities.get_or_init(|| identities);
        Ok(())
    }

    /// Fails if it is gone, is another, or has lost pages since the last look, or if the log beside it
    /// is gone or another: SQLite goes on writing to a file that nobody will ever open again.
    pub(super) fn verify(&self) -> Result<(), DatabaseFault> {
        let Ok(metadata) = fs::metadata(&self.path) else {
            return Err(DatabaseFault::NotTheSame);
        };
        if identity(&metadata) != self.identity {
            return Err(DatabaseFault::NotTheSame);
        }
        let length = metadata.len();
        // `VACUUM` makes a file shorter too, and then the header says so. What was found stays found: the one
        // that looked may have gone away.
        if length < self.length.load(Ordering::Relaxed) && !self.holds_its_pages(length) {
            return Err(DatabaseFault::NotTheSame);
        }
        self.length.store(length, Ordering::Relaxed);
        let is_same = |(path, expected): (&PathBuf, &Identity)| {
            fs::metadata(path).is_ok_and(|metadata| identity(&metadata) == *expected)
        };
        match self.beside_identities.get() {
            Some(expected) if !self.beside.iter().zip(expected).all(is_same) => {
                Err(DatabaseFault::LogNotTheSame)
            }
            _ => Ok(()),
        }
    }

    /// Whether the file is as long as its own header says.
    fn holds_its_pages(&self, length: u64) -> bool {
        let mut header = [0; 32];
        if self.file.read_exact_at(&mut header, 0).is_err() {
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

/// Closing any descriptor of a file ends the locks that SQLite has on it in this process, also for who has opened it
/// beside: each file is opened once, and never closed.
fn open_to_the_end(path: &Path) -> io::Result<Arc<File>> {
    static OPENED: Mutex<Vec<(Identity, Arc<File>)>> = Mutex::new(Vec::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = identity(&fs::metadata(path)?);
    if let Some((_, file)) = opened.iter().find(|(opened, _)| *opened == wanted) {
        return Ok(Arc::clone(file));
    }
    let file = Arc::new(File::open(path)?);
    opened.push((identity(&file.metadata()?), Arc::clone(&file)));
    Ok(file)
}

fn identity(metadata: &Metadata) -> Identity {
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
            let is_same = file.verify().is_ok();
            assert_eq!(file.verify().is_ok(), is_same);
            is_same
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

    #[test]
    fn who_opens_a_file_again_ends_no_lock_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let locked = File::create(&path).unwrap();
        rustix::fs::fcntl_lock(&locked, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let first = OpenedFile::at(&path).unwrap();
        drop(OpenedFile::at(&path).unwrap());
        drop(first);
        // Locks of a process do not stand in its own way: it asks the system.
        let inode = format!(":{} ", locked.metadata().unwrap().ino());
        let locks = fs::read_to_string("/proc/locks").unwrap();
        assert!(locks.contains(&inode), "{locks}");
    }

    #[test]
    fn the_log_and_its_index_have_to_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let beside = |suffix: &str| folder.path().join(format!("a.db{suffix}"));
        for suffix in ["-wal", "-shm"] {
            fs::write(&path, database(1)).unwrap();
            fs::write(beside("-wal"), "").unwrap();
            fs::write(beside("-shm"), "").unwrap();
            let file = OpenedFile::at(&path).unwrap();
            file.verify().unwrap();
            file.note_log().unwrap();
            fs::write(beside(suffix), "more").unwrap();
            file.verify().unwrap();
            fs::rename(beside(suffix), folder.path().join("moved")).unwrap();
            assert_eq!(file.verify(), Err(DatabaseFault::LogNotTheSame));
            fs::write(beside(suffix), "").unwrap();
            assert_eq!(file.verify(), Err(DatabaseFault::LogNotTheSame));
            fs::rename(folder.path().join("moved"), beside(suffix)).unwrap();
            file.verify().unwrap();
        }
    }
}
