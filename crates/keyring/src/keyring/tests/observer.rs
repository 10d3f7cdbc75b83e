//! What an operator is told, and what never.

use std::{sync::Mutex, time::SystemTime};

use super::*;
use crate::{
    Transition,
    observer::{EvictionCause, KekOperation, KekOutcome},
    store::{ChangeError, KeyQuery, LoadedKeys},
};

/// Keeps what every event prints.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Vec<String>>);

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        self.0.lock().expect("no panic").push(format!("{event:?}"));
    }
}

impl Recorder {
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }

    /// What was told since the last call, by the names of the events.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |event: &String| event.split(' ').next().map(str::to_owned);
        self.take().iter().filter_map(name).collect()
    }

    /// The one event of that name since the last call.
    pub(super) fn one(&self, name: &str) -> String {
        let mut told = self.take();
        told.retain(|event| event.starts_with(name));
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        told.remove(0)
    }
}

fn observed() -> (World, Arc<Recorder>, Keyring) {
    let (world, recorder) = (World::new(), Arc::new(Recorder::default()));
    let keyring = world.builder().observer(recorder.clone()).build();
    (world, recorder, keyring)
}

#[tokio::test]
async fn a_first_key_is_told_from_the_store_to_the_kek_and_then_found_in_the_cache() {
    let (_world, recorder, keyring) = observed();
    let id = keyring.primary("t", "email").await;
    let told = recorder.take();
    let expected = [
        "StatesRead".to_owned(),
        "KekCalled { operation: Generate".to_owned(),
        format!(
            "KeyGenerated {{ key: KekContext {{ tenant: TenantId(\"t\"), purpose: \
                 Purpose(\"email\"), key_id: {id:?} }}, state: Primary }}"
        ),
        "StatesRead { tenant: TenantId(\"t\"), keys: 1 }".to_owned(),
        "CacheHit".to_owned(),
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(&expected), "{told}");
    }
    assert!(told[1].contains("outcome: Ok, error: None"), "{}", told[1]);
    keyring.primary("t", "email").await;
    assert_eq!(recorder.names(), ["CacheHit"]);
}

#[tokio::test]
async fn preparing_nothing_asks_and_reads_nothing() {
    let (_world, recorder, keyring) = observed();
    let prepared = keyring.prepare(&tenant("t"), &[]).await;
    let prepared = prepared.expect("there is nothing to fail");
    let now = prepared.clock().monotonic();
    assert_eq!(
        prepared.primary("email", now).err(),
        Some(KeyMissing::NotPrepared)
    );
    assert_eq!(recorder.names(), [""; 0]);
}

#[tokio::test]
async fn keys_at_hand_and_others_are_prepared_together() {
    let (world, recorder, keyring) = observed();
    let purposes = ["email", "phone", "name"].map(purpose);
    let other = world.keyring();
    let made = other.prepare(&tenant("t"), &purposes).await;
    made.expect("it answers");
    keyring.primary("t", "phone").await;
    recorder.take();
    let prepared = keyring.prepare(&tenant("t"), &purposes).await;
    let prepared = prepared.expect("it answers");
    let now = prepared.clock().monotonic();
    for purpose in &purposes {
        let key = prepared.primary(purpose.as_str(), now).expect("prepared");
        assert_eq!(key.purpose(), purpose);
        let found = prepared.find(key.id(), purpose.as_str(), now);
        assert_eq!(found.map(PreparedKey::id), Ok(key.id()));
    }
    let told = recorder.names();
    let told_of = |name| told.iter().filter(|told| *told == name).count();
    assert_eq!((told_of("CacheHit"), told_of("CacheMiss")), (1, 2));
}

#[tokio::test]
async fn keys_of_a_tenant_are_read_again_only_when_some_key_has_changed() {
    let (world, recorder, keyring) = observed();
    let mut primaries = Vec::new();
    for tenant in ["t", "u"] {
        primaries.push(keyring.primary(tenant, "email").await);
    }
    let reads = async || {
        recorder.take();
        for tenant in ["t", "u"] {
            keyring.primary(tenant, "email").await;
        }
        let names = recorder.names();
        names.iter().filter(|name| *name == "StatesRead").count()
    };
    for _ in 0..4 {
        world.clock.advance(6 * SECOND);
        assert_eq!(reads().await, 0);
    }

    let other = world.keyring();
    let rotated = other.rotate(&tenant("t"), &purpose("email")).await;
    assert!(
        matches!(rotated, Ok(Rotation::Pending { .. })),
        "{rotated:?}"
    );
    world.clock.advance(15 * SECOND);
    assert_eq!(reads().await, 2);
    let rotated = other.rotate(&tenant("t"), &purpose("email")).await;
    assert!(
        matches!(rotated, Ok(Rotation::Promoted { .. })),
        "{rotated:?}"
    );
    world.clock.advance(5 * SECOND);
    assert_eq!(reads().await, 2);
    assert_ne!(keyring.primary("t", "email").await, primaries[0]);
    world.clock.advance(6 * SECOND);
    assert_eq!(reads().await, 0);
}

#[tokio::test]
async fn a_rotation_tells_the_new_key_and_its_promotion() {
    let (world, recorder, keyring) = observed();
    let old = keyring.primary("t", "email").await;
    recorder.take();
    let rotate = async || {
        keyring
            .rotate(&tenant("t"), &purpose("email"))
            .await
            .expect("a step")
    };
    rotate().await;
    assert!(recorder.one("KeyGenerated").ends_with("state: Pending }"));
    world.clock.advance(15 * SECOND);
    let Rotation::Promoted { key: new, .. } = rotate().await else {
        panic!("15 s are enough")
    };
    let promoted = recorder.one("KeyPromoted");
    assert!(promoted.contains(&format!("key_id: {new:?}")), "{promoted}");
    assert!(
        promoted.ends_with(&format!("demoted: {old:?} }}")),
        "{promoted}"
    );
}

#[tokio::test]
async fn a_change_of_state_is_told_and_so_is_every_request_for_a_key_that_is_refused() {
    let (_world, recorder, keyring, id) = with_an_old_key().await;
    for (state, before) in [
        (KeyState::Disabled, "DecryptOnly"),
        (KeyState::DestroyScheduled, "Disabled"),
        (KeyState::Destroyed, "DestroyScheduled"),
    ] {
        assert!(keyring.find("t", "email", id).await.is_ok() == (before == "DecryptOnly"));
        recorder.take();
        keyring
            .change_state(&tenant("t"), id, state)
            .await
            .expect("a step");
        let told = recorder.take();
        let changed = format!("from: {before}, to: {state:?} }}");
        assert!(
            told.iter().any(|event| event.ends_with(&changed)),
            "{told:?}"
        );
        let evicted = told.iter().any(|event| event.ends_with("cause: State }"));
        assert_eq!(evicted, before == "DecryptOnly", "{told:?}");

        assert!(keyring.find("t", "email", id).await.is_err());
        let refused = recorder.one("RefusedKeyRequested");
        assert!(
            refused.contains(&format!("key: {id:?}, state: {state:?}")),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_request_for_a_key_of_nobody_is_told() {
    let (_world, recorder, keyring) = observed();
    let id = keyring.primary("t", "email").await;
    let nobodys = KeyId::new(!id.value());
    assert!(keyring.find("t", "email", nobodys).await.is_err());
    let unknown = recorder.one("UnknownKeyRequested");
    assert!(unknown.contains(&format!("key: {nobodys:?}")), "{unknown}");
}

#[tokio::test]
async fn an_erasure_is_told_with_the_keys_that_it_drops() {
    let (_world, recorder, keyring) = observed();
    keyring.primary("t", "email").await;
    recorder.take();
    keyring
        .erase_tenant(&tenant("t"))
        .await
        .expect("it answers");
    assert_eq!(recorder.names(), ["TenantErased", "KeyEvicted"]);
}

#[tokio::test]
async fn a_refresh_is_told_with_its_failures_and_how_long_the_key_still_serves() {
    let (world, recorder, keyring) = observed();
    keyring.primary("t", "email").await;
    world.clock.advance(HOUR);
    recorder.take();
    keyring.primary("t", "email").await;
    recorder.one("KeyRefreshed");

    world.kek.set_unreachable(true);
    world.clock.advance(HOUR);
    keyring.primary("t", "email").await;
    let told = recorder.take();
    assert!(
        told.iter()
            .any(|event| event.contains("outcome: Unavailable, error: Some("))
    );
    assert!(
        told.iter()
            .any(|event| event.ends_with("serves_for: 82800s }")),
        "{told:?}"
    );

    world.kek.set_unreachable(false);
    world.kek.refuses.store(true, Ordering::SeqCst);
    world.clock.advance(HOUR);
    assert!(
        keyring
            .prepare(&tenant("t"), &[purpose("email")])
            .await
            .is_err()
    );
    assert!(recorder.one("RefreshFailed").ends_with("serves_for: 0ns }"));
}

#[tokio::test]
async fn a_key_that_is_dropped_for_its_age_or_for_want_of_room_is_told() {
    let (world, recorder, keyring) = observed();
    keyring.primary("t", "email").await;
    world.clock.advance(24 * HOUR);
    recorder.take();
    keyring.primary("t", "email").await;
    assert!(recorder.one("KeyEvicted").ends_with("cause: Age }"));

    let capacity = NonZeroUsize::new(10).expect("not zero");
    let builder = world.builder().observer(recorder.clone());
    let keyring = builder.cache_capacity(capacity).build();
    for at in 0..1_000 {
        keyring.primary(&format!("tenant-{at}"), "email").await;
    }
    let told = recorder.take();
    let evicted = told
        .iter()
        .filter(|event| event.ends_with("cause: Capacity }"));
    assert!(evicted.count() > 700);
}

#[tokio::test]
async fn the_use_of_keys_that_went_stale_is_told() {
    let (world, recorder, keyring) = observed();
    let keys = keyring
        .prepare(&tenant("t"), &[purpose("email")])
        .await
        .expect("it answers");
    world.clock.advance(10 * SECOND);
    recorder.take();
    let stale = keys.primary("email", world.clock.monotonic());
    assert_eq!(stale.err(), Some(KeyMissing::Stale));
    assert_eq!(recorder.names(), ["StatesStale"]);
}

#[tokio::test]
async fn a_key_that_is_wrapped_again_is_told() {
    let (_world, recorder, keyring) = observed();
    let id = keyring.primary("t", "email").await;
    recorder.take();
    keyring.rewrap(id).await.expect("it rewraps");
    assert_eq!(recorder.names(), ["KekCalled", "KeyRewrapped"]);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told() {
    let recorder = Arc::new(Recorder::default());
    let world = World::new();
    let keyring = Keyring::builder(world.kek.clone(), Arc::new(Broken))
        .observer(recorder.clone())
        .build();
    let answer = keyring.prepare(&tenant("t"), &[purpose("email")]).await;
    assert!(matches!(answer, Err(PrepareError::Store(_))));
    assert!(recorder.one("StatesUnavailable").contains("told to be"));
}

#[tokio::test]
async fn no_event_holds_a_key_wrapped_or_not() {
    let (world, recorder, keyring, old) = with_an_old_key().await;
    let new = keyring.primary("t", "email").await;
    let mut secrets = Vec::new();
    for id in [old, new] {
        let keys = keyring
            .prepare_ids(&tenant("t"), &[id])
            .await
            .expect("it answers");
        let key = keys
            .find(id, "email", world.clock.monotonic())
            .expect("it opens");
        // EXPOSE: searched for in what is printed.
        secrets.push(key.data_key().hazmat_export().to_vec());
        let stored = world
            .store
            .load(id)
            .await
            .expect("it answers")
            .expect("it is there");
        secrets.push(stored.wrapped().expect("it is wrapped").as_bytes()[18..].to_vec());
    }
    keyring.rewrap(new).await.expect("it rewraps");
    world.kek.set_unreachable(true);
    world.clock.advance(HOUR);
    keyring.primary("t", "email").await;
    keyring
        .change_state(&tenant("t"), old, KeyState::Disabled)
        .await
        .expect("a step");
    assert!(keyring.find("t", "email", old).await.is_err());
    keyring
        .erase_tenant(&tenant("t"))
        .await
        .expect("it answers");

    let told = recorder.take().join("\n");
    for secret in secrets {
        let decimal = format!("{:?}", &secret[..8]);
        for spelled in [hex::encode(&secret[..8]), decimal.replace(['[', ']'], "")] {
            assert!(!told.contains(&spelled), "{told}");
        }
    }
}

#[test]
fn labels_are_distinct_and_plain() {
    let operations = KekOperation::ALL.map(KekOperation::as_str);
    let outcomes = KekOutcome::ALL.map(KekOutcome::as_str);
    let causes = EvictionCause::ALL.map(EvictionCause::as_str);
    for labels in [&operations[..], &outcomes, &causes] {
        let distinct: std::collections::BTreeSet<_> = labels.iter().collect();
        assert_eq!(distinct.len(), labels.len());
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(labels.iter().all(|label| label.bytes().all(plain)));
    }
}

/// An observed keyring whose tenant `t` has a key that was rotated out, and its id.
async fn with_an_old_key() -> (World, Arc<Recorder>, Keyring, KeyId) {
    let (world, recorder, keyring) = observed();
    let old = keyring.primary("t", "email").await;
    for _ in 0..2 {
        keyring
            .rotate(&tenant("t"), &purpose("email"))
            .await
            .expect("a step");
        world.clock.advance(15 * SECOND);
    }
    (world, recorder, keyring, old)
}

/// A store that nobody can reach.
#[derive(Debug)]
struct Broken;

fn broken() -> StoreError {
    StoreError::Unavailable("told to be".into())
}

#[async_trait]
impl DekStore for Broken {
    async fn insert(&self, _: &StoredKey) -> Result<(), InsertError> {
        Err(broken().into())
    }

    async fn load(&self, _: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Err(broken())
    }

    async fn load_tenant(&self, _: &TenantId) -> Result<LoadedKeys, StoreError> {
        Err(broken())
    }

    async fn list(&self, _: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        Err(broken())
    }

    async fn promote(&self, _: KeyId, _: KeyId, _: SystemTime) -> Result<(), ChangeError> {
        Err(broken().into())
    }

    async fn change(&self, _: KeyId, _: Transition, _: SystemTime) -> Result<(), ChangeError> {
        Err(broken().into())
    }

    async fn rewrap(&self, _: KeyId, _: &WrappedKey, _: &WrappedKey) -> Result<(), ChangeError> {
        Err(broken().into())
    }

    async fn erase_tenant(&self, _: &TenantId, _: SystemTime) -> Result<(), StoreError> {
        Err(broken())
    }
}
