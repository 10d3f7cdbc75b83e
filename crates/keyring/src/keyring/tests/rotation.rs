//! Rotation, states and erasure, as every process sees them.

use std::time::SystemTime;

use super::*;
use crate::{IllegalTransition, store::ChangeError};

#[tokio::test]
async fn a_key_is_promoted_after_15_s_pending_and_no_sooner() {
    let world = World::new();
    let keyring = world.keyring();
    let old = keyring.primary("t", "email").await;
    let rotate = async || {
        keyring
            .rotate(&tenant("t"), &purpose("email"))
            .await
            .expect("a step")
    };

    let Rotation::Pending { key: new, ready_in } = rotate().await else {
        panic!("too early")
    };
    assert_eq!(ready_in, 15 * SECOND);
    world.clock.advance(15 * SECOND - Duration::from_millis(1));
    let Rotation::Pending { key, ready_in } = rotate().await else {
        panic!("too early")
    };
    assert_eq!((key, ready_in), (new, Duration::from_millis(1)));
    let refused = keyring.promote(&tenant("t"), new).await;
    assert!(matches!(refused, Err(RotateError::TooYoung { .. })));
    assert_eq!(keyring.primary("t", "email").await, old);

    world.clock.advance(Duration::from_millis(1));
    assert_eq!(
        rotate().await,
        Rotation::Promoted {
            key: new,
            demoted: old
        }
    );
    assert_eq!(keyring.primary("t", "email").await, new);
    assert_eq!(keyring.find("t", "email", old).await, Ok(old));
}

#[tokio::test]
async fn every_process_can_open_with_a_key_before_any_seals_with_it() {
    let world = World::new();
    let (one, other) = (world.keyring(), world.keyring());
    one.primary("t", "email").await;
    other.primary("t", "email").await;
    let step = one
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    let Rotation::Pending { key, .. } = step else {
        panic!("too early")
    };
    assert_eq!(other.find("t", "email", key).await, Ok(key));
}

#[tokio::test]
async fn other_processes_seal_with_the_new_key_within_5_s() {
    let world = World::new();
    let (one, other) = (world.keyring(), world.keyring());
    let old = one.primary("t", "email").await;
    one.rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    world.clock.advance(15 * SECOND);
    assert_eq!(other.primary("t", "email").await, old);
    one.rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    let new = one.primary("t", "email").await;

    world.clock.advance(5 * SECOND - Duration::from_nanos(1));
    assert_eq!(other.primary("t", "email").await, old);
    world.clock.advance(Duration::from_nanos(1));
    assert_eq!(other.primary("t", "email").await, new);
}

#[tokio::test]
async fn a_rotation_goes_on_where_another_process_stopped() {
    let world = World::new();
    let (crashed, next) = (world.keyring(), world.keyring());
    let old = crashed.primary("t", "email").await;
    let step = crashed
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    let Rotation::Pending { key, .. } = step else {
        panic!("too early")
    };
    drop(crashed);
    world.clock.advance(20 * SECOND);
    let step = next
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    assert_eq!(step, Rotation::Promoted { key, demoted: old });
    assert_eq!(
        world
            .store
            .load_tenant(&tenant("t"))
            .await
            .expect("it answers")
            .rows(),
        2
    );
}

#[tokio::test]
async fn an_old_key_can_be_promoted_again_after_15_s() {
    let world = World::new();
    let keyring = world.keyring();
    let old = keyring.primary("t", "email").await;
    keyring
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    world.clock.advance(15 * SECOND);
    keyring
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    world.clock.advance(15 * SECOND - Duration::from_millis(1));
    let refused = keyring.promote(&tenant("t"), old).await;
    assert!(matches!(refused, Err(RotateError::TooYoung { .. })));
    world.clock.advance(Duration::from_millis(1));
    let demoted = keyring
        .promote(&tenant("t"), old)
        .await
        .expect("every process opens with it");
    assert_ne!(demoted, old);
    assert_eq!(keyring.primary("t", "email").await, old);
}

#[tokio::test]
async fn a_disabled_key_is_unavailable_everywhere_within_5_s_and_can_come_back() {
    let (world, keyring, id) = with_an_old_key().await;
    let other = world.keyring();
    assert_eq!(other.find("t", "email", id).await, Ok(id));
    for (state, expected) in [
        (KeyState::Disabled, Err(KeyMissing::Unavailable)),
        (KeyState::DestroyScheduled, Err(KeyMissing::Unavailable)),
        (KeyState::Disabled, Err(KeyMissing::Unavailable)),
        (KeyState::DecryptOnly, Ok(id)),
    ] {
        keyring
            .change_state(&tenant("t"), id, state)
            .await
            .expect("a step");
        assert_eq!(keyring.find("t", "email", id).await, expected, "{state}");
        world.clock.advance(5 * SECOND);
        let before = world.kek.unwraps();
        assert_eq!(other.find("t", "email", id).await, expected, "{state}");
        let allowed = usize::from(expected.is_ok());
        assert!(
            world.kek.unwraps() - before <= allowed,
            "{state} reached the KEK"
        );
    }
}

#[tokio::test]
async fn a_destroyed_key_is_gone_and_never_reaches_the_kek() {
    let (world, keyring, id) = with_an_old_key().await;
    for state in [
        KeyState::Disabled,
        KeyState::DestroyScheduled,
        KeyState::Destroyed,
    ] {
        keyring
            .change_state(&tenant("t"), id, state)
            .await
            .expect("a step");
    }
    let before = world.kek.unwraps();
    for _ in 0..3 {
        assert_eq!(
            keyring.find("t", "email", id).await,
            Err(KeyMissing::Destroyed)
        );
        assert_eq!(
            keyring.find("t", "phone", id).await,
            Err(KeyMissing::Unknown)
        );
        world.clock.advance(6 * SECOND);
    }
    assert_eq!(world.kek.unwraps(), before);
}

#[tokio::test]
async fn an_illegal_change_is_a_typed_error_and_changes_nothing() {
    let (world, keyring, old) = with_an_old_key().await;
    let primary = keyring.primary("t", "email").await;
    for (id, to, by_promotion) in [
        (primary, KeyState::Destroyed, false),
        (primary, KeyState::DecryptOnly, true),
        (old, KeyState::Primary, true),
        (old, KeyState::Destroyed, false),
        (old, KeyState::Pending, false),
    ] {
        let answer = keyring.change_state(&tenant("t"), id, to).await;
        match answer.expect_err("refused") {
            RotateError::Illegal(IllegalTransition::OnlyByPromotion) => assert!(by_promotion),
            RotateError::Illegal(IllegalTransition::NoSuchStep { .. }) => assert!(!by_promotion),
            other => panic!("{other}"),
        }
    }
    let answer = keyring.promote(&tenant("t"), primary).await;
    assert!(matches!(
        answer,
        Err(RotateError::Illegal(IllegalTransition::NoSuchStep { .. }))
    ));
    let answer = keyring.promote(&tenant("u"), old).await;
    assert!(matches!(answer, Err(RotateError::UnknownKey(id)) if id == old));
    assert_eq!(keyring.primary("t", "email").await, primary);
    assert_eq!(world.keyring().find("t", "email", old).await, Ok(old));
}

#[tokio::test]
async fn of_two_promotions_at_once_one_wins() {
    let (world, keyring, old) = with_an_old_key().await;
    let primary = keyring.primary("t", "email").await;
    world
        .store
        .promote(primary, old, SystemTime::UNIX_EPOCH)
        .await
        .expect("it is legal");
    let loser = world
        .store
        .promote(primary, old, SystemTime::UNIX_EPOCH)
        .await;
    assert!(matches!(loser, Err(ChangeError::Conflict)));
}

#[tokio::test]
async fn an_erased_tenant_is_forgotten_everywhere_within_10_s() {
    let world = World::new();
    let (eraser, other) = (world.keyring(), world.keyring());
    let id = eraser.primary("t", "email").await;
    let prepared = other
        .prepare(&tenant("t"), &[purpose("email")])
        .await
        .expect("it answers");
    let stays = eraser.primary("u", "email").await;
    eraser.erase_tenant(&tenant("t")).await.expect("it answers");

    let refused = eraser.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(matches!(refused, Err(PrepareError::TenantErased)));
    assert_eq!(
        eraser.find("t", "email", id).await,
        Err(KeyMissing::Destroyed)
    );

    world.clock.advance(10 * SECOND);
    let now = world.clock.monotonic();
    assert_eq!(
        prepared.primary("email", now).err(),
        Some(KeyMissing::Stale)
    );
    for _ in 0..3 {
        let refused = other.prepare(&tenant("t"), &[purpose("email")]).await;
        assert!(matches!(refused, Err(PrepareError::TenantErased)));
    }
    assert_eq!(
        other.find("t", "email", id).await,
        Err(KeyMissing::Destroyed)
    );
    assert_eq!(other.primary("u", "email").await, stays);
    // One for each key that was made, and one for each process that learned of the erasure.
    assert_eq!(world.kek.generates.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn what_was_derived_from_an_erased_or_disabled_key_is_dropped_with_it() {
    let (_world, keyring, id) = with_an_old_key().await;
    let derived = async |id| {
        let keys = keyring
            .prepare_ids(&tenant("t"), &[id])
            .await
            .expect("it answers");
        let key = keys
            .find(id, "email", keys.clock().monotonic())
            .expect("it opens");
        Arc::clone(key.derived(|_| Arc::new(())))
    };
    let old = derived(id).await;
    assert_eq!(Arc::strong_count(&old), 2);
    keyring
        .change_state(&tenant("t"), id, KeyState::Disabled)
        .await
        .expect("a step");
    assert_eq!(Arc::strong_count(&old), 1);

    let primary = derived(keyring.primary("t", "email").await).await;
    assert_eq!(Arc::strong_count(&primary), 2);
    keyring
        .erase_tenant(&tenant("t"))
        .await
        .expect("it answers");
    assert_eq!(Arc::strong_count(&primary), 1);
}

/// A keyring whose tenant `t` has a key that was rotated out, and its id.
async fn with_an_old_key() -> (World, Keyring, KeyId) {
    let world = World::new();
    let keyring = world.keyring();
    let old = keyring.primary("t", "email").await;
    keyring
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    world.clock.advance(15 * SECOND);
    keyring
        .rotate(&tenant("t"), &purpose("email"))
        .await
        .expect("a step");
    (world, keyring, old)
}

#[tokio::test]
async fn a_replacement_that_was_done_is_told_again_and_not_done_again() {
    let world = World::new();
    let keyring = world.keyring();
    let old = keyring.primary("t", "email").await;
    let step = keyring.rotate_from(&tenant("t"), old).await;
    let Ok(Rotation::Pending { key, ready_in }) = step else {
        panic!("{step:?}")
    };
    let refused = keyring.rotate_from(&tenant("t"), key).await;
    assert!(
        matches!(refused, Err(RotateError::Illegal(_))),
        "it seals nothing yet: {refused:?}"
    );
    world.clock.advance(ready_in);
    let promoted = Rotation::Promoted { key, demoted: old };
    // A caller that crashed before it had the answer asks again, maybe much later and in another process.
    for _ in 0..3 {
        let step = world.keyring().rotate_from(&tenant("t"), old).await;
        assert_eq!(step.expect("it is replaced"), promoted);
        world.clock.advance(HOUR);
    }
    let keys = world.store.load_tenant(&tenant("t")).await;
    assert_eq!(keys.expect("it answers").keys.len(), 2);
    let nobodys = keyring.rotate_from(&tenant("u"), old).await;
    assert!(matches!(nobodys, Err(RotateError::UnknownKey(_))));
}

#[tokio::test]
async fn processes_that_promote_at_the_same_time_are_told_the_same() {
    let world = World::new();
    let old = world.keyring().primary("t", "email").await;
    let begun = world.keyring().rotate_from(&tenant("t"), old).await;
    let Ok(Rotation::Pending { key, ready_in }) = begun else {
        panic!("{begun:?}")
    };
    world.clock.advance(ready_in);
    let processes: Vec<_> = (0..8).map(|_| world.keyring()).collect();
    let at = tenant("t");
    let steps = processes.iter().map(|it| it.rotate_from(&at, old));
    for step in join_all(steps).await {
        let promoted = Rotation::Promoted { key, demoted: old };
        assert_eq!(step.expect("it is replaced"), promoted);
    }
}
