//! How far those are who follow the log.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{FileStoreError, file_error::failed};
use crate::{bounded_file, checkpoint::decimal, disk::Disk, event::Id, folder::WholeFiles};

/// The cursors of a log, in one file that is replaced as a whole: a line `<name> <next>` for each, and at last
/// `crc32 <8 hex digits>` of the lines before.
#[derive(Debug)]
pub(super) struct Cursors {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// Never held while the disk is waited for: those who ask do so on threads that run tasks.
    known: Mutex<BTreeMap<Box<str>, u64>>,
    /// Held by the one that writes the file.
    writing: Mutex<()>,
}

const CHECKSUM: &str = "crc32";
/// The cursors of some seven thousand with the longest names.
const MAX_BYTES: usize = 1024 * 1024;

impl Cursors {
    /// Reads the file, which need not be there.
    pub(super) fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, FileStoreError> {
        let text = match bounded_file::read_text(path, MAX_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => written(&BTreeMap::new()),
            Err(error) => return Err(failed("read", path)(error)),
        };
        let known = parse(&text).ok_or_else(|| FileStoreError::Damaged {
            path: path.to_owned(),
            what: "put back a copy of it, or remove it, and all who follow the log begin with its first entry",
        })?;
        Ok(Self {
            disk,
            path: path.to_owned(),
            known: Mutex::new(known),
            writing: Mutex::new(()),
        })
    }

    pub(super) fn next_of(&self, name: &Id) -> Option<u64> {
        self.known().get(name.as_str()).copied()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Box<str>, u64>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a cursor. It is on the disk when this returns, and where it was if this fails.
    pub(super) fn put(&self, name: &Id, next: u64) -> Result<(), FileStoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moved = self.known().clone();
        moved.insert(name.as_str().into(), next);
        // A draft of its own: others are written at the same time.
        let draft = self.path.with_extension("new");
        let name = self.path.file_name().unwrap_or_default();
        let parent = self.path.parent().unwrap_or(&self.path);
        let mut files = WholeFiles::for_owner(&*self.disk, parent).by_way_of(&draft);
        files.put(&name.to_string_lossy(), written(&moved).as_bytes())?;
        files.finish()?;
        *self.known() = moved;
        Ok(())
    }
}

fn written(cursors: &BTreeMap<Box<str>, u64>) -> String {
    let lines: String = cursors
        .iter()
        .map(|(name, next)| format!("{name} {next}\n"))
        .collect();
    format!(
        "{lines}{CHECKSUM} {:08x}\n",
        crc32fast::hash(lines.as_bytes())
    )
}

fn parse(text: &str) -> Option<BTreeMap<Box<str>, u64>> {
    let mut cursors = BTreeMap::new();
    let (lines, _) = text
        .strip_suffix('\n')?
        .rsplit_once('\n')
        .unwrap_or_default();
    for line in lines.lines() {
        let (name, next) = line.split_once(' ')?;
        cursors.insert(name.into(), decimal(next)?);
    }
    (written(&cursors) == text).then_some(cursors)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        sync::mpsc,
        thread,
        time::Duration,
    };

    use tempfile::TempDir;

    use super::*;
    use crate::disk::faulty::{Fault, FaultyDisk};

    const ONE: Id = Id::constant("siem/one:1.a");
    const OTHER: Id = Id::constant("crc32");

    fn open(dir: &TempDir, disk: &Arc<FaultyDisk>) -> Result<Cursors, FileStoreError> {
        Cursors::open(disk.clone(), &dir.path().join("cursors"))
    }

    #[test]
    fn a_folder_that_was_taken_away_is_not_made_again() {
        let (dir, disk) = (TempDir::new().unwrap(), Arc::<FaultyDisk>::default());
        let (folder, away) = (dir.path().join("log"), dir.path().join("away"));
        fs::create_dir(&folder).unwrap();
        let cursors = Cursors::open(disk, &folder.join("cursors")).unwrap();
        cursors.put(&ONE, 7).unwrap();
        fs::rename(&folder, &away).unwrap();
        assert!(cursors.put(&ONE, 8).is_err());
        assert!(!folder.exists());
        fs::rename(&away, &folder).unwrap();
        assert_eq!(cursors.next_of(&ONE), Some(7));
        cursors.put(&ONE, 8).unwrap();
        assert_eq!(cursors.next_of(&ONE), Some(8));
    }

    #[test]
    fn a_cursor_is_where_it_was_moved_to_and_a_failed_move_leaves_it() {
        let (dir, disk) = (TempDir::new().unwrap(), Arc::<FaultyDisk>::default());
        let cursors = open(&dir, &disk).unwrap();
        assert_eq!(cursors.next_of(&ONE), None);
        for next in [0, 7, 6, u64::MAX] {
            cursors.put(&ONE, next).unwrap();
            cursors.put(&OTHER, 3).unwrap();
            let again = open(&dir, &disk).unwrap();
            for cursors in [&cursors, &again] {
                assert_eq!(cursors.next_of(&ONE), Some(next));
                assert_eq!(cursors.next_of(&OTHER), Some(3));
            }
        }
        for fault in [Fault::Sync, Fault::Full { after: 2 }] {
            disk.fail(fault);
            cursors.put(&ONE, 8).unwrap_err();
            assert_eq!(cursors.next_of(&ONE), Some(u64::MAX));
            assert_eq!(open(&dir, &disk).unwrap().next_of(&ONE), Some(u64::MAX));
        }
    }

    /// One whose first sync lasts until it is told to end.
    #[derive(Debug)]
    struct Hanging {
        begun: mpsc::SyncSender<()>,
        end: Mutex<mpsc::Receiver<()>>,
    }

    impl Disk for Hanging {
        fn sync_data(&self, _: &File) -> io::Result<()> {
            self.begun.send(()).unwrap();
            self.end.lock().unwrap().recv().map_err(io::Error::other)
        }
    }

    #[test]
    fn who_asks_for_a_cursor_does_not_wait_for_a_disk_that_hangs() {
        let dir = TempDir::new().unwrap();
        let (begun, is_begun) = mpsc::sync_channel(1);
        let (end, is_to_end) = mpsc::channel();
        let end_of_disk = Mutex::new(is_to_end);
        let disk = Hanging {
            begun,
            end: end_of_disk,
        };
        let cursors = Cursors::open(Arc::new(disk), &dir.path().join("cursors")).unwrap();
        let cursors = Arc::new(cursors);
        let (told, answer) = mpsc::channel();
        thread::scope(|scope| {
            let moving = scope.spawn(|| cursors.put(&ONE, 7));
            is_begun.recv().unwrap();
            let asked = Arc::clone(&cursors);
            thread::spawn(move || told.send(asked.next_of(&ONE)));
            let asked = answer.recv_timeout(Duration::from_secs(10));
            end.send(()).unwrap();
            assert_eq!(asked, Ok(None));
            moving.join().unwrap().unwrap();
        });
        assert_eq!(cursors.next_of(&ONE), Some(7));
    }

    #[test]
    fn each_bit_of_the_file_is_guarded() {
        let (dir, disk) = (TempDir::new().unwrap(), Arc::<FaultyDisk>::default());
        open(&dir, &disk).unwrap().put(&ONE, 1234).unwrap();
        let path = dir.path().join("cursors");
        let sound = fs::read(&path).unwrap();
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            let error = open(&dir, &disk).unwrap_err();
            assert!(!error.to_string().is_empty(), "bit {bit}");
        }
        fs::write(&path, b"").unwrap();
        open(&dir, &disk).unwrap_err();
    }
}
