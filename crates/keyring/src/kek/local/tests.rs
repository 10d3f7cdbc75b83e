use proptest::prelude::*;

use super::*;
use crate::EntropyError;
use crate::kek::conformance::{self, context, garbage, raw};

/// 00 01 02 …
#[derive(Debug)]
struct Ascending;

impl Entropy for Ascending {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        out.iter_mut().zip(0..).for_each(|(byte, at)| *byte = at);
        Ok(())
    }
}

fn ascending_from(first: u8) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(std::array::from_fn(|at| {
        first + u8::try_from(at).expect("32 bytes")
    }))
}

fn kek(primary: u32, keys: &[(u32, u8)]) -> Result<LocalKek, LocalKekError> {
    let keys = keys
        .iter()
        .map(|(version, first)| (KekVersion::new(*version), ascending_from(*first)));
    LocalKek::new(KekVersion::new(primary), keys)
}

/// Source: `docs/formats.md`; computed with the Python package `cryptography`.
const KNOWN: &str = "fa0100000003000102030405060708090a0b3a046e7b738942a7ca1b8ac9b4e0c2b493d53f1a\
                     7859bb44f639f28d5dac77419c8a6cd229550076d6ae3f8c68d6238f";

#[tokio::test]
async fn the_known_answer_stands_for_ever() {
    let mut kek = kek(3, &[(3, 0x40)]).expect("a KEK");
    kek.entropy = Arc::new(Ascending);
    let here = context("tenant-7", "email", 0x0102_0304);
    let key = DataKey::hazmat_from_bytes(ascending_from(0));

    let wrapped = kek.wrap(&here, &key).await.expect("it wraps");
    assert_eq!(hex::encode(wrapped.as_bytes()), KNOWN);
    assert_eq!(wrapped.as_bytes().len(), 66);
    let opened = kek.unwrap(&here, &wrapped).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&key));
}

#[test]
fn the_known_check_value_stands_for_ever() {
    let values = kek(3, &[(3, 0x40), (4, 0x41)])
        .expect("a KEK")
        .check_values();
    let value = values[&KekVersion::new(3)];
    // Source: `docs/formats.md`; computed with the Python package `cryptography`.
    assert_eq!(
        hex::encode(value.as_bytes()),
        "cc2ddd4d2cd40425d525fa223a2b271f"
    );
    assert_eq!(value, CheckValue::from_bytes(*value.as_bytes()));
    assert_ne!(value, values[&KekVersion::new(4)]);
}

#[tokio::test]
async fn it_is_a_kek_provider() {
    conformance::holds(&kek(1, &[(1, 0)]).expect("a KEK")).await;
    conformance::holds(&kek(2, &[(1, 0), (2, 1)]).expect("a KEK")).await;
}

#[tokio::test]
async fn a_new_version_wraps_and_the_old_one_still_opens() {
    let here = context("t", "email", 7);
    let old = kek(1, &[(1, 0)]).expect("a KEK");
    let both = kek(2, &[(1, 0), (2, 1)]).expect("a KEK");
    let new = kek(2, &[(2, 1)]).expect("a KEK");

    let made = old.generate(&here).await.expect("a key");
    assert!(both.unwrap(&here, &made.wrapped).await.is_ok());
    let answer = new.unwrap(&here, &made.wrapped).await;
    assert!(matches!(answer, Err(KekError::UnknownVersion(version)) if version.value() == 1));

    let moved = both.rewrap(&here, &made.wrapped).await.expect("it rewraps");
    let opened = new.unwrap(&here, &moved).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&made.key));
}

#[test]
fn a_set_of_keys_that_makes_no_sense_is_refused() {
    let version = KekVersion::new;
    let refused = |primary, keys: &[_]| kek(primary, keys).expect_err("refused");
    assert_eq!(refused(1, &[]), LocalKekError::PrimaryMissing(version(1)));
    assert_eq!(
        refused(2, &[(1, 0)]),
        LocalKekError::PrimaryMissing(version(2))
    );
    assert_eq!(
        refused(1, &[(1, 0), (1, 1)]),
        LocalKekError::VersionTwice(version(1))
    );
    assert_eq!(
        refused(1, &[(1, 0), (2, 9), (3, 0)]),
        LocalKekError::SameSecret(version(1), version(3))
    );
}

#[test]
fn debug_prints_versions_alone() {
    let kek = kek(2, &[(1, 0xa0), (2, 0xb0)]).expect("a KEK");
    assert_eq!(
        format!("{kek:?}"),
        "LocalKek { primary: 2, versions: [1, 2], .. }"
    );
}

proptest! {
    #[test]
    fn garbage_does_not_open(bytes in garbage()) {
        let kek = kek(1, &[(1, 0)]).expect("a KEK");
        let answer = kek.open(&context("t", "email", 7), &WrappedKey::from_bytes(bytes));
        prop_assert!(matches!(answer, Err(KekError::Rejected | KekError::UnknownVersion(_))));
    }
}
