//! What is done to a log, and that each of it is found, and said where.

mod beside;
mod grown;
mod missing;
mod small_log;

use proptest::prelude::*;

use self::small_log::{Files, SIZE, bundle_of, entries, files, policy, signed, told, verify};
use super::*;

const BUNDLE: &str = "tile/entries/000.p/5";
const TILE: &str = "tile/0/000.p/5";

/// The same log with other entries in its bundle, tile and checkpoint as they were.
fn with_entries(entries: &[Vec<u8>]) -> Files {
    files().with(BUNDLE, bundle_of(entries))
}

#[test]
fn the_log_as_it_was_is_sound() {
    let report = verify(&files());
    assert_eq!(told(&report), [""; 0]);
    assert_eq!(
        (report.outcome(), report.entries, report.pruned),
        (Outcome::Sound, SIZE, 0)
    );
    let signed = report.signed.unwrap();
    assert_eq!(signed.checkpoint().size(), SIZE);
}

#[test]
fn each_bit_of_each_file_is_guarded() {
    let files = files();
    assert_eq!(files.0.len(), 3);
    for (path, bytes) in &files.0 {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let report = verify(&files.with(path, changed));
                // Of a checkpoint that cannot be read, nobody can say who changed it.
                let expected = match report.outcome() {
                    Outcome::Unusable => path == "checkpoint",
                    other => other == Outcome::Tampered,
                };
                assert!(expected, "{path}: byte {at}, bit {bit}: {report:?}");
                assert!(told(&report)[0].starts_with(path.as_str()), "{report:?}");
            }
        }
    }
}

#[test]
fn each_truncation_is_found() {
    let files = files();
    for (path, bytes) in &files.0 {
        for length in 0..bytes.len() {
            let report = verify(&files.with(path, bytes[..length].to_vec()));
            assert!(
                report.outcome() > Outcome::Incomplete,
                "{path}: of {length}"
            );
            assert!(told(&report)[0].starts_with(path.as_str()), "{report:?}");
        }
    }
}

#[test]
fn each_entry_that_is_dropped_doubled_or_moved_is_found() {
    let found = |report: &Report| match report.findings.iter().find_map(|finding| match finding {
        Finding::Entry { n, fault, .. } => Some((*n, *fault)),
        _ => None,
    }) {
        Some(found) => found,
        None => panic!("{report:?}"),
    };
    for at in 0..SIZE {
        let place = usize::try_from(at).unwrap();
        let mut changed = entries(SIZE);
        changed.remove(place);
        let report = verify(&with_entries(&changed));
        assert_eq!(report.outcome(), Outcome::Tampered, "without {at}");
        if at < SIZE - 1 {
            let fault = EntryFault::WrongIndex { found: at + 1 };
            assert_eq!(found(&report), (at, fault), "without {at}");
        }
        let ends = Finding::File {
            path: BUNDLE.parse().unwrap(),
            error: crate::tile::TileError::Truncated { entry: 4 },
        };
        assert_eq!(told(&report)[0], ends.to_string());

        let mut changed = entries(SIZE);
        changed.insert(place, changed[place].clone());
        let report = verify(&with_entries(&changed));
        assert_eq!(report.outcome(), Outcome::Tampered, "{at} twice");
        assert!(told(&report)[0].contains("bytes behind its last entry"));
        if at < SIZE - 1 {
            let fault = EntryFault::WrongIndex { found: at };
            assert_eq!(found(&report), (at + 1, fault), "{at} twice");
        }
        for other in 0..at {
            let mut changed = entries(SIZE);
            changed.swap(place, usize::try_from(other).unwrap());
            let report = verify(&with_entries(&changed));
            let fault = EntryFault::WrongIndex { found: at };
            assert_eq!(found(&report), (other, fault));
            assert_eq!(report.findings.len(), 2, "{report:?}");
        }
    }
}

#[test]
fn an_entry_that_is_put_in_the_place_of_another_is_found_by_its_number() {
    let mut changed = entries(SIZE);
    let text = String::from_utf8(changed[2].clone()).unwrap();
    changed[2] = text.replace("lead.read", "lead.list").into_bytes();
    let report = verify(&with_entries(&changed));
    let expected = format!("{BUNDLE}: entry 2 is not the one that was signed");
    assert_eq!(told(&report), [expected]);
}

#[test]
fn of_entry_and_tile_it_is_told_which_was_changed() {
    let files = signed(&entries(600));
    for (path, expected) in [
        (
            "tile/0/001",
            "tile/0/001: the tile does not have the hashes of the entries",
        ),
        (
            "tile/0/002.p/88",
            "tile/0/002.p/88: the tile does not have the hashes of the entries",
        ),
        (
            "tile/1/000.p/2",
            "tile/1/000.p/2: the tile does not have the hashes of the entries",
        ),
        (
            "tile/entries/001",
            "tile/entries/001: entry 256 is not the one that was signed",
        ),
        (
            "tile/entries/002.p/88",
            "tile/entries/002.p/88: entry 512 is not the one that was signed",
        ),
    ] {
        // In the number of version, or in a hash.
        let report = verify(&files.flipped(path, 7));
        assert_eq!(told(&report), [expected], "{path}");
    }
}

#[test]
fn entries_and_tiles_rewritten_without_the_key_do_not_lead_to_the_root() {
    let mut changed = entries(600);
    let text = String::from_utf8(changed[300].clone()).unwrap();
    changed[300] = text.replace("lead.read", "lead.list").into_bytes();
    let checkpoint = signed(&entries(600)).0["checkpoint"].clone();
    let report = verify(&signed(&changed).with("checkpoint", checkpoint));
    let expected = "checkpoint: the entries do not lead to the root of 600 entries";
    assert_eq!(told(&report), [expected]);
    assert_eq!(report.outcome(), Outcome::Tampered);
}

#[test]
fn what_is_neither_is_said_to_be_undecided() {
    let mut files = signed(&entries(600));
    for path in ["tile/0/001", "tile/entries/001"] {
        files = files.flipped(path, 7);
    }
    let report = verify(&files);
    let found = told(&report);
    assert_eq!(
        found[0],
        "tile/entries/001: entry 256 and the tile of its hash differ, and neither is what was signed"
    );
    assert_eq!(report.outcome(), Outcome::Tampered);
}

#[test]
fn an_entry_that_is_withheld_from_its_tenant_is_found() {
    // By who writes the log, and so with hashes and signature.
    let mut changed = entries(SIZE);
    for entry in &mut changed[2..] {
        let text = String::from_utf8(entry.clone()).unwrap();
        let next = text.replacen("\"tn\":1", "\"tn\":2", 1);
        *entry = next.into_bytes();
    }
    let report = verify(&signed(&changed));
    let expected = [2, 3].map(|n| {
        format!("{BUNDLE}: entry {n} says that it is entry 2 of its tenant, and must be 1")
    });
    // Entry 4 is the next but one of its tenant, as it says.
    assert_eq!(told(&report)[..2], expected);
    assert_eq!(report.outcome(), Outcome::Tampered);
}

#[test]
fn what_is_no_leaf_is_found_even_if_it_was_signed() {
    let mut changed = entries(SIZE);
    changed[3] = b"{}".to_vec();
    let report = verify(&signed(&changed));
    assert!(
        matches!(
            report.findings[..],
            [Finding::Entry {
                n: 3,
                fault: EntryFault::Leaf(_),
                ..
            }]
        ),
        "{report:?}"
    );
}

#[test]
fn logs_around_256_are_sound() {
    for size in [0, 1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537] {
        let report = verify(&signed(&entries(size)));
        assert_eq!(told(&report), [""; 0], "of {size}");
        assert_eq!((report.outcome(), report.entries), (Outcome::Sound, size));
    }
}

#[test]
fn of_many_findings_the_first_are_listed_and_all_are_counted() {
    let files = signed(&entries(256 * 40));
    let shifted = entries(256 * 40 + 1);
    let shifted = shifted[1..].chunks(256).map(bundle_of);
    let files = (0..).zip(shifted).fold(files, |files, (index, bundle)| {
        files.with(&format!("tile/entries/{index:03}"), bundle)
    });
    let report = verify(&files);
    assert_eq!(report.findings.len(), 64);
    assert_eq!(report.findings.len() as u64 + report.more, 256 * 40);
    let first = "tile/entries/000: entry 0 says that it is entry 1";
    assert_eq!(told(&report)[0], first);
}

#[test]
fn a_key_that_is_not_the_logs_makes_a_log_unusable() {
    let known = "portcullis.example/audit+beeb02ba+ARdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V";
    let other = crate::checkpoint::Policy::new(vec![known.parse().unwrap()]).unwrap();
    let report = Verification::new(&files(), &other).run();
    assert_eq!(report.outcome(), Outcome::Unusable);
    assert_eq!(
        told(&report),
        ["checkpoint: no known key has signed the note"]
    );
}

#[test]
fn a_range_is_verified_by_the_tiles_of_the_rest() {
    let files = signed(&entries(1_000));
    let run = |files: &Files, range| Verification::new(files, &policy()).range(range).run();
    for (range, read) in [
        (0..0, 0),
        (0..256, 256),
        (300..301, 256),
        (256..513, 512),
        (768..1_000, 232),
        (999..u64::MAX, 232),
        (5_000..6_000, 232),
    ] {
        let report = run(&files, range.clone());
        assert_eq!(told(&report), [""; 0], "{range:?}");
        assert_eq!(report.entries, read, "{range:?}");
        let asked = range.end.min(1_000).saturating_sub(range.start);
        assert_eq!(report.in_range, asked, "{range:?}");
    }
    // What is not in the range is not looked at, and what it is proved by is.
    let elsewhere = files.flipped("tile/entries/001", 7);
    assert_eq!(run(&elsewhere, 512..768).outcome(), Outcome::Sound);
    assert_eq!(run(&elsewhere, 256..257).outcome(), Outcome::Tampered);
    let proof = files.flipped("tile/1/000.p/3", 7);
    assert_eq!(run(&proof, 512..768).outcome(), Outcome::Tampered);
    let rewritten = files
        .flipped("tile/entries/002", 7)
        .flipped("tile/0/002", 7);
    assert_eq!(run(&rewritten, 512..768).outcome(), Outcome::Tampered);
}

#[test]
fn a_bundle_that_is_longer_than_any_is_not_read() {
    let report = verify(&files().with(BUNDLE, vec![0; 5_000_000]));
    assert_eq!(report.outcome(), Outcome::Tampered);
    let report = verify(&files().with("checkpoint", vec![0; 5_000_000]));
    assert_eq!(report.outcome(), Outcome::Unusable);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_else_stands_in_the_files_is_not_sound(
        at in any::<prop::sample::Index>(),
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            // The beginning as it was.
            (0..3_000_usize, prop::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(kept, more)| [&bundle_of(&entries(SIZE))[..kept.min(1_000)], &*more].concat()),
        ],
    ) {
        let files = files();
        let path = at.get(&files.0.keys().collect::<Vec<_>>()).to_string();
        prop_assume!(files.0[&path] != bytes);
        prop_assert!(verify(&files.with(&path, bytes)).outcome() > Outcome::Incomplete);
    }
}

#[test]
fn what_cannot_be_read_is_no_proof_of_anything() {
    for path in ["checkpoint", BUNDLE, TILE] {
        let report = verify(&files().with(path, b"unreadable".to_vec()));
        assert_eq!(report.outcome(), Outcome::Unusable, "{path}");
        assert_eq!(told(&report), [format!("{path} cannot be read")]);
    }
}
