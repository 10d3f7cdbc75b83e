//! Folders that are taken up again, on a disk that fails.

use std::collections::BTreeMap;

use secrecy::SecretBox;
use tempfile::TempDir;

use super::*;
use crate::{
    disk::faulty::{Fault, FaultyDisk},
    note::SigningKey,
};

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

fn push(log: &mut LogFolder, to: u64) {
    for n in log.edge().size()..to {
        log.push(&entry(n)).unwrap();
    }
}

fn checkpoint_of(edge: &RightEdge) -> SignedNote {
    let seed = SecretBox::new(Box::new([1; 32]));
    let key = SigningKey::from_seed("log.example".parse().unwrap(), &seed).unwrap();
    let origin = key.verifying_key().name().clone();
    let checkpoint = Checkpoint::new(origin, edge.size(), edge.root());
    checkpoint.sign(&[key]).unwrap()
}

fn publish(log: &mut LogFolder) -> Result<(), FolderError> {
    let note = checkpoint_of(log.edge());
    log.publish(&note)
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for found in fs::read_dir(folder).unwrap() {
            let path = found.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

/// What tlog-tiles has for a log of this size.
fn expected(size: u64) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut edge, mut tiles) = (BTreeMap::new(), RightEdge::new(), GrowingTiles::new());
    let mut bundles = BTreeMap::<u64, Vec<u8>>::new();
    for n in 0..size {
        let leaf = TreeHash::of_leaf(&entry(n));
        edge.push(leaf);
        tiles.push(leaf, |path, hashes| {
            files.insert(path.to_string(), bytes_of(hashes));
        });
        write_entry(&entry(n), bundles.entry(n / 256).or_default()).unwrap();
    }
    for (path, hashes) in tiles.partial() {
        files.insert(path.to_string(), bytes_of(hashes));
    }
    for (index, bytes) in bundles {
        let width = (size - index * 256).min(256).try_into().unwrap();
        let path = TilePath::new(TileKind::Entries, index, width).unwrap();
        files.insert(path.to_string(), bytes);
    }
    files.insert(
        CHECKPOINT.to_owned(),
        checkpoint_of(&edge).to_string().into_bytes(),
    );
    files
}

/// That a folder has these files, and of others only the partial tiles of earlier checkpoints that are not full yet.
fn assert_published(dir: &Path, size: u64) {
    let (mut found, expected) = (files(dir), expected(size));
    for (name, bytes) in &expected {
        assert!(
            found.remove(name).as_ref() == Some(bytes),
            "{name} of {size}"
        );
    }
    for name in found.keys() {
        let full = name.split_once(".p/").map(|(full, _)| full);
        assert!(
            full.is_some_and(|full| !expected.contains_key(full)),
            "{name} of {size}"
        );
    }
}

#[test]
fn a_folder_is_taken_up_wherever_its_writer_ended() {
    for sizes in [
        [0, 300, 900],
        [1, 258, 515],
        [255, 512, 1_100],
        [256, 769, 1_300],
    ] {
        let dir = TempDir::new().unwrap();
        for size in sizes {
            let mut log = LogFolder::open(dir.path()).unwrap();
            push(&mut log, size / 2);
            log.write().unwrap();
            push(&mut log, size);
            publish(&mut log).unwrap();
            assert_eq!((log.published(), log.in_place()), (size, size - size % 256));
            // What came after the checkpoint and is in place is found, too.
            push(&mut log, size + 256);
            log.write().unwrap();
            let again = LogFolder::open(dir.path()).unwrap();
            assert_eq!(again.in_place(), log.in_place());
            assert_eq!(
                (again.published(), again.edge().size()),
                (size, log.in_place())
            );
        }
        let mut log = LogFolder::open(dir.path()).unwrap();
        push(&mut log, 2_000);
        publish(&mut log).unwrap();
        assert_published(dir.path(), 2_000);
    }
}

#[test]
fn levels_above_are_taken_up_from_the_tiles_below() {
    let dir = TempDir::new().unwrap();
    for size in [65_400, 65_536, 65_900] {
        let mut log = LogFolder::open(dir.path()).unwrap();
        push(&mut log, size);
        log.write().unwrap();
    }
    let mut log = LogFolder::open(dir.path()).unwrap();
    assert_eq!(log.in_place(), 65_792);
    push(&mut log, 65_900);
    publish(&mut log).unwrap();
    assert_published(dir.path(), 65_900);
}

#[test]
fn what_a_disk_refused_is_in_no_place_and_is_written_later() {
    for fault in [
        Fault::Sync,
        Fault::Full { after: 0 },
        Fault::Full { after: 100 },
    ] {
        let (dir, disk) = (TempDir::new().unwrap(), Arc::new(FaultyDisk::default()));
        let mut log = LogFolder::open_on(disk.clone(), dir.path()).unwrap();
        push(&mut log, 600);
        disk.fail(fault);
        let error = log.write().unwrap_err();
        assert!(
            matches!(error, FolderError::Io { doing: "write", .. }),
            "{error}"
        );
        let in_place = |name: &String| !name.starts_with(".writing");
        assert_eq!(
            files(dir.path())
                .keys()
                .filter(|name| in_place(name))
                .count(),
            0
        );
        assert_eq!(log.in_place(), 0);
        disk.fail(fault);
        publish(&mut log).unwrap_err();
        assert_eq!(log.published(), 0);
        publish(&mut log).unwrap();
        assert_published(dir.path(), 600);
    }
}

#[test]
fn a_bundle_is_counted_when_all_of_it_is_in_place() {
    let dir = TempDir::new().unwrap();
    let mut log = LogFolder::open(dir.path()).unwrap();
    push(&mut log, 512);
    log.write().unwrap();
    // As if the writer had ended before the last of its files.
    fs::remove_file(dir.path().join("tile/0/001")).unwrap();
    let mut log = LogFolder::open(dir.path()).unwrap();
    assert_eq!(log.in_place(), 256);
    push(&mut log, 512);
    publish(&mut log).unwrap();
    assert_published(dir.path(), 512);
}

#[test]
fn a_checkpoint_of_another_tree_is_not_published() {
    let dir = TempDir::new().unwrap();
    let mut log = LogFolder::open(dir.path()).unwrap();
    let mut other = RightEdge::new();
    (0..3).for_each(|_| other.push(TreeHash::of_leaf(b"never appended")));
    for size in [3, 300] {
        push(&mut log, size);
        let error = log.publish(&checkpoint_of(&other)).unwrap_err();
        assert!(matches!(error, FolderError::OtherTree), "{error}");
        assert!(!files(dir.path()).contains_key(CHECKPOINT));
    }
    let earlier = checkpoint_of(log.edge());
    push(&mut log, 301);
    let late = checkpoint_of(log.edge());
    log.publish(&late).unwrap();
    // Nothing is taken back.
    let error = log.publish(&earlier).unwrap_err();
    assert!(matches!(error, FolderError::OtherTree), "{error}");
    log.publish(&late).unwrap();
}

#[test]
fn a_checkpoint_of_a_tree_that_the_log_had_is_published_with_its_tiles() {
    let sizes = [0, 1, 255, 256, 300, 512, 700, 65_536, 65_800, 66_000];
    for (appended, sizes) in [(700, &sizes[..7]), (66_100, &sizes[..])] {
        let dir = TempDir::new().unwrap();
        let mut log = LogFolder::open(dir.path()).unwrap();
        let mut notes = Vec::new();
        for size in sizes {
            push(&mut log, *size);
            notes.push(checkpoint_of(log.edge()));
        }
        push(&mut log, appended);
        for (size, note) in sizes.iter().zip(&notes) {
            log.publish(note).unwrap();
            let found = files(dir.path());
            for (name, bytes) in expected(*size) {
                assert!(found.get(&name) == Some(&bytes), "{name} of {size}");
            }
            assert_eq!(LogFolder::open(dir.path()).unwrap().published(), *size);
        }
        publish(&mut log).unwrap();
        assert_published(dir.path(), appended);
    }
}

#[test]
fn what_must_be_there_and_is_not_is_an_error() {
    let dir = TempDir::new().unwrap();
    let mut log = LogFolder::open(dir.path()).unwrap();
    push(&mut log, 600);
    publish(&mut log).unwrap();
    let tile = dir.path().join("tile/0/000");
    fs::write(&tile, b"short").unwrap();
    let error = LogFolder::open(dir.path()).unwrap_err();
    assert!(matches!(error, FolderError::Tile { .. }), "{error}");
    fs::remove_file(&tile).unwrap();
    let error = LogFolder::open(dir.path()).unwrap_err();
    assert!(
        matches!(error, FolderError::Io { doing: "read", .. }),
        "{error}"
    );
    fs::write(dir.path().join(CHECKPOINT), b"of nobody").unwrap();
    let error = LogFolder::open(dir.path()).unwrap_err();
    assert!(matches!(error, FolderError::Note(_)), "{error}");
}
