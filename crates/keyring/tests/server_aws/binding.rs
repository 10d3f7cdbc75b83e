//! What KMS authenticates, where the check of the wrapped key was made to agree.

use portcullis_keyring::kek::{KekContext, KekError, KekProvider as _, WrappedKey};
use ring::digest::{SHA256, digest};

use super::{
    moto::{Moto, connection, context},
    proxy::Proxy,
};

/// A wrapped key as somebody with the database would forge it: `docs/formats.md` says how.
fn forged(context: &KekContext, arn: &str, blob: &[u8]) -> WrappedKey {
    let lp32 = |text: &str| {
        [
            &u32::try_from(text.len()).unwrap().to_be_bytes(),
            text.as_bytes(),
        ]
        .concat()
    };
    let lp16 = [
        &u16::try_from(arn.len()).unwrap().to_be_bytes(),
        arn.as_bytes(),
    ]
    .concat();
    let checked = [
        b"portcullis/dek/aws-kms/v1\0",
        lp32(context.tenant().as_str()).as_slice(),
        &lp32(context.purpose().as_str()),
        &context.key_id().value().to_be_bytes(),
        &lp16,
        blob,
    ]
    .concat();
    let check = digest(&SHA256, &checked);
    let bytes = [&[0xFA, 2], lp16.as_slice(), &check.as_ref()[..16], blob].concat();
    WrappedKey::from_bytes(bytes)
}

fn blob(wrapped: &WrappedKey, arn: &str) -> Vec<u8> {
    wrapped.as_bytes()[2 + 2 + arn.len() + 16..].to_vec()
}

#[tokio::test]
async fn kms_refuses_another_context() {
    let moto = Moto::start();
    let (kek, key) = moto.kek().await;
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    let blob = blob(&made.wrapped, &key);
    assert_eq!(
        forged(&here, &key, &blob),
        made.wrapped,
        "the forgery is one"
    );
    for (tenant, purpose, id) in [
        ("tenanu", "email", 7),
        ("tenant", "phone", 7),
        ("tenant", "email", 8),
        ("email", "tenant", 7),
    ] {
        let elsewhere = context(tenant, purpose, id);
        let moved = forged(&elsewhere, &key, &blob);
        let opened = kek.unwrap_key(&elsewhere, &moved).await;
        assert!(
            matches!(opened, Err(KekError::Rejected)),
            "{elsewhere:?}: {opened:?}"
        );
        let rewrapped = kek.rewrap(&elsewhere, &moved).await;
        assert!(
            matches!(rewrapped, Err(KekError::Rejected)),
            "{elsewhere:?}: {rewrapped:?}"
        );
    }
}

#[tokio::test]
async fn kms_refuses_an_altered_ciphertext() {
    let moto = Moto::start();
    let (kek, key) = moto.kek().await;
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    let blob = blob(&made.wrapped, &key);
    // In front moto has the id of the key, and answers as if permission were missing: so does KMS.
    for at in 36..blob.len() {
        let mut altered = blob.clone();
        altered[at] ^= 1 << (at % 8);
        let opened = kek.unwrap_key(&here, &forged(&here, &key, &altered)).await;
        assert!(
            matches!(opened, Err(KekError::Rejected)),
            "byte {at}: {opened:?}"
        );
    }
    let mut altered = blob;
    altered[0] ^= 1;
    let opened = kek.unwrap_key(&here, &forged(&here, &key, &altered)).await;
    assert!(
        matches!(opened, Err(KekError::Unavailable(_))),
        "{opened:?}"
    );
}

#[tokio::test]
async fn a_key_that_is_not_configured_is_not_called() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let kek = |key: &str| portcullis_keyring::kek::AwsKms::new(&connection, key).unwrap();
    let (old, new) = (moto.key(), moto.key());
    let here = context("tenant", "email", 7);
    let made = kek(&old).generate(&here).await.unwrap();

    let opened = kek(&new).unwrap_key(&here, &made.wrapped).await;
    let Err(KekError::UnknownKey(named)) = opened else {
        panic!("{opened:?}");
    };
    assert_eq!(named, old);
    let rewrapped = kek(&new).rewrap(&here, &made.wrapped).await;
    assert!(
        matches!(rewrapped, Err(KekError::UnknownKey(_))),
        "{rewrapped:?}"
    );
    assert_eq!(proxy.calls().len(), 1, "that of `generate`");
}

/// The name of the key is no more than a claim: it is pinned in the call, and KMS compares.
#[tokio::test]
async fn a_wrong_name_of_the_key_does_not_open() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let (old, new) = (moto.key(), moto.key());
    let kek = portcullis_keyring::kek::AwsKms::new(&connection, &new).unwrap();
    let kek = kek.also_opens(&old).unwrap();
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    let renamed = forged(&here, &old, &blob(&made.wrapped, &new));

    // moto has no `IncorrectKeyException`.
    assert!(kek.unwrap_key(&here, &renamed).await.is_err());
    let pinned = proxy.calls().last().unwrap().sent["KeyId"].clone();
    assert_eq!(pinned, old.as_str());
    proxy.fails("Decrypt", 400, "IncorrectKeyException");
    let opened = kek.unwrap_key(&here, &renamed).await;
    assert!(matches!(opened, Err(KekError::Rejected)), "{opened:?}");
}
