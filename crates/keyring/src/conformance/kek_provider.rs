//! What every [`KekProvider`] has to do.

use std::sync::Arc;

use super::{clause, context};
use crate::{
    DataKey,
    kek::{KekError, KekProvider, WrappedKey},
};

/// Checks a key-encryption key against the contract of [`KekProvider`]; `make` makes one for each
/// clause, and may give the same each time. It makes some 300 calls.
///
/// # Panics
/// When the key-encryption key breaks a clause, with its name.
pub async fn kek_provider(make: impl AsyncFn() -> Arc<dyn KekProvider>) {
    let kek = make().await;
    clause("what is wrapped unwraps", what_is_wrapped_unwraps(&*kek)).await;
    let kek = make().await;
    clause(
        "every generated key is another",
        every_generated_key_is_another(&*kek),
    )
    .await;
    let kek = make().await;
    clause(
        "a wrapped key opens in its context only",
        a_wrapped_key_opens_in_its_context_only(&*kek),
    )
    .await;
    let kek = make().await;
    clause("no altered byte opens", no_altered_byte_opens(&*kek)).await;
    let kek = make().await;
    clause(
        "no shortened or lengthened key opens",
        no_shortened_or_lengthened_key_opens(&*kek),
    )
    .await;
    let kek = make().await;
    clause(
        "rewrapping keeps the key and its context",
        rewrapping_keeps_the_key_and_its_context(&*kek),
    )
    .await;
}

/// The key in the clear.
pub(crate) fn raw(key: &DataKey) -> [u8; 32] {
    // EXPOSE: compared with another, in a test.
    *key.hazmat_export()
}

async fn what_is_wrapped_unwraps(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let made = kek.generate(&here).await.expect("a key");
    let opened = kek
        .unwrap_key(&here, &made.wrapped)
        .await
        .expect("it opens");
    assert_eq!(raw(&opened), raw(&made.key));
    let again = kek.wrap(&here, &made.key).await.expect("it wraps");
    let opened = kek.unwrap_key(&here, &again).await.expect("it opens");
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
        let answer = kek
            .unwrap_key(&context(tenant, purpose, id), &wrapped)
            .await;
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
        let mut bytes = wrapped.as_bytes().to_vec();
        bytes[at] ^= 1 << (at % 8);
        let answer = kek.unwrap_key(&here, &WrappedKey::from_bytes(bytes)).await;
        let refused = matches!(
            answer,
            Err(KekError::Rejected | KekError::UnknownVersion(_))
        );
        assert!(refused, "byte {at}");
    }
}

async fn no_shortened_or_lengthened_key_opens(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let wrapped = kek.generate(&here).await.expect("a key").wrapped;
    let longer = [wrapped.as_bytes(), &[0]].concat();
    let shorter = (0..wrapped.as_bytes().len()).map(|len| wrapped.as_bytes()[..len].to_vec());
    for bytes in shorter.chain([longer]) {
        let answer = kek.unwrap_key(&here, &WrappedKey::from_bytes(bytes)).await;
        assert!(matches!(answer, Err(KekError::Rejected)));
    }
}

async fn rewrapping_keeps_the_key_and_its_context(kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let made = kek.generate(&here).await.expect("a key");
    let again = kek.rewrap(&here, &made.wrapped).await.expect("it rewraps");
    assert_ne!(again, made.wrapped);
    let opened = kek.unwrap_key(&here, &again).await.expect("it opens");
    assert_eq!(raw(&opened), raw(&made.key));
    let elsewhere = kek.unwrap_key(&context("u", "email", 7), &again).await;
    assert!(matches!(elsewhere, Err(KekError::Rejected)));
}
