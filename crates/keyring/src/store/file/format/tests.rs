//! The text, frozen, and what is said of one that is damaged.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::conformance::{key, tenant};

/// Version 1; the checksums are of Python's `hashlib`. Never change it: files that were written so have to be
/// read for ever.
const FROZEN: &str = "\
portcullis-keys 1 0001020304050607 7 3 1 55c092b71c1f27a5
key 00000001 primary 1750000000123 1750000000123 tenant-7 email 00000001 10201529978867ab
key 00000002 destroyed 1750000000123 1750000001000 tenant-7 email - 23be3607bd457684
key ffffffff pending 1750000000123 1750000000123 %c3%a9%20%25%0a%7c phone ffffffff b831ba1ff50175a3
erased gone/for:ever@all 4cb400b0d95719c8
";

const STAMP: Stamp = Stamp([0, 1, 2, 3, 4, 5, 6, 7]);

fn example() -> Tables {
    let mut tables = Tables::default();
    let destroyed = key(2, "tenant-7", "email", KeyState::Destroyed);
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_001);
    for key in [
        key(u32::MAX, "é %\n|", "phone", KeyState::Pending),
        key(1, "tenant-7", "email", KeyState::Primary),
        destroyed.since(at),
    ] {
        tables.insert(&key).expect("there is room");
    }
    let erased = BTreeSet::from([tenant("gone/for:ever@all")]);
    tables.restore(erased, 7);
    tables
}

fn keys(tables: &Tables) -> Vec<StoredKey> {
    tables.all().cloned().collect()
}

fn damage(text: &[u8]) -> Damage {
    parse(text).expect_err("it is damaged")
}

#[test]
fn the_text_is_frozen_and_read_back() {
    let text = write(&example(), STAMP);
    assert_eq!(text, FROZEN);
    let tables = parse(text.as_bytes()).expect("it is whole");
    assert_eq!(keys(&tables), keys(&example()));
    assert_eq!(tables.erased(), example().erased());
    assert_eq!(tables.changes(), 7);
    assert_eq!(stamp(text.as_bytes()), Ok(STAMP));
}

#[test]
fn every_altered_byte_is_found_and_its_line_named() {
    let text = write(&example(), STAMP);
    for at in 0..text.len() {
        let line = text[..at].matches('\n').count() + 1;
        for altered in [1, 32, 128] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= altered;
            let found = damage(&bytes);
            assert_eq!(found.line, line, "byte {at}: {}", found.what);
        }
    }
}

#[test]
fn every_shortened_file_is_found_and_what_follows_the_end_too() {
    let text = write(&example(), STAMP);
    for length in 0..text.len() {
        let line = text[..length].matches('\n').count() + 1;
        assert_eq!(
            damage(&text.as_bytes()[..length]).line,
            line,
            "{length} bytes"
        );
    }
    for more in ["\n", "erased x 00\n", "erased x 00", " "] {
        let longer = format!("{text}{more}");
        assert_eq!(damage(longer.as_bytes()).line, 6);
    }
    assert_eq!(damage(b"").what, NO_KEYS);
}

/// The text with another line, and the checksum that it should have.
fn with_line(number: usize, line: &str) -> Vec<u8> {
    let text = write(&example(), STAMP);
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[number - 1] = format!("{line} {}", sum(line));
    (lines.join("\n") + "\n").into_bytes()
}

#[test]
fn what_has_a_right_checksum_has_to_be_right_too() {
    for (number, line, what) in [
        (
            1,
            "portcullis-keys 1 0001020304050607 7 2 1",
            SUM_OR_MALFORMED,
        ),
        (1, "portcullis-keys 1 0001020304050607 07 3 1", MALFORMED),
        (1, "portcullis-keys 1 00010203040506 7 3 1", MALFORMED),
        (1, "portcullis-keys 0 0001020304050607 7 3 1", NO_KEYS),
        (1, "portcullis-keys 2 and whatever comes then", LATER),
        (1, "somebody else's", NO_KEYS),
        (2, "key 00000001 lost 1 1 t email 00", MALFORMED),
        (2, "key 1 primary 1 1 t email 00", MALFORMED),
        (2, "key 00000001 primary 1 1 t email -", MALFORMED),
        (2, "key 00000001 destroyed 1 1 t email 00", MALFORMED),
        (2, "key 00000001 primary 1 1 t email 0", MALFORMED),
        (2, "key 00000001 primary 1 1 t email 0G", MALFORMED),
        (2, "key 00000001 primary 1 1 t email AA", MALFORMED),
        (2, "key 00000001 primary 1 1 %74 email 00", MALFORMED),
        (2, "key 00000001 primary 1 1 %c3 email 00", MALFORMED),
        (2, "key 00000001 primary 1 1 %c email 00", MALFORMED),
        (2, "key 00000001 primary 1 1  email 00", MALFORMED),
        (
            2,
            "key 00000001 primary 18446744073709551616 1 t email 00",
            MALFORMED,
        ),
        (2, "erased t", MALFORMED),
        (5, "erased %", MALFORMED),
        (5, "key 00000001 primary 1 1 t email 00", MALFORMED),
    ] {
        let found = damage(&with_line(number, line));
        let expected = if what == SUM_OR_MALFORMED {
            // The line after the last key that the first line tells of is another one.
            (4, MALFORMED)
        } else {
            (number, what)
        };
        assert_eq!((found.line, found.what), expected, "{line}");
    }
    let twice = "key 00000003 primary 1 1 tenant-7 email 00";
    let found = damage(&with_line(3, twice));
    assert_eq!(
        found.what,
        "its tenant and purpose have a key in this state"
    );
    let backwards = "key 00000001 decrypt-only 1 1 tenant-7 email 00";
    let found = damage(&with_line(3, backwards));
    assert_eq!(found.what, "its key does not come after the one before");
}

const SUM_OR_MALFORMED: &str = "";

/// What lines are made of, and what they are not.
const WORDS: &[&str] = &[
    "",
    "0",
    "1",
    "2",
    "3",
    "4",
    "00",
    "00000000",
    "00000003",
    "FFFFFFFF",
    "primary",
    "pending",
    "destroyed",
    "lost",
    "-",
    "email",
    "%41",
    "%e9",
    "%c3%a9",
    "%",
    "tenant-7",
    "key",
    "erased",
    "1750000000123",
    "18446744073709551616",
];

/// A part of a line in the place of another, and the checksum that the line should have.
fn edited() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(WORDS).prop_map(str::to_owned),
        "\\PC{0,4}"
    ];
    let edits = prop::collection::vec((0..5_usize, 0..8_usize, word), 1..4);
    edits.prop_map(|edits| {
        let parts = |line: &'static str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut lines: Vec<_> = FROZEN.lines().map(parts).collect();
        for (line, at, word) in edits {
            let line = &mut lines[line];
            let at = at % (line.len() - 1);
            line[at] = word;
        }
        let mut text = String::new();
        for line in lines {
            finish(&mut text, line[..line.len() - 1].join(" "));
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_read_has_one_way_to_be_written(text in edited()) {
        if let Ok(tables) = parse(text.as_bytes()) {
            let stamp = stamp(text.as_bytes()).expect("it was read");
            prop_assert_eq!(write(&tables, stamp), text);
        }
    }
}

proptest! {
    #[test]
    fn whatever_names_there_are_they_are_read_back(
        names in prop::collection::btree_set("\\PC{1,20}|[ \\n%-]{1,3}", 1..6),
    ) {
        let mut tables = Tables::default();
        for (id, name) in (0..).zip(&names) {
            let key = key(id, name, name, KeyState::Primary);
            tables.insert(&key).expect("there is room");
        }
        let erased = names.iter().map(|name| tenant(name)).collect();
        tables.restore(erased, 0);
        let read = parse(write(&tables, STAMP).as_bytes()).expect("it is whole");
        prop_assert_eq!(keys(&read), keys(&tables));
        prop_assert_eq!(read.erased(), tables.erased());
    }

    #[test]
    fn no_text_is_too_strange(text in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse(&text).is_err());
    }
}
