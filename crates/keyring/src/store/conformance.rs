//! What every [`DekStore`] has to do: [`conformance!`] makes the tests for an implementation.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use super::{ChangeError, DekStore, InsertError, StoredKey};
use crate::{KekContext, KeyId, KeyState, Purpose, TenantId, Transition, WrappedKey};

/// Takes the name of an async function that makes an empty store, with whatever keeps it alive.
macro_rules! conformance {
    ($make:ident) => {
        $crate::store::conformance::conformance!($make:
            what_is_inserted_is_read_back,
            a_key_id_is_used_once,
            a_place_has_one_primary_and_one_pending_key,
            a_tenant_is_read_whole_and_alone,
            pages_follow_the_key_ids,
            a_promotion_swaps_two_keys,
            a_promotion_out_of_place_changes_nothing,
            a_change_starts_from_the_state_it_names,
            a_destroyed_key_keeps_its_id_alone,
            a_rewrap_replaces_what_it_read,
            an_erased_tenant_keeps_tombstones_and_gets_no_key
        );
    };
    ($make:ident: $($property:ident),+) => {
        $(#[tokio::test]
        async fn $property() {
            let (store, _alive) = $make().await;
            $crate::store::conformance::$property(&store).await;
        })+
    };
}
pub(crate) use conformance;

use KeyState::*;

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a name")
}

pub(crate) fn key(id: u32, at: &str, purpose: &str, state: KeyState) -> StoredKey {
    let purpose = Purpose::new(purpose).expect("a name");
    let context = KekContext::new(tenant(at), purpose, KeyId::new(id));
    let created_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_750_000_000_123);
    StoredKey::new(
        context,
        state,
        WrappedKey::from_bytes(id.to_be_bytes().to_vec()),
        created_at,
    )
}

async fn insert(store: &dyn DekStore, keys: &[StoredKey]) {
    for key in keys {
        store.insert(key).await.expect("there is room for the key");
    }
}

async fn state(store: &dyn DekStore, id: u32) -> KeyState {
    store
        .load(KeyId::new(id))
        .await
        .expect("it answers")
        .expect("the key is there")
        .state()
}

fn ids(keys: Result<Vec<StoredKey>, super::StoreError>) -> Vec<u32> {
    keys.expect("it answers")
        .iter()
        .map(|key| key.id().value())
        .collect()
}

pub(crate) async fn what_is_inserted_is_read_back(store: &dyn DekStore) {
    for (id, state) in [0, 1, 2, 3, 4, u32::MAX].into_iter().zip(KeyState::ALL) {
        let key = key(id, "t", "email", state);
        store.insert(&key).await.expect("there is room for the key");
        assert_eq!(
            store.load(KeyId::new(id)).await.expect("it answers"),
            Some(key)
        );
    }
    assert_eq!(store.load(KeyId::new(99)).await.expect("it answers"), None);
}

pub(crate) async fn a_key_id_is_used_once(store: &dyn DekStore) {
    for state in KeyState::ALL {
        let first = key(state as u32, "t", "email", state);
        insert(store, std::slice::from_ref(&first)).await;
        let answer = store
            .insert(&key(state as u32, "u", "phone", DecryptOnly))
            .await;
        assert!(matches!(answer, Err(InsertError::IdTaken)), "{state}");
        assert_eq!(
            store.load(first.id()).await.expect("it answers"),
            Some(first)
        );
    }
}

pub(crate) async fn a_place_has_one_primary_and_one_pending_key(store: &dyn DekStore) {
    insert(
        store,
        &[key(1, "t", "email", Primary), key(2, "t", "email", Pending)],
    )
    .await;
    for state in [Primary, Pending] {
        let answer = store.insert(&key(3, "t", "email", state)).await;
        assert!(matches!(answer, Err(InsertError::StateTaken)), "{state}");
    }
    assert_eq!(store.load(KeyId::new(3)).await.expect("it answers"), None);
    insert(
        store,
        &[
            key(4, "t", "phone", Primary),
            key(5, "u", "email", Primary),
            key(6, "t", "email", DecryptOnly),
            key(7, "t", "email", DecryptOnly),
        ],
    )
    .await;
}

pub(crate) async fn a_tenant_is_read_whole_and_alone(store: &dyn DekStore) {
    insert(
        store,
        &[
            key(9, "t", "email", Primary),
            key(3, "t", "email", Destroyed),
            key(5, "u", "email", Primary),
            key(4, "t", "phone", Disabled),
        ],
    )
    .await;
    assert_eq!(ids(store.load_tenant(&tenant("t")).await), [3, 4, 9]);
    assert_eq!(ids(store.load_tenant(&tenant("u")).await), [5]);
    assert!(ids(store.load_tenant(&tenant("T")).await).is_empty());
}

pub(crate) async fn pages_follow_the_key_ids(store: &dyn DekStore) {
    let page = |after: Option<u32>, limit| {
        let limit = NonZeroU32::new(limit).expect("not zero");
        async move { ids(store.list(after.map(KeyId::new), limit).await) }
    };
    assert!(page(None, 10).await.is_empty());
    insert(
        store,
        &[
            key(u32::MAX, "u", "email", Primary),
            key(0, "t", "email", Primary),
            key(7, "t", "email", Destroyed),
        ],
    )
    .await;
    assert_eq!(page(None, 10).await, [0, 7, u32::MAX]);
    assert_eq!(page(None, 2).await, [0, 7]);
    assert_eq!(page(Some(0), 1).await, [7]);
    assert_eq!(page(Some(7), 2).await, [u32::MAX]);
    assert!(page(Some(u32::MAX), 2).await.is_empty());
}

pub(crate) async fn a_promotion_swaps_two_keys(store: &dyn DekStore) {
    insert(
        store,
        &[key(1, "t", "email", Primary), key(2, "t", "email", Pending)],
    )
    .await;
    let (one, two) = (KeyId::new(1), KeyId::new(2));
    store
        .promote(one, two)
        .await
        .expect("a pending key is promoted");
    assert_eq!(
        (state(store, 1).await, state(store, 2).await),
        (DecryptOnly, Primary)
    );
    store
        .promote(two, one)
        .await
        .expect("an old key is promoted again");
    assert_eq!(
        (state(store, 1).await, state(store, 2).await),
        (Primary, DecryptOnly)
    );
}

pub(crate) async fn a_promotion_out_of_place_changes_nothing(store: &dyn DekStore) {
    insert(
        store,
        &[
            key(1, "t", "email", Primary),
            key(2, "t", "email", Pending),
            key(3, "t", "phone", Pending),
            key(4, "u", "email", Pending),
            key(5, "t", "email", Disabled),
            key(6, "t", "email", Destroyed),
        ],
    )
    .await;
    let before = store.list(None, NonZeroU32::MAX).await.expect("it answers");
    for (old, new) in [
        (1, 1),
        (1, 3),
        (1, 4),
        (1, 5),
        (1, 6),
        (1, 9),
        (2, 1),
        (5, 2),
        (9, 2),
    ] {
        let answer = store.promote(KeyId::new(old), KeyId::new(new)).await;
        assert!(
            matches!(answer, Err(ChangeError::Conflict)),
            "{old} to {new}"
        );
        assert_eq!(
            store.list(None, NonZeroU32::MAX).await.expect("it answers"),
            before
        );
    }
}

pub(crate) async fn a_change_starts_from_the_state_it_names(store: &dyn DekStore) {
    insert(store, &[key(1, "t", "email", DecryptOnly)]).await;
    let id = KeyId::new(1);
    let step = |from, to| Transition::new(from, to).expect("a step");
    for (from, to) in [
        (DecryptOnly, Disabled),
        (Disabled, DestroyScheduled),
        (DestroyScheduled, Disabled),
        (Disabled, DecryptOnly),
    ] {
        store
            .change(id, step(from, to))
            .await
            .expect("the key is in that state");
        assert_eq!(state(store, 1).await, to);
        let again = store.change(id, step(from, to)).await;
        assert!(
            matches!(again, Err(ChangeError::Conflict)),
            "{from} to {to}"
        );
        assert_eq!(state(store, 1).await, to);
    }
    let unknown = store
        .change(KeyId::new(2), step(Disabled, DecryptOnly))
        .await;
    assert!(matches!(unknown, Err(ChangeError::Conflict)));
}

pub(crate) async fn a_destroyed_key_keeps_its_id_alone(store: &dyn DekStore) {
    insert(
        store,
        &[
            key(1, "t", "email", DestroyScheduled),
            key(2, "t", "email", Pending),
        ],
    )
    .await;
    for (id, from) in [(1, DestroyScheduled), (2, Pending)] {
        let step = Transition::new(from, Destroyed).expect("a step");
        store
            .change(KeyId::new(id), step)
            .await
            .expect("the key is in that state");
        let left = store
            .load(KeyId::new(id))
            .await
            .expect("it answers")
            .expect("a tombstone");
        assert_eq!((left.state(), left.wrapped()), (Destroyed, None));
    }
}

pub(crate) async fn a_rewrap_replaces_what_it_read(store: &dyn DekStore) {
    let old = key(1, "t", "email", Primary);
    insert(store, &[old.clone(), key(2, "t", "email", Destroyed)]).await;
    let old = old.wrapped().expect("it is not destroyed");
    let new = WrappedKey::from_bytes(b"new".to_vec());
    store
        .rewrap(KeyId::new(1), old, &new)
        .await
        .expect("nobody changed it");
    let loaded = store
        .load(KeyId::new(1))
        .await
        .expect("it answers")
        .expect("the key is there");
    assert_eq!((loaded.wrapped(), loaded.state()), (Some(&new), Primary));
    for id in [1, 2, 3] {
        let answer = store.rewrap(KeyId::new(id), old, &new).await;
        assert!(matches!(answer, Err(ChangeError::Conflict)), "{id}");
    }
}

pub(crate) async fn an_erased_tenant_keeps_tombstones_and_gets_no_key(store: &dyn DekStore) {
    let states = [
        Pending,
        Primary,
        DecryptOnly,
        Disabled,
        DestroyScheduled,
        Destroyed,
    ];
    for state in states {
        insert(store, &[key(state as u32, "t", "email", state)]).await;
    }
    insert(store, &[key(50, "u", "email", Primary)]).await;
    for _ in 0..2 {
        store.erase_tenant(&tenant("t")).await.expect("it answers");
        let left = store.load_tenant(&tenant("t")).await.expect("it answers");
        assert_eq!(left.len(), states.len());
        assert!(
            left.iter()
                .all(|key| key.state() == Destroyed && key.wrapped().is_none())
        );
    }
    let answer = store.insert(&key(60, "t", "phone", Primary)).await;
    assert!(matches!(answer, Err(InsertError::TenantErased)));
    store
        .erase_tenant(&tenant("never-seen"))
        .await
        .expect("it answers");
    let answer = store.insert(&key(61, "never-seen", "phone", Primary)).await;
    assert!(matches!(answer, Err(InsertError::TenantErased)));
    assert_eq!(state(store, 50).await, Primary);
}
