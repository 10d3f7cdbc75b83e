//! What forged ids and refused keys cost.

use super::{super::negative::UnknownIds, budget::RuntimeClock, observer::Recorder, *};

fn on(world: &World, clock: RuntimeClock) -> (Arc<Recorder>, Keyring) {
    let recorder = Arc::new(Recorder::default());
    let keyring = world
        .builder()
        .clock(Arc::new(clock))
        .observer(recorder.clone())
        .build();
    (recorder, keyring)
}

fn count(told: &[String], name: &str) -> usize {
    told.iter().filter(|told| *told == name).count()
}

/// An id that nobody has; the keys of these tests have random ones.
fn nobodys(number: u32) -> KeyId {
    KeyId::new(number)
}

#[tokio::test(start_paused = true)]
async fn ids_that_differ_each_time_have_the_store_read_ten_times_in_a_second() {
    let world = World::new();
    let clock = RuntimeClock::new();
    let (recorder, keyring) = on(&world, clock);
    keyring.primary("t", "email").await;
    recorder.take();
    for number in 0..100 {
        let answer = keyring.find("t", "email", nobodys(number)).await;
        assert_eq!(answer, Err(KeyMissing::Unknown));
    }
    let took = clock.monotonic();
    assert_eq!(took, 9 * SECOND, "ten at once, and 90 at ten a second");
    assert_eq!(count(&recorder.names(), "StatesRead"), 100);

    // All who come together share a look, and one that has begun does not count for who comes later.
    let forged: Vec<_> = (100..1100).map(|number| [nobodys(number)]).collect();
    let at = tenant("t");
    join_all(forged.iter().map(|ids| keyring.prepare_ids(&at, ids))).await;
    assert!(clock.monotonic() - took <= 2 * Duration::from_millis(100));
    assert!(count(&recorder.names(), "StatesRead") <= 2);
    assert_eq!(world.kek.unwraps(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_known_to_be_unknown_costs_nothing_for_a_minute() {
    let world = World::new();
    let clock = RuntimeClock::new();
    let (recorder, keyring) = on(&world, clock);
    keyring.primary("t", "email").await;
    recorder.take();
    for _ in 0..1000 {
        let answer = keyring.find("t", "email", nobodys(1)).await;
        assert_eq!(answer, Err(KeyMissing::Unknown));
    }
    let told = recorder.names();
    assert_eq!(count(&told, "StatesRead"), 1);
    assert_eq!(count(&told, "NegativeHit"), 999);
    assert_eq!(count(&told, "UnknownKeyRequested"), 1000);
    assert_eq!(clock.monotonic(), Duration::ZERO, "nobody has waited");

    let moment = Duration::from_millis(1);
    time::advance(60 * SECOND - moment).await;
    let answer = keyring.find("t", "email", nobodys(1)).await;
    assert_eq!(answer, Err(KeyMissing::Unknown));
    let told = recorder.names();
    assert_eq!(
        (count(&told, "StatesRead"), count(&told, "NegativeHit")),
        (0, 1)
    );
    time::advance(moment).await;
    keyring
        .find("t", "email", nobodys(1))
        .await
        .expect_err("unknown");
    let told = recorder.names();
    assert_eq!(
        (count(&told, "StatesRead"), count(&told, "NegativeHit")),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn one_tenant_that_forges_does_not_slow_another() {
    let world = World::new();
    let clock = RuntimeClock::new();
    let (_, keyring) = on(&world, clock);
    let other = world.builder().clock(Arc::new(clock)).build();
    keyring.primary("good", "email").await;
    let forger = keyring.clone();
    let forger = tokio::spawn(async move {
        for number in 0..500 {
            let answer = forger.find("bad", "email", nobodys(number)).await;
            assert_eq!(answer, Err(KeyMissing::Unknown));
        }
    });
    time::sleep(SECOND).await;
    let before = clock.monotonic();
    let made = other.primary("good", "phone").await;
    assert_eq!(keyring.find("good", "phone", made).await, Ok(made));
    assert_eq!(clock.monotonic(), before);
    forger.await.expect("no panic");
}

#[tokio::test]
async fn a_key_that_the_kek_has_refused_is_not_asked_for_again_for_30_s() {
    let world = World::new();
    world.keyring().primary("t", "email").await;
    let keyring = world.keyring();
    world.kek.refuses.store(true, Ordering::SeqCst);
    let before = world.kek.unwraps();
    let refused = async || {
        let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
        assert!(matches!(answer, Err(PrepareError::Kek(KekError::Rejected))));
    };
    for _ in 0..1000 {
        refused().await;
    }
    world.clock.advance(30 * SECOND - Duration::from_nanos(1));
    refused().await;
    assert_eq!(world.kek.unwraps(), before + 1);

    world.kek.refuses.store(false, Ordering::SeqCst);
    refused().await;
    world.clock.advance(Duration::from_nanos(1));
    keyring.primary("t", "email").await;
    assert_eq!(world.kek.unwraps(), before + 2);
}

#[tokio::test]
async fn a_refused_key_that_was_wrapped_again_is_tried_at_once() {
    let world = World::new();
    let id = world.keyring().primary("t", "email").await;
    let keyring = world.keyring();
    world.kek.refuses.store(true, Ordering::SeqCst);
    let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(matches!(answer, Err(PrepareError::Kek(KekError::Rejected))));
    world.kek.refuses.store(false, Ordering::SeqCst);
    keyring.rewrap(id).await.expect("it rewraps");
    assert_eq!(keyring.primary("t", "email").await, id);
}

#[tokio::test(start_paused = true)]
async fn looks_that_are_given_up_do_not_make_the_next_wait() {
    let world = World::new();
    let clock = RuntimeClock::new();
    let (_recorder, keyring) = on(&world, clock);
    keyring.primary("t", "email").await;
    for number in 0..10 {
        let answer = keyring.find("t", "email", nobodys(number)).await;
        assert_eq!(answer, Err(KeyMissing::Unknown));
    }
    // From now on each look waits 100 ms, and nobody waits for it.
    for number in 10..1000 {
        let at = tenant("t");
        let ids = [nobodys(number)];
        let look = keyring.prepare_ids(&at, &ids);
        drop(time::timeout(Duration::from_millis(1), look).await);
    }
    let before = clock.monotonic();
    let answer = keyring.find("t", "email", nobodys(1000)).await;
    assert_eq!(answer, Err(KeyMissing::Unknown));
    assert!(clock.monotonic() - before <= 2 * Duration::from_millis(100));
}

#[test]
fn of_unknown_ids_some_8192_are_kept() {
    let (unknown, at) = (UnknownIds::new(), tenant("t"));
    for number in 0..40_000 {
        unknown.insert(&at, nobodys(number), Duration::ZERO);
    }
    let is_kept = |number: &u32| unknown.contains(&at, nobodys(*number), Duration::ZERO);
    let kept = (0..40_000).filter(is_kept).count();
    // The cache drops what is too much in batches.
    assert!((7_600..8_800).contains(&kept), "{kept}");
}

/// It costs nothing, and it may have got the version that was missing.
#[tokio::test]
async fn a_kek_in_memory_that_has_refused_is_asked_again() {
    let recorder = Arc::new(Recorder::default());
    let store = Arc::new(MemoryDekStore::new());
    let kek = || Arc::new(MemoryKek::new().expect("a KEK"));
    let maker = Keyring::builder(kek(), store.clone()).build();
    maker.primary("t", "email").await;
    let other = Keyring::builder(kek(), store)
        .observer(recorder.clone())
        .build();
    for _ in 0..2 {
        let answer = other.prepare(&tenant("t"), &[purpose("email")]).await;
        assert!(
            matches!(answer, Err(PrepareError::Kek(KekError::Rejected))),
            "{answer:?}"
        );
    }
    let told = recorder.names();
    assert_eq!(
        (count(&told, "KekCalled"), count(&told, "NegativeHit")),
        (2, 0)
    );
}
