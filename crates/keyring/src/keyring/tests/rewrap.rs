//! A version of the key-encryption key is retired.

use std::num::NonZeroU32;

use secrecy::SecretBox;

use super::*;
use crate::{
    RewrapError,
    kek::LocalKek,
    secrets::{SecretVersion, VersionedSecrets},
    store::{ChangeError, KeyQuery},
};

/// Key-encryption keys of which version `n` is 32 times the byte `n`.
pub(super) fn kek(primary: u32, versions: &[u32]) -> Arc<LocalKek> {
    let version = |number: u32| SecretVersion::try_from(number).expect("not zero");
    let secrets = versions.iter().map(|number| {
        let byte = u8::try_from(*number).expect("a small version");
        (version(*number), SecretBox::new(Box::new([byte; 32])))
    });
    let secrets = VersionedSecrets::new(version(primary), secrets);
    Arc::new(LocalKek::new(secrets.expect("they differ")))
}

#[tokio::test]
async fn after_every_key_is_rewrapped_the_old_kek_version_is_needed_no_more() {
    let store = Arc::new(MemoryDekStore::new());
    let old = Keyring::builder(kek(1, &[1]), store.clone()).build();
    let made = [
        old.primary("t", "email").await,
        old.primary("u", "phone").await,
    ];
    old.erase_tenant(&tenant("gone")).await.expect("it answers");

    let both = Keyring::builder(kek(2, &[1, 2]), store.clone()).build();
    let every = KeyQuery::all(NonZeroU32::MAX);
    for key in store.list(&every).await.expect("it answers").keys {
        both.rewrap(key.id()).await.expect("it rewraps");
    }
    let new = Keyring::builder(kek(2, &[2]), store.clone()).build();
    assert_eq!(new.primary("t", "email").await, made[0]);
    assert_eq!(new.primary("u", "phone").await, made[1]);
    let answer = Keyring::builder(kek(1, &[1]), store).build();
    let answer = answer.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(matches!(
        answer,
        Err(PrepareError::Kek(KekError::UnknownVersion(_)))
    ));
}

#[tokio::test]
async fn a_destroyed_key_stays_destroyed_and_an_unknown_one_is_an_error() {
    let world = World::new();
    let keyring = world.keyring();
    let id = keyring.primary("t", "email").await;
    let nobodys = KeyId::new(!id.value());
    let answer = keyring.rewrap(nobodys).await;
    assert!(matches!(answer, Err(RewrapError::UnknownKey(id)) if id == nobodys));

    keyring
        .erase_tenant(&tenant("t"))
        .await
        .expect("it answers");
    keyring.rewrap(id).await.expect("there is nothing to wrap");
    assert_eq!(
        keyring.find("t", "email", id).await,
        Err(KeyMissing::Destroyed)
    );
}

#[tokio::test]
async fn of_two_who_rewrap_a_key_at_once_one_wins_and_the_key_stays() {
    let world = World::new();
    let keyring = world.keyring();
    let id = keyring.primary("t", "email").await;
    let (one, other) = (keyring.rewrap(id), keyring.rewrap(id));
    let answers = futures_util::future::join(one, other).await;
    let lost = |answer: &Result<(), RewrapError>| {
        matches!(answer, Err(RewrapError::Change(ChangeError::Conflict)))
    };
    assert_ne!(lost(&answers.0), lost(&answers.1), "{answers:?}");
    assert_eq!(world.keyring().primary("t", "email").await, id);
}
