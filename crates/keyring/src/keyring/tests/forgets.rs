//! A key that may not open any more is not kept, whatever was under way.

use super::{observer::Recorder, *};

/// How many keys this process has in the clear.
fn held(keyring: &Keyring) -> usize {
    keyring.shared.keys.held().count()
}

/// Lets another future, which is polled first, come as far as its call of the key-encryption key.
async fn while_it_is_asked(world: &World, before: usize) {
    while world.kek.unwraps() == before {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_key_whose_tenant_is_erased_while_it_is_refreshed_stays_gone() {
    let world = World::new();
    let keyring = world.keyring();
    keyring.primary("t", "email").await;
    world.clock.advance(HOUR);
    let (at, purposes, before) = (tenant("t"), [purpose("email")], world.kek.unwraps());
    let refresh = keyring.prepare(&at, &purposes);
    let erase = async {
        while_it_is_asked(&world, before).await;
        keyring.erase_tenant(&at).await.expect("it is erased");
        assert_eq!(held(&keyring), 0);
    };
    let (refreshed, ()) = tokio::join!(biased; refresh, erase);
    refreshed.expect("it began before the erasure");
    assert_eq!(held(&keyring), 0);
}

#[tokio::test]
async fn a_key_that_is_disabled_while_it_is_unwrapped_is_not_kept() {
    let world = World::new();
    let old = world.keyring().primary("t", "email").await;
    let keyring = world.keyring();
    rotate(&world, &keyring, "t", "email").await;
    world.clock.advance(60 * SECOND);

    let keyring = world.keyring();
    let (at, ids, before) = (tenant("t"), [old], world.kek.unwraps());
    let unwrap = keyring.prepare_ids(&at, &ids);
    let disable = async {
        while_it_is_asked(&world, before).await;
        keyring.disable(&at, old).await.expect("it is disabled");
    };
    let (unwrapped, ()) = tokio::join!(biased; unwrap, disable);
    unwrapped.expect("it began before the step");
    assert_eq!(held(&keyring), 0);
    let answer = keyring.find("t", "email", old).await;
    assert_eq!(answer, Err(KeyMissing::Unavailable));
}

/// Nothing in this process evicts it: the states that it was asked for on were good, and are old by now.
#[tokio::test]
async fn a_key_that_another_process_destroys_while_it_is_unwrapped_is_not_kept() {
    let world = World::new();
    world.keyring().primary("t", "email").await;
    let (keyring, other) = (world.keyring(), world.keyring());
    let (at, purposes, before) = (tenant("t"), [purpose("email")], world.kek.unwraps());
    let unwrap = keyring.prepare(&at, &purposes);
    let erase = async {
        while_it_is_asked(&world, before).await;
        other.erase_tenant(&at).await.expect("it is erased");
        world.clock.advance(5 * SECOND);
    };
    let (unwrapped, ()) = tokio::join!(biased; unwrap, erase);
    unwrapped.expect("it began before the erasure");
    assert_eq!(held(&keyring), 0);
}

#[tokio::test]
async fn an_erasure_forgets_keys_also_when_the_store_has_nothing_more_to_say() {
    let world = World::new();
    let keyring = world.keyring();
    for at in ["t", "u"] {
        keyring.primary(at, "email").await;
        keyring.primary(at, "phone").await;
    }
    keyring
        .erase_tenant(&tenant("t"))
        .await
        .expect("it is erased");
    assert_eq!(held(&keyring), 2);
}

async fn rotate(world: &World, keyring: &Keyring, at: &str, name: &str) {
    for _ in 0..2 {
        let rotated = keyring.rotate(&tenant(at), &purpose(name)).await;
        rotated.expect("a step");
        world.clock.advance(15 * SECOND);
    }
}

#[tokio::test]
async fn an_idle_process_forgets_within_10_s_what_another_has_erased() {
    let world = World::new();
    let recorder = Arc::new(Recorder::default());
    let idle = world.builder().observer(recorder.clone()).build();
    for at in ["t", "u"] {
        idle.primary(at, "email").await;
        idle.primary(at, "phone").await;
    }
    let other = world.keyring();
    other
        .erase_tenant(&tenant("t"))
        .await
        .expect("it is erased");
    recorder.take();

    world.clock.advance(5 * SECOND);
    idle.forget_unusable().await.expect("the store answers");
    let told = recorder.take();
    assert_eq!(told.len(), 2, "{told:?}");
    for told in told {
        assert!(told.starts_with("KeyEvicted"), "{told}");
        assert!(
            told.contains("\"t\"") && told.contains("cause: State"),
            "{told}"
        );
    }
    assert_eq!(held(&idle), 2);
    let answer = idle.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(
        matches!(answer, Err(PrepareError::TenantErased)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn an_idle_process_forgets_what_another_has_disabled() {
    let world = World::new();
    let idle = world.keyring();
    let old = idle.primary("t", "email").await;
    let other = world.keyring();
    rotate(&world, &other, "t", "email").await;
    world.clock.advance(60 * SECOND);
    idle.forget_unusable().await.expect("the store answers");
    assert_eq!(held(&idle), 1);
    other
        .disable(&tenant("t"), old)
        .await
        .expect("it is disabled");
    world.clock.advance(5 * SECOND);
    idle.forget_unusable().await.expect("the store answers");
    assert_eq!(held(&idle), 0);
}

#[tokio::test]
async fn keys_that_nobody_asks_for_are_forgotten_after_24_h() {
    let world = World::new();
    let recorder = Arc::new(Recorder::default());
    let idle = world.builder().observer(recorder.clone()).build();
    idle.primary("t", "email").await;
    world.clock.advance(24 * HOUR - SECOND);
    idle.forget_unusable().await.expect("the store answers");
    assert_eq!(held(&idle), 1);
    recorder.take();
    world.clock.advance(SECOND);
    idle.forget_unusable().await.expect("the store answers");
    assert_eq!(held(&idle), 0);
    assert!(recorder.one("KeyEvicted").ends_with("cause: Age }"));
}

#[tokio::test]
async fn what_was_derived_from_keys_is_cleared() {
    let world = World::new();
    let idle = world.keyring();
    let keys = idle.prepare(&tenant("t"), &[purpose("email")]).await;
    let keys = keys.expect("it answers");
    let key = keys.primary("email", world.clock.monotonic());
    let derived = key
        .expect("it is fresh")
        .derived(|_| Arc::new(Cleared::default()));
    idle.forget_unusable().await.expect("the store answers");
    assert_eq!(derived.0.load(Ordering::SeqCst), 1);
}
