//! Files of a journal that somebody else overwrites, cuts, deletes or replaces while it is written to.

use std::os::unix::fs::FileExt as _;

use super::{records::sealed, *};
use crate::journal::SEGMENT_BYTES;

const SEGMENT: &str = "journal/0000000000.paj";

/// One damage: what it is called, and what is done to the segment.
struct Damage {
    name: &'static str,
    /// Found each second; else only when the journal is read.
    is_seen: bool,
    does: fn(&Path),
}

fn overwrite(segment: &Path, bytes: &[u8], at: u64) {
    let file = fs::File::options().write(true).open(segment).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

fn cut(segment: &Path, to: u64) {
    let file = fs::File::options().write(true).open(segment).unwrap();
    file.set_len(to).unwrap();
}

fn flip(segment: &Path, at: u64) {
    let byte = fs::read(segment).unwrap()[usize::try_from(at).unwrap()];
    overwrite(segment, &[byte ^ 0x55], at);
}

/// The last byte of the last frame: of its last personal part.
fn last(segment: &Path) -> u64 {
    let bytes = fs::read(segment).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64
}

/// Where a part of some length begins that is there once, of the entry with that number.
fn part_of(segment: &Path, n: u64) -> u64 {
    let (bytes, part) = (fs::read(segment).unwrap(), sealed(n));
    let at = bytes.windows(part.len()).position(|found| found == part);
    at.unwrap() as u64
}

const DAMAGES: [Damage; 13] = [
    Damage {
        name: "magic of the first frame",
        is_seen: false,
        does: |file| flip(file, 0),
    },
    Damage {
        name: "checksum of the first frame",
        is_seen: false,
        does: |file| flip(file, 5),
    },
    Damage {
        name: "lengths of the first frame",
        is_seen: false,
        does: |file| flip(file, 19),
    },
    Damage {
        name: "root of the first frame",
        is_seen: false,
        does: |file| flip(file, 40),
    },
    Damage {
        name: "an entry that is bundled",
        is_seen: false,
        does: |file| flip(file, 100),
    },
    Damage {
        name: "a personal part that is bundled",
        is_seen: false,
        does: |file| flip(file, part_of(file, 6)),
    },
    Damage {
        name: "a personal part that is not",
        is_seen: false,
        does: |file| flip(file, part_of(file, 301)),
    },
    Damage {
        name: "the last frame",
        is_seen: false,
        does: |file| flip(file, last(file)),
    },
    Damage {
        name: "the room behind it",
        is_seen: false,
        does: |file| overwrite(file, b"PAJ1 and more", last(file) + 999),
    },
    Damage {
        name: "cut to nothing",
        is_seen: true,
        does: |file| cut(file, 0),
    },
    Damage {
        name: "cut within a frame",
        is_seen: true,
        does: |file| cut(file, last(file) - 9),
    },
    Damage {
        name: "deleted",
        is_seen: true,
        does: |file| fs::remove_file(file).unwrap(),
    },
    Damage {
        name: "another file",
        is_seen: true,
        does: |file| {
            let other = file.with_extension("other");
            fs::write(&other, vec![7; SEGMENT_BYTES as usize]).unwrap();
            fs::rename(other, file).unwrap();
        },
    },
];

/// A log of 310 entries, of which 256 are bundled, in three frames.
async fn written(folder: &Folder) -> FileStore {
    let store = folder.open_plainly().await;
    for count in [200, 100, 10] {
        append(&store, count).await.unwrap();
    }
    eventually("in place", || folder.path("log/tile/0/000").exists()).await;
    store
}

/// The entries that each journal had which was damaged: from the first to that behind the last.
async fn on_record(store: &FileStore) -> Vec<(u64, u64)> {
    let damages = store.check_journal().await.unwrap().into_iter();
    damages
        .map(|entries| (entries.start, entries.end))
        .collect()
}

async fn assert_parts(store: &FileStore) {
    for n in [6, 254, 256, 301, 309] {
        assert_eq!(store.personal(n).await.unwrap(), Some(sealed(n)), "{n}");
    }
}

#[tokio::test]
async fn a_damaged_journal_is_repaired_and_kept_and_stays_on_record() {
    for Damage {
        name,
        is_seen,
        does,
    } in DAMAGES
    {
        let folder = Folder::new();
        let store = written(&folder).await;
        assert_eq!(on_record(&store).await, [], "{name}");
        does(&folder.path(SEGMENT));
        let damaged = fs::read(folder.path(SEGMENT)).ok();
        if is_seen {
            folder.told.wait_for("JournalReopened").await;
            assert!(folder.told.has("JournalMoved"), "{name}");
        }
        assert_eq!(on_record(&store).await, [(0, 310)], "{name}");
        assert_eq!(is_seen, !folder.told.has("JournalDamaged"), "{name}");
        assert_eq!(store.damages(), 1, "{name}");
        let kept = fs::read(folder.path("damaged/1.0-310/journal/0000000000.paj")).ok();
        assert!(kept == damaged, "{name}");

        // It is found once, goes on, and the next start trips over nothing.
        append(&store, 5).await.unwrap();
        assert_eq!(on_record(&store).await, [(0, 310)], "{name}");
        assert_parts(&store).await;
        store.close().await.unwrap();
        let store = folder.open_plainly().await;
        assert_has(&store, 315).await;
        assert_parts(&store).await;
        assert_eq!(on_record(&store).await, [(0, 310)], "{name}");
        fs::remove_dir_all(folder.path("damaged")).unwrap();
        assert_eq!(on_record(&store).await, [], "{name}");
        assert_eq!(store.damages(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_start_finds_what_was_acknowledged_a_second_before_or_names_the_file() {
    for Damage { name, does, .. } in DAMAGES {
        let folder = Folder::new();
        let store = written(&folder).await;
        eventually("acknowledged", || {
            fs::read_to_string(folder.path("acknowledged")).is_ok_and(|it| it.starts_with("310 "))
        })
        .await;
        // As a process leaves it that is killed at once.
        let killed = Folder::new();
        copy(folder.dir.path(), killed.dir.path());
        drop(store);
        does(&killed.path(SEGMENT));
        let before = fs::read(killed.path(SEGMENT)).ok();
        match killed.try_open().await {
            Ok(store) => assert_has(&store, 310).await,
            Err(error) => {
                let said = error.to_string();
                assert!(error.is_damage(), "{name}: {said}");
                let journal = killed.path("journal").to_string_lossy().into_owned();
                assert!(said.contains(&journal), "{name}: {said}");
                let after = fs::read(killed.path(SEGMENT)).ok();
                assert!(after == before, "{name}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn the_segment_that_is_next_is_missed_too() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    for _ in 0..12 {
        append(&store, 2_048).await.unwrap();
    }
    let next = folder.path("journal/0000000001.paj");
    eventually("the next one", || next.exists()).await;
    fs::remove_file(next).unwrap();
    eventually("on record", || store.damages() == 1).await;
    for _ in 0..12 {
        append(&store, 2_048).await.unwrap();
    }
    store.close().await.unwrap();
    assert_has(&folder.open_plainly().await, 24 * 2_048).await;
}

#[tokio::test]
async fn an_older_copy_in_its_place_and_the_journal_of_another_log_are_set_aside() {
    let (folder, other) = (Folder::new(), Folder::new());
    let store = other.open_plainly().await;
    append(&store, 2).await.unwrap();
    store.close().await.unwrap();
    let store = folder.open_plainly().await;
    append(&store, 10).await.unwrap();
    let copied = folder.path("copied");
    copy(&folder.path("journal"), &copied);
    append(&store, 5).await.unwrap();
    for (count, from) in [(1, copied), (2, other.path("journal"))] {
        fs::rename(
            folder.path("journal"),
            folder.path(&format!("moved{count}")),
        )
        .unwrap();
        fs::rename(from, folder.path("journal")).unwrap();
        eventually("on record", || store.damages() == count).await;
        append(&store, 1).await.unwrap();
    }
    store.close().await.unwrap();
    assert_has(&folder.open_plainly().await, 17).await;
    assert_eq!(names(&folder.path("damaged")), ["1.0-15", "2.0-16"]);
}

#[tokio::test]
async fn what_is_kept_of_damages_is_bounded() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 1).await.unwrap();
    for damage in 1..12 {
        flip(&folder.path(SEGMENT), 70);
        assert_eq!(on_record(&store).await.len(), damage.min(8));
        append(&store, 1).await.unwrap();
    }
    assert_eq!(store.damages(), 8);
    store.close().await.unwrap();
    assert_has(&folder.open_plainly().await, 12).await;
    assert_eq!(names(&folder.path("damaged")).len(), 8);
}

#[tokio::test]
async fn what_is_erased_is_in_no_damaged_journal_and_the_damage_stays_on_record() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 10).await.unwrap();
    flip(&folder.path(SEGMENT), 70);
    assert_eq!(on_record(&store).await, [(0, 10)]);
    append(&store, 10).await.unwrap();
    assert_eq!(folder.found(&sealed(4)).len(), 2);
    // Of an entry that it did not have, nothing there is to go.
    assert_eq!(store.erase(&[14]).await.unwrap(), 1);
    assert_eq!(folder.found(&sealed(4)).len(), 2);
    assert_eq!(store.erase(&[4]).await.unwrap(), 1);
    assert_eq!(folder.found(&sealed(4)), [] as [PathBuf; 0]);
    assert_eq!(on_record(&store).await, [(0, 10)]);

    // Nor is damage lost that nobody had found before.
    flip(&folder.path(SEGMENT), 70);
    assert_eq!(store.erase(&[5]).await.unwrap(), 1);
    assert_eq!(folder.found(&sealed(5)), [] as [PathBuf; 0]);
    assert_eq!(on_record(&store).await, [(0, 10), (0, 20)]);
}

#[tokio::test]
async fn a_journal_that_is_damaged_while_it_is_closed_is_repaired() {
    let folder = Folder::new();
    let store = folder.open().await;
    append(&store, 3).await.unwrap();
    append(&store, 3).await.unwrap();
    folder.disk.fail(crate::disk::faulty::Fault::Sync);
    append(&store, 2).await.unwrap_err();
    flip(&folder.path(SEGMENT), 70);
    append(&store, 2).await.unwrap_err();
    folder.told.wait_for("JournalReopened").await;
    append(&store, 4).await.unwrap();
    assert_has(&store, 10).await;
    assert_eq!(on_record(&store).await, [(0, 6)]);
}

/// What a process leaves that is killed after each of the names that change.
#[tokio::test]
async fn a_repair_that_was_begun_is_ended_by_the_next_start() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 10).await.unwrap();
    store.close().await.unwrap();
    let journal = folder.path("journal");
    let repaired = folder.path("journal.repaired");
    copy(&journal, &repaired);
    flip(&folder.path(SEGMENT), 70);
    fs::create_dir_all(folder.path("damaged/1.0-10")).unwrap();
    // Nothing was moved yet.
    let store = folder.open_plainly().await;
    assert_has(&store, 10).await;
    assert_eq!(on_record(&store).await, [(0, 10)]);
    store.close().await.unwrap();
    assert!(
        folder
            .path("damaged/1.0-10/journal/0000000000.paj")
            .exists()
    );
    // The damaged one was set aside.
    fs::rename(&journal, &repaired).unwrap();
    assert_has(&folder.open_plainly().await, 10).await;
    assert!(!repaired.exists());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for found in fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        let to = to.join(found.file_name());
        if found.file_type().unwrap().is_dir() {
            copy(&found.path(), &to);
        } else {
            fs::copy(found.path(), to).unwrap();
        }
    }
}
