//! A sealed value opens in its context, unaltered, and nowhere else.

use proptest::prelude::*;

use super::*;
use crate::NationalId;

#[tokio::test]
async fn no_altered_bit_opens() {
    let world = World::new().await;
    let cipher = cipher(&world).await;
    for suite_02 in [false, true] {
        let bytes = if suite_02 {
            eighth::<PaddedEmail>().await.into_bytes()
        } else {
            eighth::<Email>().await.into_bytes()
        };
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[at] ^= 1 << bit;
                let Ok(altered) = Sealed::<Email>::from_bytes(altered) else {
                    continue;
                };
                let answer = cipher
                    .open(FIELD, RECORD, &altered)
                    .expect_err("it was altered");
                let other_key = (2..6).contains(&at);
                let expected = if other_key {
                    OpenError::NeedsKey(altered.key_id())
                } else {
                    OpenError::Rejected
                };
                assert_eq!(answer, expected, "byte {at} bit {bit}");
                if other_key {
                    let ids = [altered.key_id()];
                    let keys = world.keyring.prepare_ids(&world.tenant, &ids).await;
                    let cipher = Cipher::new(keys.expect("it answers"));
                    let answer = cipher
                        .open(FIELD, RECORD, &altered)
                        .expect_err("it was altered");
                    assert_eq!(answer, OpenError::Rejected);
                }
            }
        }
    }
}

#[tokio::test]
async fn no_shortened_or_lengthened_value_opens() {
    let cipher = cipher(&World::new().await).await;
    let bytes = eighth::<Email>().await.into_bytes();
    let longer = [&bytes[..], &[0]].concat();
    for changed in (0..bytes.len())
        .map(|len| bytes[..len].to_vec())
        .chain([longer])
    {
        let Ok(changed) = Sealed::<Email>::from_bytes(changed) else {
            continue;
        };
        let answer = cipher
            .open(FIELD, RECORD, &changed)
            .expect_err("it was changed");
        assert_eq!(answer, OpenError::Rejected);
    }
}

#[tokio::test]
async fn the_same_key_under_another_tenant_does_not_open() {
    let seven = World::new().await;
    let eight = World::of("tenant-8", ToldEntropy::default()).await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let sealed = cipher(&seven)
        .await
        .seal(FIELD, RECORD, &value)
        .expect("it seals");
    assert!(cipher(&seven).await.open(FIELD, RECORD, &sealed).is_ok());
    let answer = cipher(&eight)
        .await
        .open(FIELD, RECORD, &sealed)
        .expect_err("another tenant");
    assert_eq!(answer, OpenError::Rejected);
}

#[tokio::test]
async fn a_value_of_another_purpose_does_not_open() {
    let world = World::new().await;
    let cipher = Cipher::new(world.keys(&["email", "national-id"]).await);
    let bytes = eighth::<Email>().await.into_bytes();
    let moved = Sealed::<NationalId>::from_bytes(bytes).expect("the shape of a sealed value");
    let answer = cipher
        .open(FIELD, RECORD, &moved)
        .expect_err("it is an e-mail address");
    assert_eq!(answer, OpenError::Rejected);
}

#[tokio::test]
async fn a_field_and_a_record_have_1_to_1024_bytes_each() {
    let cipher = cipher(&World::new().await).await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let (most, more) = ("x".repeat(1024), "x".repeat(1025));
    let sealed = cipher.seal(&most, &most, &value).expect("it seals");
    assert!(cipher.open(&most, &most, &sealed).is_ok());
    for (field, record) in [("", "r"), ("f", ""), (&*more, "r"), ("f", &*more)] {
        assert_eq!(
            cipher.seal(field, record, &value),
            Err(SealError::InvalidContext)
        );
        let answer = cipher
            .open(field, record, &sealed)
            .expect_err("no such context");
        assert_eq!(answer, OpenError::Rejected);
    }
}

#[tokio::test]
async fn a_rebound_value_opens_in_its_new_context_alone() {
    let cipher = cipher(&World::new().await).await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let sealed = cipher.seal("f", "old", &value).expect("it seals");
    let (old, new) = (FieldContext::new("f", "old"), FieldContext::new("f", "new"));
    let moved = cipher.rebind(&sealed, old, new).expect("it moves");
    assert_eq!(
        cipher
            .open("f", "new", &moved)
            .expect("it opens")
            .expose()
            .as_str(),
        TEXT
    );
    assert!(cipher.open("f", "old", &moved).is_err());
    let answer = cipher
        .rebind(&sealed, new, old)
        .expect_err("it is not there");
    assert_eq!(answer, RebindError::Open(OpenError::Rejected));
    let answer = cipher
        .rebind(&sealed, old, FieldContext::new("f", ""))
        .expect_err("no such context");
    assert_eq!(answer, RebindError::Seal(SealError::InvalidContext));
}

/// Short names, to hit on boundaries that a careless encoding would confuse.
fn name() -> impl Strategy<Value = String> {
    "[a-c.]{1,6}|é{1,3}"
}

proptest! {
    #[test]
    fn a_value_opens_where_it_was_sealed_and_nowhere_else(
        text in "\\PC{0,80}",
        (field, record) in (name(), name()),
        (other_field, other_record) in (name(), name()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let keys = runtime.block_on(async { World::new().await.keys(&["text"]).await });
        let cipher = Cipher::new(keys);
        let value = Pii::<FreeText>::parse(&text).expect("a text");
        let sealed = cipher.seal(&field, &record, &value).expect("it seals");
        let opened = cipher.open(&field, &record, &sealed).expect("it opens");
        prop_assert_eq!(opened.expose().as_str(), &text);
        for (at, of) in [
            (&other_field, &record),
            (&field, &other_record),
            (&other_field, &other_record),
            (&record, &field),
        ] {
            let same_context = (at, of) == (&field, &record);
            prop_assert_eq!(cipher.open(at, of, &sealed).is_ok(), same_context);
        }
    }
}
