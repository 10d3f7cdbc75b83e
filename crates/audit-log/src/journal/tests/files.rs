//! A journal in a folder.

use std::{fs, io, path::Path, sync::Arc};

use tempfile::TempDir;

use super::*;
use crate::disk::faulty::{Fault, FaultyDisk};

const HALF: usize = MAX_FRAME_BYTES as usize;

struct Folder {
    dir: TempDir,
    disk: Arc<FaultyDisk>,
}

impl Folder {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            disk: Arc::default(),
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn open(&self) -> (Journal, Recovered) {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<(Journal, Recovered), JournalError> {
        Journal::open_on(self.disk.clone(), self.path(), RightEdge::new(), 0, |_| {})
    }

    fn segments(&self) -> Vec<String> {
        let files = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn is_full(error: &JournalError) -> bool {
    matches!(error, JournalError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
}

#[test]
fn what_was_appended_is_there_after_each_opening() {
    let (folder, mut log) = (Folder::new(), Log::default());
    for opened in 0..5 {
        let (mut journal, recovered) = folder.open();
        assert_eq!((recovered.edge, recovered.torn), (log.edge.clone(), None));
        for _ in 0..opened {
            journal.append(&log.frame(opened)).unwrap();
        }
        assert_eq!(journal.size(), log.edge.size());
    }
}

#[test]
fn a_segment_has_16_mib_and_the_next_is_made_at_half() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    journal.append(&log.large_frame(HALF - 1)).unwrap();
    journal.prepare().unwrap();
    assert_eq!(folder.segments(), ["0000000000.paj"]);
    journal.append(&log.frame(1)).unwrap();
    journal.prepare().unwrap();
    assert_eq!(folder.segments(), ["0000000000.paj", "0000000001.paj"]);
    for name in folder.segments() {
        let length = folder.path().join(name).metadata().unwrap().len();
        assert_eq!(length, 16 * 1024 * 1024);
    }
    // A frame never goes over the end.
    journal.append(&log.large_frame(HALF)).unwrap();
    journal.append(&log.frame(2)).unwrap();
    assert_eq!(folder.open().1.edge, log.edge);
}

#[test]
fn segments_that_tiles_have_are_dropped_in_their_order() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    let mut ends = Vec::new();
    for _ in 0..5 {
        journal.append(&log.large_frame(HALF - 1)).unwrap();
        journal.prepare().unwrap();
        ends.push(journal.size());
    }
    assert_eq!(folder.segments().len(), 3);
    for journal in [journal, folder.open().0] {
        let mut journal = journal;
        journal.drop_before(ends[1] - 1).unwrap();
        assert!(folder.segments().contains(&"0000000001.paj".to_owned()));
    }
    let (mut journal, _) = folder.open();
    journal.drop_before(ends[1]).unwrap();
    assert_eq!(folder.segments(), ["0000000001.paj", "0000000002.paj"]);
    journal.drop_before(ends[4]).unwrap();
    assert_eq!(folder.segments(), ["0000000002.paj"]);
    drop(journal);
    let error = folder.try_open().unwrap_err();
    assert!(matches!(
        error,
        JournalError::Damaged {
            source: Damage::Gap { .. },
            ..
        }
    ));
    let (_, recovered) = Journal::open(folder.path(), log.edge.clone(), |_| {}).unwrap();
    assert_eq!(recovered.edge, log.edge);
}

#[test]
fn a_torn_frame_is_cut_and_counted_once() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    journal.append(&log.frame(3)).unwrap();
    let before = log.edge.clone();
    for after in [0, 1, 8, 63, 64, 100] {
        folder.disk.fail(Fault::Full { after });
        let mut lost = Log {
            edge: before.clone(),
            ..Log::default()
        };
        let error = journal.append(&lost.frame(2)).unwrap_err();
        assert!(is_full(&error), "{error}");
        // It does not go on, and neither does it know what was written.
        let error = journal.append(&lost.frame(1)).unwrap_err();
        assert!(matches!(error, JournalError::Failed), "{error}");
        let recovered = folder.open().1;
        assert_eq!(recovered.torn.map_or(0, |torn| torn.bytes) > 0, after > 0);
        assert_eq!(recovered.edge, before);
        let recovered;
        (journal, recovered) = folder.open();
        assert_eq!((recovered.edge, recovered.torn), (before.clone(), None));
    }
    // There is room again.
    journal.append(&log.frame(2)).unwrap();
    assert_eq!(folder.open().1.edge, log.edge);
}

#[test]
fn what_a_failed_sync_left_in_memory_is_on_the_disk_before_anything_follows() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    journal.append(&log.frame(3)).unwrap();
    folder.disk.fail(Fault::Sync);
    let error = journal.append(&log.frame(2)).unwrap_err();
    assert!(
        matches!(error, JournalError::Io { doing: "sync", .. }),
        "{error}"
    );
    // The system shows it still, and would sync nothing more of it.
    let (mut journal, recovered) = folder.open();
    assert_eq!(recovered.edge, log.edge);
    journal.append(&log.frame(1)).unwrap();
    folder.disk.lose_power();
    assert_eq!(folder.open().1.edge, log.edge);
}

#[test]
fn what_was_never_synced_may_be_lost_and_nothing_else() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    journal.append(&log.frame(3)).unwrap();
    let before = log.edge.clone();
    folder.disk.fail(Fault::Sync);
    journal.append(&log.frame(2)).unwrap_err();
    folder.disk.lose_power();
    assert_eq!(folder.open().1.edge, before);
}

#[test]
fn a_full_disk_is_known_half_a_segment_early_and_nothing_fails_by_it() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    journal.append(&log.large_frame(HALF)).unwrap();
    folder.disk.fail(Fault::Full { after: 9_999 });
    assert!(is_full(&journal.prepare().unwrap_err()));
    assert_eq!(
        folder.segments(),
        ["0000000000.paj"],
        "what was begun is gone"
    );
    journal.append(&log.large_frame(HALF)).unwrap();
    // Now there is no room, and the frame may be tried again when there is.
    let frame = log.large_frame(HALF);
    folder.disk.fail(Fault::Full { after: 0 });
    assert!(is_full(&journal.append(&frame).unwrap_err()));
    journal.append(&frame).unwrap();
    assert_eq!(folder.open().1.edge, log.edge);
}

#[test]
fn damage_is_refused_and_nothing_is_changed() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    journal.append(&log.frame(3)).unwrap();
    journal.append(&log.frame(2)).unwrap();
    drop(journal);
    let path = folder.path().join("0000000000.paj");
    let mut bytes = fs::read(&path).unwrap();
    bytes[70] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = folder.try_open().unwrap_err();
    assert!(matches!(
        error,
        JournalError::Damaged {
            source: Damage::Broken { at: 0, .. },
            ..
        }
    ));
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_frame_that_does_not_follow_is_refused_and_the_next_one_is_not() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    log.frame(1);
    let error = journal.append(&log.frame(1)).unwrap_err();
    assert!(matches!(error, JournalError::OtherFrame { expected: 0 }));
    journal.append(&Log::default().frame(1)).unwrap();
}

#[test]
fn a_segment_that_was_moved_or_deleted_is_noticed() {
    let (folder, mut log) = (Folder::new(), Log::default());
    let (mut journal, _) = folder.open();
    journal.append(&log.large_frame(HALF)).unwrap();
    journal.prepare().unwrap();
    for name in folder.segments() {
        let (path, aside) = (folder.path().join(&name), folder.path().join("aside"));
        assert!(journal.is_in_place());
        fs::rename(&path, &aside).unwrap();
        assert!(!journal.is_in_place());
        fs::copy(&aside, &path).unwrap();
        assert!(!journal.is_in_place(), "a copy is another file");
        fs::rename(&aside, &path).unwrap();
    }
    assert!(journal.is_in_place());
}

#[test]
fn what_was_being_made_when_a_writer_ended_is_removed() {
    let folder = Folder::new();
    fs::write(folder.path().join("0000000000.new"), b"begun").unwrap();
    fs::write(folder.path().join("notes.txt"), b"of somebody").unwrap();
    fs::write(folder.path().join("1.paj"), b"no name of ours").unwrap();
    drop(folder.open());
    assert_eq!(folder.segments(), ["0000000000.paj", "1.paj", "notes.txt"]);
}
