//! Known answers and properties of search indexes.

use portcullis_keyring::secrets::{SecretVersion, VersionedSecrets};

use super::*;
use crate::{
    AnyPii, Email, NationalId, PiiKind,
    index::plan::search_bits,
    known_keys::{ascending_from, known_roots},
};

fn email(text: &str) -> Pii<Email> {
    Pii::parse(text).expect("an address")
}

fn index(roots: &IndexRoots, bits: u16) -> SearchIndex {
    let [bits] = search_bits(1 << (bits + 2), [bits]).expect("4 rows share a value");
    let tenant = TenantId::new("tenant-7").expect("a name");
    roots.search_index(&tenant, "lead.email", bits)
}

/// Source: `docs/formats.md`; computed by `tests/oracle.py`. They must never be changed: what is stored
/// would not be found any more.
#[test]
fn the_known_answers_stand_for_ever() {
    let john = email("  John.Smith+A1@EXAMPLE.com ");
    for (bits, expected) in [(12, "00015440"), (5, "0001f0")] {
        let values = index(&known_roots(), bits).values(&john);
        let values: Vec<_> = values.iter().map(|it| hex::encode(it.as_bytes())).collect();
        assert_eq!(values, [expected]);
    }
}

#[test]
fn each_live_version_has_a_value_the_enforced_one_first() {
    let version = |number: u32| SecretVersion::try_from(number).expect("not zero");
    let set =
        [(1, 0x20), (2, 0x30)].map(|(number, first)| (version(number), ascending_from(first)));
    let secrets = VersionedSecrets::new(version(2), set).expect("they differ");
    let roots = IndexRoots::new(secrets).expect("they fit");
    let values = index(&roots, 12).values(&email("a@example.com"));
    let versions: Vec<_> = values.iter().map(|it| it.version().value()).collect();
    assert_eq!(versions, [2, 1]);
    let former = index(&roots, 12).former_values(&email("οδος@example.com"));
    let versions: Vec<_> = former.iter().map(|it| it.version().value()).collect();
    assert_eq!(versions, [2, 1, 2, 1]);
}

/// With 2 bits three candidates out of four are others that share the value.
#[test]
fn candidates_are_told_from_what_was_looked_for() {
    let index = index(&known_roots(), 2);
    let wanted = email("Ada@example.com");
    let all: Vec<_> = (0..64)
        .map(|at| email(&format!("x{at}@example.com")))
        .collect();
    let found = all
        .iter()
        .filter(|it| index.values(it) == index.values(&wanted));
    let (mut candidates, mut matching) = (0, 0);
    for candidate in found {
        candidates += 1;
        matching += usize::from(SearchIndex::matches(&wanted, candidate));
    }
    assert!(candidates > 4, "only {candidates} share the value");
    assert_eq!(matching, 0);
    assert!(SearchIndex::matches(&wanted, &email("ada@EXAMPLE.com")));
}

#[test]
fn a_value_whose_kind_is_known_late_has_the_same_values() {
    let index = index(&known_roots(), 12);
    let any = |kind: PiiKind, text| -> AnyPii { kind.parse(text).expect("a value") };
    let late = any(PiiKind::of::<Email>(), "ada@example.com");
    assert_eq!(
        late.search(&index),
        Some(index.values(&email("ada@example.com")))
    );
    assert!(
        any(PiiKind::of::<NationalId>(), "52998224725")
            .search(&index)
            .is_some()
    );
    assert!(
        any(PiiKind::of::<crate::PersonName>(), "Ada")
            .search(&index)
            .is_none()
    );
}
