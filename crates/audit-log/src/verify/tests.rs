//! What is done to a small log, and that each of it is found.

mod small_log;

use self::small_log::{Files, Found, SIZE, bundle_of, checked, entry, files, signed};
use super::*;
use crate::tile::TileError;

const BUNDLE: &str = "tile/entries/000.p/5";

/// The same log with other entries in its bundle, tile and checkpoint as they were.
fn with_entries(entries: &[Vec<u8>]) -> Files {
    let mut files = files();
    files.insert(BUNDLE.to_owned(), bundle_of(entries));
    files
}

fn entries() -> Vec<Vec<u8>> {
    (0..SIZE).map(entry).collect()
}

#[test]
fn the_log_as_it_was_is_sound() {
    assert_eq!(checked(&files()), Ok(()));
}

#[test]
fn each_bit_of_each_file_is_guarded() {
    let files = files();
    assert_eq!(files.len(), 3);
    for (path, bytes) in &files {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = files.clone();
                changed.get_mut(path).unwrap()[at] ^= 1 << bit;
                assert!(checked(&changed).is_err(), "{path}: byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn each_truncation_is_found() {
    let files = files();
    for (path, bytes) in &files {
        for length in 0..bytes.len() {
            let mut cut = files.clone();
            cut.get_mut(path).unwrap().truncate(length);
            assert!(checked(&cut).is_err(), "{path}: of {length}");
        }
    }
}

#[test]
fn each_entry_that_is_dropped_doubled_or_moved_is_found() {
    for at in 0..entries().len() {
        let mut changed = entries();
        changed.remove(at);
        assert!(checked(&with_entries(&changed)).is_err(), "without {at}");
        let mut changed = entries();
        changed.insert(at, changed[at].clone());
        assert!(checked(&with_entries(&changed)).is_err(), "{at} twice");
        for other in 0..at {
            let mut changed = entries();
            changed.swap(at, other);
            let index = other as u64;
            let found = Found::Log(LogError::WrongIndex {
                index,
                found: at as u64,
            });
            assert_eq!(checked(&with_entries(&changed)), Err(found));
        }
    }
}

#[test]
fn an_entry_that_is_put_in_the_place_of_another_is_found() {
    let mut changed = entries();
    let text = String::from_utf8(changed[2].clone()).unwrap();
    changed[2] = text.replace("lead.read", "lead.list").into_bytes();
    assert_eq!(
        checked(&with_entries(&changed)),
        Err(Found::Log(LogError::WrongRoot))
    );
}

#[test]
fn an_entry_that_is_withheld_from_its_tenant_is_found() {
    // By who writes the log, and so with hashes and signature.
    let mut changed = entries();
    for entry in &mut changed[2..] {
        let text = String::from_utf8(entry.clone()).unwrap();
        let next = text.replacen("\"tn\":1", "\"tn\":2", 1);
        *entry = next.into_bytes();
    }
    let found = LogError::WrongTenantIndex {
        index: 2,
        expected: 1,
        found: 2,
    };
    assert_eq!(checked(&signed(&changed)), Err(Found::Log(found)));
}

#[test]
fn what_is_no_leaf_is_found_even_if_it_was_signed() {
    let mut changed = entries();
    changed[3] = b"{}".to_vec();
    let found = checked(&signed(&changed));
    assert!(
        matches!(found, Err(Found::Log(LogError::Leaf { index: 3, .. }))),
        "{found:?}"
    );
}

#[test]
fn more_or_fewer_bundles_than_there_are_is_found() {
    let checkpoint =
        Checkpoint::parse("a\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").unwrap();
    let (expected, found) = (5, 0);
    let early = LogVerifier::new(checkpoint.clone()).finish();
    assert_eq!(early, Err(LogError::WrongSize { expected, found }));
    let mut verifier = LogVerifier::new(checkpoint);
    let path = verifier.next_bundle().unwrap();
    let error = TileError::Truncated { entry: 0 };
    assert_eq!(
        verifier.check_bundle(b""),
        Err(LogError::File { path, error })
    );
    verifier.check_bundle(&bundle_of(&entries())).unwrap();
    assert_eq!(verifier.next_bundle(), None);
    let (expected, found) = (5, 5);
    let again = verifier.check_bundle(&bundle_of(&entries()));
    assert_eq!(again, Err(LogError::WrongSize { expected, found }));
    assert_eq!(verifier.finish(), Err(LogError::WrongRoot));
}

#[test]
fn logs_around_256_have_all_their_tiles() {
    for size in [1, 255, 256, 257, 512, 513] {
        let entries: Vec<_> = (0..size).map(entry).collect();
        let files = signed(&entries);
        assert_eq!(checked(&files), Ok(()), "of {size}");
        // None is beside the point.
        for path in files.keys() {
            let mut fewer = files.clone();
            fewer.remove(path);
            assert!(checked(&fewer).is_err(), "{path} of {size}");
        }
    }
}
