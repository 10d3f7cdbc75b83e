//! A key that may not open any more is not kept, whatever was under way.

use super::{
    late_store::{LateStore, change_something},
    observer::Recorder,
    *,
};

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

/// States are old by the time the key-encryption key answers, and nobody knows what they are now.
#[tokio::test]
async fn a_key_that_is_unwrapped_while_the_store_is_down_is_not_kept() {
    let world = World::new();
    world.keyring().primary("t", "email").await;
    let store = LateStore::on(&world.store);
    let keyring = store.keyring(&world);
    let (at, purposes, before) = (tenant("t"), [purpose("email")], world.kek.unwraps());
    let unwrap = keyring.prepare(&at, &purposes);
    let fails = async {
        while_it_is_asked(&world, before).await;
        store.count.fail();
        store.keys_of_tenant.fail();
        world.clock.advance(5 * SECOND);
    };
    let (unwrapped, ()) = tokio::join!(biased; unwrap, fails);
    unwrapped.expect("it began when its states were fresh");
    assert_eq!(held(&keyring), 0);
}

/// Somebody who has asked earlier still waits for what the store had then.
#[tokio::test]
async fn who_comes_after_an_erasure_is_not_given_what_was_read_before_it() {
    let world = World::new();
    world.keyring().primary("t", "email").await;
    let store = LateStore::on(&world.store);
    let keyring = store.keyring(&world);
    let (at, purposes) = (tenant("t"), [purpose("email")]);
    store.keys_of_tenant.hold_after(0);
    let early = keyring.prepare(&at, &purposes);
    let late = async {
        assert_eq!(store.keys_of_tenant.asked(), 1);
        keyring.erase_tenant(&at).await.expect("it is erased");
        let prepare = keyring.prepare(&at, &purposes);
        let (late, ()) = tokio::join!(biased; prepare, async { store.keys_of_tenant.let_go() });
        late
    };
    let (_, late) = tokio::join!(biased; early, late);
    assert!(matches!(late, Err(PrepareError::TenantErased)), "{late:?}");
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
async fn what_was_read_before_an_erasure_is_not_kept_after_it() {
    let world = World::new();
    world.keyring().primary("t", "email").await;
    let store = LateStore::on(&world.store);
    let keyring = store.keyring(&world);
    let (at, purposes) = (tenant("t"), [purpose("email")]);
    store.keys_of_tenant.hold_after(0);
    let early = keyring.prepare(&at, &purposes);
    let erase = async {
        keyring.erase_tenant(&at).await.expect("it is erased");
        store.keys_of_tenant.let_go();
    };
    let (_, ()) = tokio::join!(biased; early, erase);
    let later = keyring.prepare(&at, &purposes).await;
    assert!(
        matches!(later, Err(PrepareError::TenantErased)),
        "{later:?}"
    );
    assert_eq!(held(&keyring), 0);
}

/// The states that this process knows are not old enough to be read again.
#[tokio::test]
async fn what_was_forgotten_is_not_unwrapped_again() {
    let world = World::new();
    let keyring = world.keyring();
    keyring.primary("t", "email").await;
    let other = world.keyring();
    other
        .erase_tenant(&tenant("t"))
        .await
        .expect("it is erased");
    keyring.forget_unusable().await.expect("the store answers");
    let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
    let erased = matches!(answer, Err(PrepareError::TenantErased));
    assert!(erased, "{answer:?}");
}

#[tokio::test]
async fn a_busy_process_forgets_what_it_reads_to_be_disabled() {
    let world = World::new();
    let busy = world.keyring();
    let old = busy.primary("t", "email").await;
    let other = world.keyring();
    rotate(&world, &other, "t", "email").await;
    world.clock.advance(60 * SECOND);
    other.disable(&tenant("t"), old).await.expect("a step");
    let new = busy.primary("t", "email").await;
    assert_ne!(new, old);
    let held: Vec<_> = busy.shared.keys.held().map(|key| key.key_id()).collect();
    assert_eq!(held, [new]);
}

/// More of them than are looked up at once.
#[tokio::test]
async fn of_a_store_that_does_not_count_every_key_is_looked_at() {
    let world = World::new();
    let store = LateStore::on(&world.store);
    store.count.fail();
    let keyring = store.keyring(&world);
    let tenants: Vec<_> = (0..1_001).map(|at| format!("tenant-{at}")).collect();
    for at in &tenants {
        keyring.primary(at, "email").await;
        let (at, now) = (tenant(at), world.clock.wall());
        let erased = world.store.erase_tenant(&at, now).await;
        erased.expect("it is erased");
    }
    assert_eq!(held(&keyring), 1_001);
    keyring.forget_unusable().await.expect("the store answers");
    assert_eq!(held(&keyring), 0);
}

/// Nobody knows what it may do.
#[tokio::test]
async fn a_key_whose_row_is_damaged_is_forgotten() {
    let world = World::new();
    let store = LateStore::on(&world.store);
    let keyring = store.keyring(&world);
    store.damage(keyring.primary("t", "email").await);
    change_something(&world).await;
    assert_eq!(held(&keyring), 1);
    world.clock.advance(5 * SECOND);
    let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
    let damaged = matches!(answer, Err(PrepareError::Store(StoreError::Damaged(_))));
    assert!(damaged, "{answer:?}");
    assert_eq!(held(&keyring), 0);
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

#[tokio::test]
async fn a_key_that_is_dropped_is_wiped_at_once() {
    let world = World::new();
    let keyring = world.keyring();
    let derived = async |at: &str| {
        let keys = keyring.prepare(&tenant(at), &[purpose("email")]).await;
        let keys = keys.expect("it answers");
        let key = keys.primary("email", keys.clock().monotonic());
        let key = key.expect("it was prepared");
        Arc::clone(key.derived(|_| Arc::new(Cleared::default())))
    };
    for round in 0..100 {
        let at = format!("tenant-{round}");
        let first = derived(&at).await;
        world.clock.advance(HOUR);
        let fresh = derived(&at).await;
        assert!(!Arc::ptr_eq(&first, &fresh));
        assert_eq!(Arc::strong_count(&first), 1, "replaced");
        keyring
            .erase_tenant(&tenant(&at))
            .await
            .expect("it is erased");
        assert_eq!(Arc::strong_count(&fresh), 1, "evicted");
    }
}
