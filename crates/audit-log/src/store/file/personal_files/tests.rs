//! Parts that are appended, read and erased, on a disk that fails.

use tempfile::TempDir;

use super::*;
use crate::disk::faulty::{Fault, FaultyDisk};

struct Folder {
    dir: TempDir,
    disk: Arc<FaultyDisk>,
    files: PersonalFiles,
}

impl Folder {
    fn new() -> Self {
        let (dir, disk) = (TempDir::new().unwrap(), Arc::<FaultyDisk>::default());
        let files = PersonalFiles::new(disk.clone(), dir.path());
        files.take_up(0).unwrap();
        Self { dir, disk, files }
    }

    fn append(&self, events: std::ops::Range<u64>) -> Result<(), FileStoreError> {
        let parts: Vec<_> = events.map(|n| (n, sealed(n))).collect();
        self.files
            .append(parts.iter().map(|(n, sealed)| (*n, &**sealed)))
    }

    fn has(&self, n: u64) -> bool {
        let found = self.files.read(n).unwrap();
        found
            .inspect(|found| assert_eq!(*found, sealed(n)))
            .is_some()
    }

    fn bytes(&self) -> Vec<u8> {
        let files = fs::read_dir(self.dir.path()).unwrap();
        files
            .flat_map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect()
    }
}

fn sealed(n: u64) -> Vec<u8> {
    format!("sealed part of {n:06}").into_bytes()
}

#[test]
fn parts_are_found_and_a_part_that_is_there_is_not_appended_again() {
    let folder = Folder::new();
    folder.append(3..2_100).unwrap();
    let once = folder.bytes().len();
    folder.append(2_050..2_110).unwrap();
    assert_eq!(folder.bytes().len(), once + 10 * (14 + 21));
    assert!(!folder.has(2) && folder.has(3) && folder.has(1_024) && folder.has(2_109));
    assert!(!folder.has(2_110) && !folder.has(9_999));
}

#[test]
fn nothing_is_left_of_a_part_that_was_erased() {
    let folder = Folder::new();
    folder.append(0..2_100).unwrap();
    let events = BTreeSet::from([5, 1_024, 2_099, 7_000]);
    assert_eq!(folder.files.erase(&events).unwrap(), 3);
    assert_eq!(folder.files.erase(&events).unwrap(), 0);
    let bytes = folder.bytes();
    for n in 0..2_100 {
        // Each of them is a search of all bytes.
        if events.contains(&n) || n % 500 == 0 {
            let is_left = bytes.windows(21).any(|window| window == sealed(n));
            assert_eq!(is_left, !events.contains(&n), "of {n}");
        }
        assert_eq!(folder.has(n), !events.contains(&n));
    }
    folder.files.erase_before(2_098).unwrap();
    assert!(!folder.has(2_097) && folder.has(2_098));
    assert_eq!(fs::read_dir(folder.dir.path()).unwrap().count(), 1);
    folder.files.erase_before(2_099).unwrap();
    assert_eq!(fs::read_dir(folder.dir.path()).unwrap().count(), 0);
}

#[test]
fn what_a_disk_refused_is_appended_later() {
    for fault in [Fault::Sync, Fault::Full { after: 50 }] {
        let folder = Folder::new();
        folder.append(0..10).unwrap();
        folder.disk.fail(fault);
        folder.append(10..20).unwrap_err();
        folder.append(10..20).unwrap();
        assert!((0..20).all(|n| folder.has(n)), "{fault:?}");
        // And what was erased and failed is as it was.
        folder.disk.fail(fault);
        folder.files.erase(&BTreeSet::from([3])).unwrap_err();
        assert!((0..20).all(|n| folder.has(n)), "{fault:?}");
    }
}

#[test]
fn a_start_cuts_what_the_journal_has_and_keeps_the_rest() {
    let folder = Folder::new();
    folder.append(0..1_500).unwrap();
    folder.files.take_up(1_280).unwrap();
    assert!(folder.has(1_279) && !folder.has(1_280));
    folder.append(1_280..1_600).unwrap();
    // A torn one.
    let path = folder.files.path_of(1);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    folder.files.take_up(1_536).unwrap();
    assert!(folder.has(1_535) && !folder.has(1_536));
    folder.files.take_up(512).unwrap();
    assert!(folder.has(511) && !folder.has(512) && !folder.has(1_100));
}

#[test]
fn a_damaged_part_takes_no_other_with_it_and_is_told() {
    let folder = Folder::new();
    folder.append(0..20).unwrap();
    let path = folder.files.path_of(0);
    let mut bytes = fs::read(&path).unwrap();
    // The length of the part of event 7.
    bytes[7 * 35 + 8] ^= 0x10;
    fs::write(&path, &bytes).unwrap();
    folder.files.take_up(20).unwrap();
    for n in 0..20 {
        match folder.files.read(n) {
            Ok(part) => assert_eq!(part, Some(sealed(n))),
            Err(error) => {
                assert!(
                    n == 7 && matches!(error, FileStoreError::Damaged { .. }),
                    "{error}"
                );
            }
        }
    }
    folder.append(20..25).unwrap();
    assert!(folder.has(24));
    // Erasing leaves nothing of what cannot be read.
    folder.files.erase(&BTreeSet::from([8])).unwrap();
    assert!(!folder.has(7) && !folder.has(8) && folder.has(24));
}
