//! Which keys are prepared, and what is said of those that are not.

use super::{
    late_store::{LateStore, change_something},
    *,
};

#[tokio::test]
async fn the_first_key_of_a_purpose_is_primary_at_once_and_stays() {
    let world = World::new();
    let keyring = world.keyring();
    let id = keyring.primary("t", "email").await;
    assert_eq!(keyring.primary("t", "email").await, id);
    assert_eq!(world.keyring().primary("t", "email").await, id);
    assert_eq!(keyring.find("t", "email", id).await, Ok(id));

    let stored = world
        .store
        .load_tenant(&tenant("t"))
        .await
        .expect("it answers")
        .keys;
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].id(), stored[0].state()), (id, KeyState::Primary));
    assert_eq!(stored[0].created_at(), world.clock.wall());
}

#[tokio::test]
async fn each_tenant_and_purpose_has_a_key_of_its_own() {
    let keyring = World::new().keyring();
    let purposes = [purpose("email"), purpose("phone")];
    let keys = keyring
        .prepare(&tenant("t"), &purposes)
        .await
        .expect("it answers");
    let now = keys.clock().monotonic();
    let email = keys.primary("email", now).expect("it was prepared").id();
    let phone = keys.primary("phone", now).expect("it was prepared").id();
    let other = keyring.primary("u", "email").await;
    assert!(email != phone && email != other && phone != other);
    assert_eq!(
        keys.primary("name", now).err(),
        Some(KeyMissing::NotPrepared)
    );
    assert_eq!(
        keys.find(other, "email", now).err(),
        Some(KeyMissing::NotPrepared)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_race_to_make_the_first_key_agree_on_one() {
    for round in 0..20 {
        let world = World::new();
        let at = format!("tenant-{round}");
        let racers: Vec<_> = (0..8)
            .map(|_| {
                let (keyring, at) = (world.keyring(), at.clone());
                tokio::spawn(async move { keyring.primary(&at, "email").await })
            })
            .collect();
        let mut ids = Vec::new();
        for racer in racers {
            ids.push(racer.await.expect("no panic"));
        }
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(
            world
                .store
                .load_tenant(&tenant(&at))
                .await
                .expect("it answers")
                .rows(),
            1
        );
    }
}

#[tokio::test]
async fn a_taken_key_id_is_made_again() {
    /// Answers the same four bytes three times, as key ids; then others.
    #[derive(Debug, Default)]
    struct Repeating(AtomicUsize);

    impl Entropy for Repeating {
        fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
            if out.len() == 4 && self.0.fetch_add(1, Ordering::SeqCst) < 3 {
                out.fill(9);
                return Ok(());
            }
            SystemEntropy::new().fill(out)
        }
    }

    let world = World::new();
    let keyring = world
        .builder()
        .entropy(Arc::new(Repeating::default()))
        .build();
    assert_eq!(keyring.primary("t", "email").await, KeyId::new(0x0909_0909));
    assert_ne!(keyring.primary("u", "email").await, KeyId::new(0x0909_0909));
}

#[tokio::test]
async fn an_id_that_is_not_the_tenants_is_unknown_and_never_reaches_the_kek() {
    let world = World::new();
    let keyring = world.keyring();
    let theirs = keyring.primary("them", "email").await;
    let mine = keyring.primary("me", "email").await;
    let before = world.kek.unwraps();
    let nobodys = KeyId::new(!mine.value() ^ theirs.value());

    assert_eq!(
        keyring.find("me", "email", theirs).await,
        Err(KeyMissing::Unknown)
    );
    assert_eq!(
        keyring.find("me", "email", nobodys).await,
        Err(KeyMissing::Unknown)
    );
    assert_eq!(
        keyring.find("me", "phone", mine).await,
        Err(KeyMissing::Unknown)
    );
    assert_eq!(
        keyring.find("nobody", "email", mine).await,
        Err(KeyMissing::Unknown)
    );
    assert_eq!(world.kek.unwraps(), before);
}

#[tokio::test]
async fn a_key_that_another_process_has_just_made_is_found() {
    let world = World::new();
    let (one, other) = (world.keyring(), world.keyring());
    one.primary("t", "email").await;
    let phone = other.primary("t", "phone").await;
    assert_eq!(one.find("t", "phone", phone).await, Ok(phone));
}

#[tokio::test]
async fn an_edited_store_cannot_give_a_key_to_another_tenant() {
    let world = World::new();
    let keyring = world.keyring();
    // The key of the victim is unwrapped and cached.
    let id = keyring.primary("victim", "email").await;
    let row = world
        .store
        .load(id)
        .await
        .expect("it answers")
        .expect("the key is there");
    let wrapped = row.wrapped().expect("it is not destroyed").clone();
    let stolen = KekContext::new(tenant("thief"), purpose("email"), id);

    let edited = Arc::new(MemoryDekStore::new());
    let stolen = StoredKey::new(stolen, KeyState::Primary, wrapped, row.created_at());
    edited.insert(&stolen).await.expect("there is room");
    let mut shared = Arc::into_inner(keyring.shared).expect("nobody else holds it");
    shared.store = edited;
    let keyring = Keyring {
        shared: Arc::new(shared),
    };

    let answer = keyring.prepare(&tenant("thief"), &[purpose("email")]).await;
    assert!(matches!(answer, Err(PrepareError::Kek(KekError::Rejected))));
}

#[tokio::test]
async fn prepared_keys_serve_until_their_states_are_10_s_old() {
    let world = World::new();
    let keyring = world.keyring();
    let keys = keyring
        .prepare(&tenant("t"), &[purpose("email")])
        .await
        .expect("it answers");
    let id = keys
        .primary("email", world.clock.monotonic())
        .expect("it is fresh")
        .id();

    world.clock.advance(10 * SECOND - Duration::from_nanos(1));
    let now = world.clock.monotonic();
    assert!(keys.primary("email", now).is_ok() && keys.find(id, "email", now).is_ok());
    world.clock.advance(Duration::from_nanos(1));
    let now = world.clock.monotonic();
    assert_eq!(keys.primary("email", now).err(), Some(KeyMissing::Stale));
    assert_eq!(keys.find(id, "email", now).err(), Some(KeyMissing::Stale));
}

/// Prepares keys while something holds up the store, and lets it go after 6 s; answers for how long they serve.
async fn prepared_in_6_s(world: &World, keyring: &Keyring, let_go: impl FnOnce()) -> Duration {
    let (at, purposes) = (tenant("t"), [purpose("email")]);
    let prepare = keyring.prepare(&at, &purposes);
    let wait = async {
        world.clock.advance(6 * SECOND);
        let_go();
    };
    let (keys, ()) = tokio::join!(biased; prepare, wait);
    let (keys, now) = (keys.expect("it answers"), world.clock.monotonic());
    let serves = |after: &Duration| keys.primary("email", now + *after).is_ok();
    let seconds = (0..60).map(Duration::from_secs).take_while(serves);
    seconds.last().map_or(Duration::ZERO, |last| last + SECOND)
}

#[tokio::test]
async fn states_are_as_old_as_the_read_that_gave_them() {
    let world = World::new();
    let store = LateStore::on(&world.store);
    let keyring = store.keyring(&world);
    keyring.primary("t", "email").await;
    change_something(&world).await;
    world.clock.advance(5 * SECOND);
    store.keys_of_tenant.hold_after(0);
    let serve = prepared_in_6_s(&world, &keyring, || store.keys_of_tenant.let_go()).await;
    assert_eq!(serve, 4 * SECOND, "10 s from the moment of asking");

    world.clock.advance(5 * SECOND);
    let asked = store.keys_of_tenant.asked();
    store.count.hold_after(0);
    let serve = prepared_in_6_s(&world, &keyring, || store.count.let_go()).await;
    assert_eq!(serve, 4 * SECOND, "10 s from the moment of asking");
    assert_eq!(store.keys_of_tenant.asked(), asked, "nothing has changed");
}

#[tokio::test]
async fn merged_keys_hold_what_was_read_later() {
    let world = World::new();
    let keyring = world.keyring();
    let prepare = || async {
        keyring
            .prepare(&tenant("t"), &[purpose("email")])
            .await
            .expect("it answers")
    };
    let old = prepare().await;
    world.clock.advance(9 * SECOND);
    let new = prepare().await;
    let phone = keyring.primary("t", "phone").await;
    let ids = keyring
        .prepare_ids(&tenant("t"), &[phone])
        .await
        .expect("it answers");
    world.clock.advance(5 * SECOND);
    let now = world.clock.monotonic();

    assert_eq!(old.primary("email", now).err(), Some(KeyMissing::Stale));
    for merged in [old.clone().merge(new.clone()), new.merge(old)] {
        let merged = merged.merge(ids.clone());
        let email = merged
            .primary("email", now)
            .expect("the later one is fresh")
            .id();
        assert!(merged.find(email, "email", now).is_ok());
        assert!(merged.find(phone, "phone", now).is_ok());
        assert_eq!(
            merged.primary("phone", now).err(),
            Some(KeyMissing::NotPrepared)
        );
    }
}

#[tokio::test]
#[should_panic(expected = "different tenants")]
async fn keys_of_different_tenants_are_never_merged() {
    let keyring = World::new().keyring();
    let prepare = async |at| keyring.prepare(&tenant(at), &[]).await.expect("it answers");
    let _ = prepare("t").await.merge(prepare("u").await);
}

/// As of a search page whose rows stand under many keys.
#[tokio::test]
async fn a_key_that_the_kek_refuses_fails_by_itself() {
    let world = World::new();
    let maker = world.keyring();
    let (good, bad) = (
        maker.primary("t", "email").await,
        maker.primary("t", "phone").await,
    );
    let row = world.store.load(bad).await.expect("it answers");
    let wrapped = row.expect("it is there").wrapped().cloned();
    let wrapped = wrapped.expect("it is not destroyed");
    let damaged = WrappedKey::from_bytes(vec![0; wrapped.as_bytes().len()]);
    let damage = world.store.rewrap(bad, &wrapped, &damaged).await;
    damage.expect("it is as it was");

    let keyring = world.keyring();
    let keys = keyring.prepare_ids(&tenant("t"), &[bad, good]).await;
    let keys = keys.expect("one of them opens");
    let now = keys.clock().monotonic();
    assert!(keys.find(good, "email", now).is_ok());
    let why = keys.find(bad, "phone", now).err();
    assert_eq!(why, Some(KeyMissing::NotOpened));
    let why = keys.find(bad, "email", now).err();
    assert_eq!(why, Some(KeyMissing::Unknown), "of another purpose");
    assert_eq!(keys.purpose_of(bad), Some(&purpose("phone")));

    let sealing = keyring.prepare(&tenant("t"), &[purpose("phone")]).await;
    assert!(matches!(
        sealing,
        Err(PrepareError::Kek(KekError::Rejected))
    ));
    world.kek.set_unreachable(true);
    let outage = world
        .keyring()
        .prepare_ids(&tenant("t"), &[bad, good])
        .await;
    assert!(matches!(
        outage,
        Err(PrepareError::Kek(KekError::Unavailable(_)))
    ));
}
