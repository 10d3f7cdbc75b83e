//! A key that is rotated in Vault.

use std::{num::NonZeroU32, sync::Arc};

use portcullis_keyring::{
    Keyring, PrepareError,
    kek::{KekError, KekProvider as _},
    store::{DekStore as _, KeyQuery, MemoryDekStore},
    sweep::Pace,
};

use crate::{context, kek, purpose, raw, tenant, with_key};

#[tokio::test]
async fn what_was_not_wrapped_again_is_refused_by_version() {
    let bao = with_key();
    let kek = kek(bao.root());
    let here = context("t", 1);
    let made = kek.generate(&here).await.unwrap();
    let left = kek.generate(&here).await.unwrap();
    assert_eq!(kek.version_of(&made.wrapped).unwrap(), "transit/ingest:v1");

    bao.cli(&["write", "-f", "transit/keys/ingest/rotate"]);
    let moved = kek.rewrap(&here, &made.wrapped).await.unwrap();
    assert_eq!(kek.version_of(&moved).unwrap(), "transit/ingest:v2");
    assert_eq!(kek.primary().await.unwrap(), kek.version_of(&moved));

    bao.cli(&[
        "write",
        "transit/keys/ingest/config",
        "min_decryption_version=2",
    ]);
    let opened = kek.unwrap_key(&here, &moved).await.unwrap();
    assert_eq!(raw(&opened), raw(&made.key));
    for refused in [
        kek.unwrap_key(&here, &left.wrapped).await.map(drop),
        kek.rewrap(&here, &left.wrapped).await.map(drop),
    ] {
        let is_version =
            matches!(&refused, Err(KekError::UnknownVersion(version)) if version.value() == 1);
        assert!(is_version, "{refused:?}");
    }
    // An operator takes it back, and it opens.
    bao.cli(&[
        "write",
        "transit/keys/ingest/config",
        "min_decryption_version=1",
    ]);
    assert!(kek.unwrap_key(&here, &left.wrapped).await.is_ok());
}

#[tokio::test]
async fn a_keyring_moves_all_its_keys_to_the_latest_version() {
    let bao = with_key();
    let store = Arc::new(MemoryDekStore::new());
    let keyring = |kek| Keyring::builder(Arc::new(kek), store.clone()).build();
    let purposes = ["email", "phone", "name"].map(purpose);
    let first = keyring(kek(bao.root()));
    for name in ["one", "two"] {
        first.prepare(&tenant(name), &purposes).await.unwrap();
    }
    bao.cli(&["write", "-f", "transit/keys/ingest/rotate"]);

    let batch = NonZeroU32::new(4).unwrap();
    let second = keyring(kek(bao.root()));
    // All of them; and then none, in a process that has asked for nothing yet either.
    for (keyring, changed) in [(second, 6), (keyring(kek(bao.root())), 0)] {
        let pace = Pace::batches_of(batch);
        let rewrapped = keyring.rewrap_all(pace, &mut |_| {}).await.unwrap();
        let figures = (rewrapped.progress.changed, rewrapped.failed.len());
        assert_eq!(figures, (changed, 0));
    }
    let keys = store
        .list(&KeyQuery::all(NonZeroU32::new(100).unwrap()))
        .await
        .unwrap();
    let versions: Vec<_> = keys
        .iter()
        .map(|key| kek(bao.root()).version_of(key.wrapped().unwrap()))
        .collect();
    assert_eq!(versions, vec![Some("transit/ingest:v2".to_owned()); 6]);

    // Nothing needs version 1: it goes, and a process that starts now works.
    bao.cli(&[
        "write",
        "transit/keys/ingest/config",
        "min_decryption_version=2",
    ]);
    let third = keyring(kek(bao.root()));
    assert!(third.prepare(&tenant("one"), &purposes).await.is_ok());
}

/// Without rewrapping, a process that starts is told which version it lacks.
#[tokio::test]
async fn a_keyring_names_the_version_that_is_not_allowed_any_more() {
    let bao = with_key();
    let store = Arc::new(MemoryDekStore::new());
    let keyring = || Keyring::builder(Arc::new(kek(bao.root())), store.clone()).build();
    let purposes = [purpose("email")];
    keyring().prepare(&tenant("t"), &purposes).await.unwrap();
    bao.cli(&["write", "-f", "transit/keys/ingest/rotate"]);
    bao.cli(&[
        "write",
        "transit/keys/ingest/config",
        "min_decryption_version=2",
    ]);
    let refused = keyring().prepare(&tenant("t"), &purposes).await;
    let is_version = matches!(
        &refused,
        Err(PrepareError::Kek(KekError::UnknownVersion(version))) if version.value() == 1
    );
    assert!(is_version, "{refused:?}");
}
