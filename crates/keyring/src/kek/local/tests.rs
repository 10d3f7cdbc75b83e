//! Known answers of the local key-encryption key, and its contract.

use proptest::prelude::*;

use super::*;
use crate::conformance::{self, context, raw};

/// 00 01 02 …
#[derive(Debug)]
struct Ascending;

impl Entropy for Ascending {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        out.iter_mut().zip(0..).for_each(|(byte, at)| *byte = at);
        Ok(())
    }
}

fn ascending_from(first: u8) -> SecretBox<[u8; 32]> {
    let byte = |at| first + u8::try_from(at).expect("32 bytes");
    SecretBox::new(Box::new(std::array::from_fn(byte)))
}

fn version(number: u32) -> SecretVersion {
    number.try_into().expect("not zero")
}

fn kek(primary: u32, keys: &[(u32, u8)]) -> LocalKek {
    let keys = keys
        .iter()
        .map(|(number, first)| (version(*number), ascending_from(*first)));
    LocalKek::new(VersionedSecrets::new(version(primary), keys).expect("they differ"))
}

/// Source: `docs/formats.md`; computed with the Python package `cryptography`.
const KNOWN: &str = "fa0100000003000102030405060708090a0b3a046e7b738942a7ca1b8ac9b4e0c2b493d53f1a\
                     7859bb44f639f28d5dac77419c8a6cd229550076d6ae3f8c68d6238f";

#[tokio::test]
async fn the_known_answer_stands_for_ever() {
    let mut kek = kek(3, &[(3, 0x40)]);
    kek.entropy = Arc::new(Ascending);
    let here = context("tenant-7", "email", 0x0102_0304);
    let key = DataKey::hazmat_from_bytes(ascending_from(0));

    let wrapped = kek.wrap(&here, &key).await.expect("it wraps");
    assert_eq!(hex::encode(wrapped.as_bytes()), KNOWN);
    assert_eq!(wrapped.as_bytes().len(), 66);
    let opened = kek.unwrap_key(&here, &wrapped).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&key));
}

#[test]
fn the_known_check_value_stands_for_ever() {
    let values = kek(3, &[(3, 0x40), (4, 0x41)]).check_values();
    let value = values[&version(3)];
    // Source: `docs/formats.md`; computed with the Python package `cryptography`.
    assert_eq!(
        hex::encode(value.as_bytes()),
        "cc2ddd4d2cd40425d525fa223a2b271f"
    );
    assert_eq!(value, CheckValue::from_bytes(*value.as_bytes()));
    assert_ne!(value, values[&version(4)]);
}

#[tokio::test]
async fn it_is_a_kek_provider() {
    conformance::kek_provider(async || Arc::new(kek(1, &[(1, 0)])) as _).await;
    conformance::kek_provider(async || Arc::new(kek(2, &[(1, 0), (2, 1)])) as _).await;
}

#[tokio::test]
async fn no_altered_bit_opens() {
    let (kek, here) = (kek(1, &[(1, 0)]), context("t", "email", 7));
    let wrapped = kek.generate(&here).await.expect("a key").wrapped;
    for at in 0..wrapped.as_bytes().len() {
        for bit in 0..8 {
            let mut bytes = wrapped.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let answer = kek.unwrap_key(&here, &WrappedKey::from_bytes(bytes)).await;
            let refused = matches!(
                answer,
                Err(KekError::Rejected | KekError::UnknownVersion(_))
            );
            assert!(refused, "byte {at} bit {bit}");
        }
    }
}

#[tokio::test]
async fn version_zero_is_nobodys() {
    let (kek, here) = (kek(1, &[(1, 0)]), context("t", "email", 7));
    let mut bytes = kek
        .generate(&here)
        .await
        .expect("a key")
        .wrapped
        .as_bytes()
        .to_vec();
    bytes[2..6].fill(0);
    let answer = kek.unwrap_key(&here, &WrappedKey::from_bytes(bytes)).await;
    assert!(matches!(answer, Err(KekError::Rejected)));
}

#[tokio::test]
async fn a_new_version_wraps_and_the_old_one_still_opens() {
    let here = context("t", "email", 7);
    let old = kek(1, &[(1, 0)]);
    let both = kek(2, &[(1, 0), (2, 1)]);
    let new = kek(2, &[(2, 1)]);

    let made = old.generate(&here).await.expect("a key");
    assert!(both.unwrap_key(&here, &made.wrapped).await.is_ok());
    let answer = new.unwrap_key(&here, &made.wrapped).await;
    assert!(matches!(answer, Err(KekError::UnknownVersion(version)) if version.value() == 1));

    let moved = both.rewrap(&here, &made.wrapped).await.expect("it rewraps");
    let opened = new.unwrap_key(&here, &moved).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&made.key));
}

#[test]
fn debug_prints_versions_alone() {
    let kek = kek(2, &[(1, 0xa0), (2, 0xb0)]);
    assert_eq!(
        format!("{kek:?}"),
        "LocalKek { keys: VersionedSecrets { primary: 2, versions: [1, 2], .. }, .. }"
    );
}

proptest! {
    #[test]
    fn garbage_does_not_open(bytes in garbage()) {
        let kek = kek(1, &[(1, 0)]);
        let answer = kek.open(&context("t", "email", 7), &WrappedKey::from_bytes(bytes));
        prop_assert!(matches!(answer, Err(KekError::Rejected | KekError::UnknownVersion(_))));
    }
}

/// Bytes that nobody wrapped, for the parser.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..100),
        proptest::collection::vec(any::<u8>(), 64)
            .prop_map(|rest| [&[0xfa, 1], &rest[..]].concat()),
    ]
}
