//! How often the key-encryption key is asked, and how long an unwrapped key serves.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_who_want_one_key_wait_for_one_call() {
    let world = World::new();
    let id = world.keyring().primary("t", "email").await;
    let before = world.kek.unwraps();
    let keyring = world.keyring();
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let keyring = keyring.clone();
            tokio::spawn(async move { keyring.primary("t", "email").await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.expect("no panic"), id);
    }
    assert_eq!(world.kek.unwraps(), before + 1);
}

/// The process that lost the race has dropped its own key: it unwraps the one that is stored.
#[tokio::test]
async fn a_key_that_was_made_serves_without_being_unwrapped_and_a_lost_one_never() {
    let world = World::new();
    let (one, other) = (world.keyring(), world.keyring());
    let (first, second) = tokio::join!(one.primary("t", "email"), other.primary("t", "email"));
    assert_eq!(first, second);
    assert_eq!(world.kek.generates.load(Ordering::SeqCst), 2);
    assert_eq!(world.kek.unwraps(), 1);
    let by_both = [
        one.data_key("t", "email").await,
        other.data_key("t", "email").await,
    ];
    assert!(by_both[0] == by_both[1], "two keys for one id");
    for process in [one, other] {
        assert_eq!(
            process.shared.keys.held().count(),
            1,
            "the lost one is gone"
        );
    }
}

#[tokio::test]
async fn a_key_that_was_made_is_as_old_as_the_call_that_made_it() {
    let world = World::new();
    let keyring = world.keyring();
    let rotated = keyring.rotate(&tenant("t"), &purpose("email")).await;
    rotated.expect("a step");
    let before = world.kek.unwraps();
    // Used for the first time a day later: what is in the clear since then does not serve.
    world.clock.advance(24 * HOUR);
    let rotated = keyring.rotate(&tenant("t"), &purpose("email")).await;
    let Ok(Rotation::Promoted { key, .. }) = rotated else {
        panic!("{rotated:?}")
    };
    assert_eq!(keyring.primary("t", "email").await, key);
    assert_eq!(world.kek.unwraps(), before + 1);
}

#[tokio::test]
async fn at_most_16_calls_run_at_once() {
    let world = World::new();
    let keyring = world.keyring();
    let tenants: Vec<_> = (0..60).map(|at| format!("tenant-{at}")).collect();
    let calls = tenants.iter().map(|at| keyring.primary(at, "email"));
    join_all(calls).await;
    assert_eq!(world.kek.most_running.load(Ordering::SeqCst), 16);
}

#[tokio::test]
async fn a_failed_unwrap_is_tried_again_by_the_next_caller() {
    let world = World::new();
    world.keyring().primary("t", "email").await;
    let keyring = world.keyring();
    world.kek.set_unreachable(true);
    let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(matches!(
        answer,
        Err(PrepareError::Kek(KekError::Unavailable(_)))
    ));
    world.kek.set_unreachable(false);
    keyring.primary("t", "email").await;
}

#[tokio::test]
async fn a_busy_key_is_unwrapped_again_once_within_the_hour() {
    let world = World::new();
    let keyring = world.keyring();
    keyring.primary("t", "email").await;
    let before = world.kek.unwraps();
    // The jitter takes up to a tenth off.
    world.clock.advance(HOUR * 9 / 10 - SECOND);
    keyring.primary("t", "email").await;
    assert_eq!(world.kek.unwraps(), before);
    world.clock.advance(HOUR / 10 + SECOND);
    keyring.primary("t", "email").await;
    keyring.primary("t", "email").await;
    assert_eq!(world.kek.unwraps(), before + 1);
}

#[tokio::test]
async fn keys_unwrapped_together_are_not_refreshed_together() {
    let world = World::new();
    let keyring = world.keyring();
    let tenants: Vec<_> = (0..100).map(|at| format!("tenant-{at}")).collect();
    for at in &tenants {
        keyring.primary(at, "email").await;
    }
    let before = world.kek.unwraps();
    world.clock.advance(HOUR * 95 / 100);
    for at in &tenants {
        keyring.primary(at, "email").await;
    }
    let refreshed = world.kek.unwraps() - before;
    assert!(
        (10..=90).contains(&refreshed),
        "{refreshed} of 100 half-way through the jitter"
    );
}

#[tokio::test]
async fn an_outage_is_survived_for_24_h_and_not_a_moment_longer() {
    let world = World::new();
    let keyring = world.keyring();
    keyring.primary("t", "email").await;
    let started = world.clock.monotonic();
    world.kek.set_unreachable(true);
    // Busy all the time: use does not extend the limit.
    while world.clock.monotonic() - started < 24 * HOUR - 600 * SECOND {
        world.clock.advance(600 * SECOND);
        keyring.primary("t", "email").await;
    }
    world.clock.advance(599 * SECOND);
    keyring.primary("t", "email").await;
    world.clock.advance(SECOND);
    let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(matches!(
        answer,
        Err(PrepareError::Kek(KekError::Unavailable(_)))
    ));
    world.kek.set_unreachable(false);
    keyring.primary("t", "email").await;
}

#[tokio::test]
async fn in_an_outage_the_kek_is_asked_every_30_s_for_a_key() {
    let world = World::new();
    let keyring = world.keyring();
    keyring.primary("t", "email").await;
    world.kek.set_unreachable(true);
    world.clock.advance(HOUR);
    let before = world.kek.unwraps();
    for _ in 0..300 {
        keyring.primary("t", "email").await;
        world.clock.advance(SECOND);
    }
    assert_eq!(world.kek.unwraps() - before, 10);
}

#[tokio::test]
async fn a_key_that_the_kek_refuses_at_a_refresh_is_not_served() {
    let world = World::new();
    let keyring = world.keyring();
    keyring.primary("t", "email").await;
    world.kek.refuses.store(true, Ordering::SeqCst);
    world.clock.advance(HOUR);
    for _ in 0..2 {
        let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
        assert!(matches!(answer, Err(PrepareError::Kek(KekError::Rejected))));
    }
}

#[tokio::test]
async fn the_cache_keeps_no_more_keys_than_it_may() {
    let world = World::new();
    let keyring = world
        .builder()
        .cache_capacity(NonZeroUsize::new(10).expect("not zero"))
        .build();
    let tenants: Vec<_> = (0..1000).map(|at| format!("tenant-{at}")).collect();
    for at in &tenants {
        keyring.primary(at, "email").await;
    }
    let before = world.kek.unwraps();
    for at in &tenants {
        keyring.primary(at, "email").await;
    }
    // The cache drops what is too much in batches.
    let unwrapped = world.kek.unwraps() - before;
    assert!(
        unwrapped > 700,
        "only {unwrapped} of 1,000 keys had been dropped"
    );
}

#[tokio::test]
async fn what_is_derived_is_made_once_and_dies_with_the_key() {
    let world = World::new();
    let keyring = world.keyring();
    let prepare = || async {
        let keys = keyring
            .prepare(&tenant("t"), &[purpose("email")])
            .await
            .expect("it answers");
        keys.primary("email", keys.clock().monotonic())
            .expect("it is fresh")
            .clone()
    };
    let (one, same) = (prepare().await, prepare().await);
    let derived = Arc::clone(one.derived(|_| Arc::new(Cleared::default())));
    assert!(Arc::ptr_eq(
        &derived,
        same.derived(|_| Arc::new(Cleared::default()))
    ));
    assert_eq!(Arc::strong_count(&derived), 2);

    world.clock.advance(HOUR);
    let fresh = prepare().await;
    assert!(!Arc::ptr_eq(
        &derived,
        fresh.derived(|_| Arc::new(Cleared::default()))
    ));
    drop((one, same));
    assert_eq!(Arc::strong_count(&derived), 1);
}
