//! What every [`KekProvider`] has to do, run against each.

use proptest::prelude::*;

use super::{KekContext, KekError, KekProvider, WrappedKey};
use crate::{DataKey, KeyId, Purpose, TenantId};

pub(crate) async fn holds(kek: &dyn KekProvider) {
    what_is_wrapped_unwraps(kek).await;
    every_generated_key_is_another(kek).await;
    a_wrapped_key_opens_in_its_context_only(kek).await;
    no_altered_byte_opens(kek).await;
    no_shortened_or_lengthened_key_opens(kek).await;
    rewrapping_keeps_the_key_and_its_context(kek).await;
}

pub(crate) fn context(tenant: &str, purpose: &str, id: u32) -> KekContext {
    let tenant = TenantId::new(tenant).expect("a name");
    KekContext::new(
        tenant,
        Purpose::new(purpose).expect("a name"),
        KeyId::new(id),
    )
}

pub(crate) fn raw(key: &DataKey) -> [u8; 32] {
    *key.hazmat_export()
}

async fn what_is_wrapped_unwraps(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let made = kek.generate(&here).await.expect("a key");
    let opened = kek.unwrap(&here, &made.wrapped).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&made.key));
    let again = kek.wrap(&here, &made.key).await.expect("it wraps");
    let opened = kek.unwrap(&here, &again).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&made.key));
}

async fn every_generated_key_is_another(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let (one, other) = (kek.generate(&here).await, kek.generate(&here).await);
    assert_ne!(
        raw(&one.expect("a key").key),
        raw(&other.expect("a key").key)
    );
}

async fn a_wrapped_key_opens_in_its_context_only(kek: &dyn KekProvider) {
    let wrapped = kek
        .generate(&context("tenant", "email", 7))
        .await
        .expect("a key")
        .wrapped;
    for (tenant, purpose, id) in [
        ("tenanu", "email", 7),
        ("tenant", "phone", 7),
        ("tenant", "email", 8),
        ("tenan", "temail", 7),
        ("tenantemail", "e", 7),
    ] {
        let answer = kek.unwrap(&context(tenant, purpose, id), &wrapped).await;
        assert!(
            matches!(answer, Err(KekError::Rejected)),
            "{tenant} {purpose} {id}"
        );
        let answer = kek.rewrap(&context(tenant, purpose, id), &wrapped).await;
        assert!(
            matches!(answer, Err(KekError::Rejected)),
            "{tenant} {purpose} {id}"
        );
    }
}

async fn no_altered_byte_opens(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let wrapped = kek.generate(&here).await.expect("a key").wrapped;
    for at in 0..wrapped.as_bytes().len() {
        for bit in 0..8 {
            let mut bytes = wrapped.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let answer = kek.unwrap(&here, &WrappedKey::from_bytes(bytes)).await;
            let refused = matches!(
                answer,
                Err(KekError::Rejected | KekError::UnknownVersion(_))
            );
            assert!(refused, "byte {at} bit {bit}");
        }
    }
}

async fn no_shortened_or_lengthened_key_opens(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let wrapped = kek.generate(&here).await.expect("a key").wrapped;
    let longer = [wrapped.as_bytes(), &[0]].concat();
    let shorter = (0..wrapped.as_bytes().len()).map(|len| wrapped.as_bytes()[..len].to_vec());
    for bytes in shorter.chain([longer]) {
        let answer = kek.unwrap(&here, &WrappedKey::from_bytes(bytes)).await;
        assert!(matches!(answer, Err(KekError::Rejected)));
    }
}

async fn rewrapping_keeps_the_key_and_its_context(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let made = kek.generate(&here).await.expect("a key");
    let again = kek.rewrap(&here, &made.wrapped).await.expect("it rewraps");
    assert_ne!(again, made.wrapped);
    let opened = kek.unwrap(&here, &again).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&made.key));
    let elsewhere = kek.unwrap(&context("u", "email", 7), &again).await;
    assert!(matches!(elsewhere, Err(KekError::Rejected)));
}

/// Bytes that nobody wrapped, for the parsers.
pub(crate) fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..100),
        proptest::collection::vec(any::<u8>(), 64)
            .prop_map(|rest| [&[0xfa, 1], &rest[..]].concat()),
    ]
}
