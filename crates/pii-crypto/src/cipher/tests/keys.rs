//! Which key opens and seals, and what is said when it cannot.

use std::time::Duration;

use portcullis_keyring::KeyState;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_value_under_a_key_that_is_not_prepared_names_the_key() {
    let world = World::new().await;
    let sealed = eighth::<Email>().await;
    let without = Cipher::new(world.keys(&[]).await);
    let answer = without
        .open(FIELD, RECORD, &sealed)
        .expect_err("no key was prepared");
    assert_eq!(answer, OpenError::NeedsKey(sealed.key_id()));

    let ids = world
        .keyring
        .prepare_ids(&world.tenant, &[sealed.key_id()])
        .await;
    let merged = world.keys(&[]).await.merge(ids.expect("it answers"));
    assert!(Cipher::new(merged).open(FIELD, RECORD, &sealed).is_ok());
}

#[tokio::test]
async fn nothing_is_sealed_without_a_primary_key_for_its_purpose() {
    let world = World::new().await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let other = Cipher::new(world.keys(&["phone"]).await);
    assert_eq!(other.seal(FIELD, RECORD, &value), Err(SealError::NoKey));
    let id = eighth::<Email>().await.key_id();
    let to_open = world
        .keyring
        .prepare_ids(&world.tenant, &[id])
        .await
        .expect("it answers");
    assert_eq!(
        Cipher::new(to_open).seal(FIELD, RECORD, &value),
        Err(SealError::NoKey)
    );
}

#[tokio::test]
async fn keys_prepared_10_s_ago_neither_seal_nor_open() {
    let world = World::new().await;
    let cipher = cipher(&world).await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let sealed = cipher.seal(FIELD, RECORD, &value).expect("it seals");
    world.clock.advance(10 * SECOND - Duration::from_nanos(1));
    assert!(cipher.seal(FIELD, RECORD, &value).is_ok());
    assert!(cipher.open(FIELD, RECORD, &sealed).is_ok());
    world.clock.advance(Duration::from_nanos(1));
    assert_eq!(
        cipher.seal(FIELD, RECORD, &value),
        Err(SealError::StaleKeys)
    );
    let answer = cipher
        .open(FIELD, RECORD, &sealed)
        .expect_err("the states are old");
    assert_eq!(answer, OpenError::NeedsKey(sealed.key_id()));
}

#[tokio::test]
async fn after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() {
    let (world, sealed) = with_a_rotated_key().await;
    let cipher = cipher(&world).await;
    let answer = cipher
        .open(FIELD, RECORD, &sealed)
        .expect_err("the old key was not prepared");
    assert_eq!(answer, OpenError::NeedsKey(sealed.key_id()));
    let old = world
        .keyring
        .prepare_ids(&world.tenant, &[sealed.key_id()])
        .await;
    let cipher = Cipher::new(world.keys(&["email"]).await.merge(old.expect("it answers")));
    let opened = cipher.open(FIELD, RECORD, &sealed).expect("it opens");
    let again = cipher.seal(FIELD, RECORD, &opened).expect("it seals");
    assert_ne!(again.key_id(), sealed.key_id());
}

#[tokio::test]
async fn a_disabled_and_a_destroyed_key_are_told_apart_from_tampering() {
    let (world, sealed) = with_a_rotated_key().await;
    for (state, expected) in [
        (KeyState::Disabled, OpenError::KeyUnavailable),
        (KeyState::DestroyScheduled, OpenError::KeyUnavailable),
        (KeyState::Destroyed, OpenError::KeyDestroyed),
    ] {
        let changed = world
            .keyring
            .change_state(&world.tenant, sealed.key_id(), state)
            .await;
        changed.expect("a step");
        let keys = world
            .keyring
            .prepare_ids(&world.tenant, &[sealed.key_id()])
            .await;
        let cipher = Cipher::new(keys.expect("it answers"));
        let answer = cipher
            .open(FIELD, RECORD, &sealed)
            .expect_err("the key cannot be used");
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn a_key_that_the_kek_refuses_is_told_apart_from_tampering() {
    let world = World::with_another_kek().await;
    let sealed = eighth::<Email>().await;
    let keys = world
        .keyring
        .prepare_ids(&world.tenant, &[sealed.key_id()])
        .await;
    let answer = Cipher::new(keys.expect("it answers")).open(FIELD, RECORD, &sealed);
    let answer = answer.expect_err("the key does not open");
    assert_eq!(answer, OpenError::KeyNotOpened);
}

#[tokio::test]
async fn forged_values_push_no_subkey_out_of_the_cache() {
    let world = World::new().await;
    let cipher = cipher(&world).await.with_epochs(EpochPolicy::PerMessage);
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let sealed = cipher.seal(FIELD, RECORD, &value).expect("it seals");
    assert!(cipher.open(FIELD, RECORD, &sealed).is_ok());
    let key = world.known_key().await;
    let good = Ring::subkeys(&key).find_or_derive(&key, Suite::Exact, &sealed.prefix());

    for _ in 0..100 {
        let elsewhere = cipher.seal(FIELD, "elsewhere", &value).expect("it seals");
        assert!(cipher.open(FIELD, RECORD, &elsewhere).is_err());
    }
    let after = Ring::subkeys(&key).find_or_derive(&key, Suite::Exact, &sealed.prefix());
    assert!(std::ptr::eq(&*good, &*after));
}

/// What the key of the known answers sealed, before another replaced it.
async fn with_a_rotated_key() -> (World, Sealed<Email>) {
    let world = World::new().await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let sealed = cipher(&world)
        .await
        .seal(FIELD, RECORD, &value)
        .expect("it seals");
    let email = Purpose::new("email").expect("a name");
    for _ in 0..2 {
        world
            .keyring
            .rotate(&world.tenant, &email)
            .await
            .expect("a step");
        world.clock.advance(15 * SECOND);
    }
    (world, sealed)
}
