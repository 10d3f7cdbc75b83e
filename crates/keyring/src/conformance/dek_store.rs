//! What every [`DekStore`] has to do.

use std::{
    num::NonZeroU32,
    slice,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;

use super::{clause, context};
use crate::{
    KeyId, KeyState, TenantId, Transition,
    kek::WrappedKey,
    store::{ChangeError, DekStore, InsertError, StoreError, StoredKey},
};

/// Checks a store against the contract of [`DekStore`]; `make` makes an empty one for each clause.
///
/// # Panics
/// When the store breaks a clause, with its name.
pub async fn dek_store(make: impl AsyncFn() -> Arc<dyn DekStore>) {
    let store = make().await;
    clause(
        "what is inserted is read back",
        what_is_inserted_is_read_back(&*store),
    )
    .await;
    let store = make().await;
    clause("a key id is used once", a_key_id_is_used_once(&*store)).await;
    let store = make().await;
    clause(
        "a tenant and purpose have one primary and one pending key",
        a_tenant_and_purpose_have_one_primary_and_one_pending_key(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "a tenant is read whole and alone",
        a_tenant_is_read_whole_and_alone(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "pages follow the key ids",
        pages_follow_the_key_ids(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "a promotion swaps two keys",
        a_promotion_swaps_two_keys(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "a promotion that is not legal changes nothing",
        a_promotion_that_is_not_legal_changes_nothing(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "a change starts from the state it names",
        a_change_starts_from_the_state_it_names(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "a destroyed key keeps its id alone",
        a_destroyed_key_keeps_its_id_alone(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "a rewrap replaces what it read",
        a_rewrap_replaces_what_it_read(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "an erased tenant keeps tombstones and gets no key",
        an_erased_tenant_keeps_tombstones_and_gets_no_key(&*store),
    )
    .await;
    let store = make().await;
    clause(
        "of changes made at once one wins",
        of_changes_made_at_once_one_wins(&*store),
    )
    .await;
}

use KeyState::*;

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a name")
}

pub(crate) fn key(id: u32, at: &str, purpose: &str, state: KeyState) -> StoredKey {
    let context = context(at, purpose, id);
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

fn ids(keys: Result<Vec<StoredKey>, StoreError>) -> Vec<u32> {
    keys.expect("it answers")
        .iter()
        .map(|key| key.id().value())
        .collect()
}

async fn what_is_inserted_is_read_back(store: &dyn DekStore) {
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

async fn a_key_id_is_used_once(store: &dyn DekStore) {
    for state in KeyState::ALL {
        let first = key(state as u32, "t", "email", state);
        insert(store, slice::from_ref(&first)).await;
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

async fn a_tenant_and_purpose_have_one_primary_and_one_pending_key(store: &dyn DekStore) {
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

async fn a_tenant_is_read_whole_and_alone(store: &dyn DekStore) {
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

async fn pages_follow_the_key_ids(store: &dyn DekStore) {
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

async fn a_promotion_swaps_two_keys(store: &dyn DekStore) {
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

async fn a_promotion_that_is_not_legal_changes_nothing(store: &dyn DekStore) {
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

async fn a_change_starts_from_the_state_it_names(store: &dyn DekStore) {
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

async fn a_destroyed_key_keeps_its_id_alone(store: &dyn DekStore) {
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

async fn a_rewrap_replaces_what_it_read(store: &dyn DekStore) {
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

async fn an_erased_tenant_keeps_tombstones_and_gets_no_key(store: &dyn DekStore) {
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

async fn of_changes_made_at_once_one_wins(store: &dyn DekStore) {
    let made: Vec<_> = (0..8).map(|id| key(id, "t", "email", Primary)).collect();
    let answers = join_all(made.iter().map(|key| store.insert(key))).await;
    let lost = |answer: &&Result<(), InsertError>| matches!(answer, Err(InsertError::StateTaken));
    assert_eq!(answers.iter().filter(lost).count(), 7);
    let left = store.load_tenant(&tenant("t")).await.expect("it answers");
    assert_eq!(left.len(), 1);

    let old = left[0].id();
    let pending = key(100, "t", "email", Pending);
    insert(store, slice::from_ref(&pending)).await;
    let answers = join_all((0..8).map(|_| store.promote(old, pending.id()))).await;
    let lost = |answer: &&Result<(), ChangeError>| matches!(answer, Err(ChangeError::Conflict));
    assert_eq!(answers.iter().filter(lost).count(), 7);
    assert_eq!(state(store, 100).await, Primary);
}
