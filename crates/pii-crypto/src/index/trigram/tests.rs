//! Known answers and properties of trigram indexes.

use portcullis_keyring::secrets::{SecretVersion, VersionedSecrets};
use proptest::prelude::*;

use super::*;
use crate::{
    PersonName, PiiKind,
    known_keys::{ascending_from, known_roots},
};

fn name(text: &str) -> Pii<PersonName> {
    Pii::parse(text).expect("a name")
}

fn index(roots: &IndexRoots) -> TrigramIndex {
    let tenant = TenantId::new("tenant-7").expect("a name");
    roots.trigram_index(&tenant, "lead.name", AcceptLeak::NameEquality)
}

fn hexadecimal(values: &[IndexValue]) -> String {
    let values: Vec<_> = values.iter().map(|it| hex::encode(it.as_bytes())).collect();
    values.join(" ")
}

fn roots(enforced: u32, roots: &[(u32, u8)]) -> IndexRoots {
    let version = |number: u32| SecretVersion::try_from(number).expect("not zero");
    let roots = roots.iter();
    let roots = roots.map(|(number, first)| (version(*number), ascending_from(*first)));
    let secrets = VersionedSecrets::new(version(enforced), roots).expect("they differ");
    IndexRoots::new(secrets).expect("they fit")
}

/// Source: `docs/formats.md`; computed by `tests/oracle.py`. They must never be changed: what is stored
/// would not be found any more.
#[test]
fn the_known_answers_stand_for_ever() {
    let index_1 = index(&known_roots());
    for (given, expected) in [
        ("smi", "00015e70"),
        (
            "João  SMITH",
            "00010a30 00010c00 00012310 00015e70 00017300 00018010 0001ae40 0001dbf0",
        ),
        (
            "Weiß-O’Brien",
            "00010580 00015e70 00016be0 00017940 00019aa0 0001c1a0 0001c1d0 0001cf80 0001d300 0001dcd0 0001f2e0",
        ),
        ("ΟΔΟΣ", "00012940 00012c30"),
        ("王小明", "0001d6a0"),
    ] {
        assert_eq!(
            hexadecimal(&index_1.values(&name(given))),
            expected,
            "{given}"
        );
    }
    let query = TrigramQuery::parse("SMI").expect("three letters");
    assert_eq!(hexadecimal(&index_1.wanted(&query)), "00015e70");
    let index_513 = index(&roots(513, &[(513, 0x20)]));
    assert_eq!(
        hexadecimal(&index_513.values(&name("Smith"))),
        "02012210 020133c0 02017cc0"
    );
}

#[test]
fn every_live_version_is_written_and_the_enforced_one_looked_up() {
    let index = index(&roots(2, &[(1, 0x20), (2, 0x30)]));
    let values = index.values(&name("Smith"));
    let versions: Vec<_> = values.iter().map(|it| it.version().value()).collect();
    assert_eq!(versions, [2, 2, 2, 1, 1, 1]);
    let query = TrigramQuery::parse("mit").expect("three letters");
    let wanted = index.wanted(&query);
    assert_eq!(wanted.len(), 1);
    assert_eq!(wanted[0].version().value(), 2);
    assert!(values.contains(&wanted[0]));
}

#[test]
fn each_trigram_is_written_once() {
    let index = index(&known_roots());
    assert_eq!(index.values(&name("aaaaaaa")).len(), 1);
    assert_eq!(index.values(&name("Ananana")).len(), 2);
    for short in ["Li", "李", "a."] {
        assert!(index.values(&name(short)).is_empty(), "{short}");
    }
}

#[test]
fn a_part_takes_three_characters_of_its_normal_form() {
    for short in ["", "  ", "ab", "a-", "\u{301}ab", "- a -", "李明"] {
        assert_eq!(
            TrigramQuery::parse(short).expect_err("short"),
            QueryTooShort
        );
    }
    for enough in ["abc", "a b", "ﬃ", "王小明"] {
        assert!(TrigramQuery::parse(enough).is_ok(), "{enough}");
    }
}

#[test]
fn candidates_are_told_from_what_was_looked_for() {
    let query = TrigramQuery::parse("o bri").expect("long enough");
    for (candidate, expected) in [
        ("Conan O’Brien", true),
        ("CONAN O'BRIEN", true),
        ("Briony Tobri", false),
        ("Obrien", false),
    ] {
        let name = name(candidate);
        assert_eq!(query.matches(&name), expected, "{candidate}");
        let late = PiiKind::of::<PersonName>()
            .parse(candidate)
            .expect("a name");
        assert_eq!(query.matches_any(&late), expected, "{candidate}");
        assert_eq!(
            index(&known_roots()).values_any(&late),
            index(&known_roots()).values(&name)
        );
    }
}

#[test]
fn nothing_that_is_printed_shows_a_name() {
    let query = TrigramQuery::parse("smith").expect("long enough");
    let index = index(&known_roots());
    assert_eq!(format!("{query:?}"), "TrigramQuery(…)");
    assert_eq!(
        format!("{index:?} {:?}", index.wanted(&query)[0]),
        "TrigramIndex { keys: [IndexKey { version: 1, .. }] } IndexValue { version: 1, .. }"
    );
}

proptest! {
    /// No look-up misses: whatever part of a name is typed, the row has every value that is looked up,
    /// and is kept afterwards.
    #[test]
    fn a_name_is_found_by_every_part_of_it(
        text in "[A-Za-zÀ-ÿΑ-ωА-я'’. -]{3,20}", from in 0..20_usize, len in 3..20_usize,
        is_upper in any::<bool>(),
    ) {
        let Ok(name) = Pii::<PersonName>::parse(&text) else { return Ok(()) };
        let form = normal(&text);
        let part: String = form.chars().skip(from).take(len).collect();
        let part = if is_upper { part.to_uppercase() } else { part };
        let Ok(query) = TrigramQuery::parse(&part) else { return Ok(()) };
        let index = index(&known_roots());
        let values = index.values(&name);
        prop_assert!(index.wanted(&query).iter().all(|it| values.contains(it)));
        prop_assert!(query.matches(&name));
    }
}
