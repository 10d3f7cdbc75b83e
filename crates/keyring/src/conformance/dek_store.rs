//! What every [`DekStore`] has to do.

mod damage;
mod queries;
mod times;

use std::{
    mem,
    num::NonZeroU32,
    slice,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;

use self::{
    queries::{a_query_lists_what_it_asks_for, some_keys_are_loaded_together},
    times::the_time_of_a_state_is_kept_with_it,
};
use super::{Clause, clauses, context};
use crate::{
    KeyId, KeyState, TenantId, Transition,
    kek::WrappedKey,
    store::{ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoredKey},
};

pub use self::damage::damaged_key;

/// Checks a store against the contract of [`DekStore`]; `make` makes an empty one for each clause.
///
/// # Panics
/// The store breaks the contract, or fails. The message names the clause.
pub async fn dek_store(make: impl AsyncFn() -> Arc<dyn DekStore>) {
    clauses! { "DekStore";
        what_is_inserted_is_read_back(&*make().await);
        a_key_id_is_used_once(&*make().await);
        a_tenant_and_purpose_have_one_primary_and_one_pending_key(&*make().await);
        a_tenant_is_read_whole_and_alone(&*make().await);
        pages_follow_the_key_ids(&*make().await);
        a_promotion_swaps_two_keys(&*make().await);
        a_promotion_that_is_not_legal_changes_nothing(&*make().await);
        a_change_starts_from_the_state_it_names(&*make().await);
        a_destroyed_key_keeps_its_id_alone(&*make().await);
        a_rewrap_replaces_what_it_read(&*make().await);
        an_erased_tenant_keeps_tombstones_and_gets_no_key(&*make().await);
        of_changes_made_at_once_one_wins(&*make().await);
        a_number_of_changes_grows_with_each(&*make().await);
        some_keys_are_loaded_together(&*make().await);
        a_query_lists_what_it_asks_for(&*make().await);
        the_time_of_a_state_is_kept_with_it(&*make().await);
    }
}

use KeyState::*;

/// Stores that do not count have nothing to do.
async fn a_number_of_changes_grows_with_each(clause: Clause, store: &dyn DekStore) {
    let number = async || clause.done("changes", store.changes().await);
    let Some(mut before) = number().await else {
        return;
    };
    let mut grew = async |what: &str| {
        let now = number().await;
        let grown = now.is_some_and(|now| now > before);
        clause.holds(grown, format_args!("{what}: {before}, then {now:?}"));
        before = now.unwrap_or(before);
    };
    insert(clause, store, &[key(1, "t", "email", Primary)]).await;
    insert(clause, store, &[key(2, "t", "email", Pending)]).await;
    grew("a pending key was added").await;
    clause.done(
        "promote",
        store.promote(KeyId::new(1), KeyId::new(2), AT).await,
    );
    grew("a key was promoted").await;
    let disable = step(DecryptOnly, Disabled);
    clause.done("change", store.change(KeyId::new(1), disable, AT).await);
    grew("a key was disabled").await;
    let (old, new) = (2_u32.to_be_bytes().to_vec(), vec![7]);
    let (old, new) = (WrappedKey::from_bytes(old), WrappedKey::from_bytes(new));
    clause.done("rewrap", store.rewrap(KeyId::new(2), &old, &new).await);
    grew("a key was wrapped again").await;
    clause.done("erase_tenant", store.erase_tenant(&tenant("t"), AT).await);
    grew("a tenant was erased").await;

    clause.same("after reading", number().await, Some(before));
}

/// When keys change.
const AT: SystemTime = SystemTime::UNIX_EPOCH;

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

fn step(from: KeyState, to: KeyState) -> Transition {
    Transition::new(from, to).expect("a step")
}

async fn insert(clause: Clause, store: &dyn DekStore, keys: &[StoredKey]) {
    for key in keys {
        clause.done("insert", store.insert(key).await);
    }
}

async fn load(clause: Clause, store: &dyn DekStore, id: u32) -> Option<StoredKey> {
    clause.done("load", store.load(KeyId::new(id)).await)
}

async fn state(clause: Clause, store: &dyn DekStore, id: u32) -> KeyState {
    let key = load(clause, store, id).await;
    let key = key.unwrap_or_else(|| clause.fails(format_args!("key {id} is not there")));
    key.state()
}

async fn all(clause: Clause, store: &dyn DekStore) -> Vec<StoredKey> {
    let every = KeyQuery::all(NonZeroU32::MAX);
    keys(clause, clause.done("list", store.list(&every).await))
}

async fn of_tenant(clause: Clause, store: &dyn DekStore, name: &str) -> Vec<StoredKey> {
    let loaded = store.load_tenant(&tenant(name)).await;
    keys(clause, clause.done("load_tenant", loaded))
}

/// Of a store in which nothing is damaged.
fn keys(clause: Clause, loaded: LoadedKeys) -> Vec<StoredKey> {
    clause.same("damaged keys", loaded.damaged, []);
    loaded.keys
}

fn ids(keys: &[StoredKey]) -> Vec<u32> {
    keys.iter().map(|key| key.id().value()).collect()
}

async fn is_refused(clause: Clause, store: &dyn DekStore, key: &StoredKey, expected: InsertError) {
    let answer = store.insert(key).await;
    let expected = mem::discriminant(&expected);
    let refused = matches!(&answer, Err(error) if mem::discriminant(error) == expected);
    clause.holds(refused, format_args!("insert, {}: {answer:?}", key.state()));
}

fn is_conflict(clause: Clause, what: &str, answer: Result<(), ChangeError>) {
    let seen = format_args!("{what}: {answer:?}, not a conflict");
    clause.holds(matches!(answer, Err(ChangeError::Conflict)), seen);
}

async fn what_is_inserted_is_read_back(clause: Clause, store: &dyn DekStore) {
    for (id, state) in [0, 1, 2, 3, 4, u32::MAX].into_iter().zip(KeyState::ALL) {
        let key = key(id, "t", "email", state);
        insert(clause, store, slice::from_ref(&key)).await;
        let loaded = load(clause, store, id).await;
        clause.same(state.as_str(), loaded, Some(key));
    }
    clause.same("never inserted", load(clause, store, 99).await, None);
}

async fn a_key_id_is_used_once(clause: Clause, store: &dyn DekStore) {
    for state in KeyState::ALL {
        let id = state as u32;
        let first = key(id, "t", "email", state);
        insert(clause, store, slice::from_ref(&first)).await;
        let second = key(id, "u", "phone", DecryptOnly);
        is_refused(clause, store, &second, InsertError::IdTaken).await;
        let loaded = load(clause, store, id).await;
        clause.same(state.as_str(), loaded, Some(first));
    }
}

async fn a_tenant_and_purpose_have_one_primary_and_one_pending_key(
    clause: Clause,
    store: &dyn DekStore,
) {
    let both = [key(1, "t", "email", Primary), key(2, "t", "email", Pending)];
    insert(clause, store, &both).await;
    for state in [Primary, Pending] {
        let another = key(3, "t", "email", state);
        is_refused(clause, store, &another, InsertError::StateTaken).await;
    }
    clause.same("the refused one", load(clause, store, 3).await, None);
    let others = [
        key(4, "t", "phone", Primary),
        key(5, "u", "email", Primary),
        key(6, "t", "email", DecryptOnly),
        key(7, "t", "email", DecryptOnly),
    ];
    insert(clause, store, &others).await;
}

async fn a_tenant_is_read_whole_and_alone(clause: Clause, store: &dyn DekStore) {
    let keys = [
        key(9, "t", "email", Primary),
        key(3, "t", "email", Destroyed),
        key(5, "u", "email", Primary),
        key(4, "t", "phone", Disabled),
    ];
    insert(clause, store, &keys).await;
    for (name, expected) in [("t", &[3, 4, 9][..]), ("u", &[5]), ("T", &[])] {
        let keys = of_tenant(clause, store, name).await;
        clause.same(name, ids(&keys), expected);
    }
}

async fn pages_follow_the_key_ids(clause: Clause, store: &dyn DekStore) {
    let is_page = async |after: Option<u32>, limit, expected: &[u32]| {
        let size = NonZeroU32::new(limit).expect("not zero");
        let mut query = KeyQuery::all(size);
        if let Some(after) = after {
            query = query.after(KeyId::new(after));
        }
        let page = clause.done("list", store.list(&query).await);
        let what = format!("{limit} after {after:?}");
        let last = expected.last().copied().map(KeyId::new);
        clause.same(&what, page.last_id(), last);
        clause.same(&what, ids(&keys(clause, page)), expected);
    };
    is_page(None, 10, &[]).await;
    let keys = [
        key(u32::MAX, "u", "email", Primary),
        key(0, "t", "email", Primary),
        key(7, "t", "email", Destroyed),
    ];
    insert(clause, store, &keys).await;
    is_page(None, 10, &[0, 7, u32::MAX]).await;
    is_page(None, 2, &[0, 7]).await;
    is_page(Some(0), 1, &[7]).await;
    is_page(Some(7), 2, &[u32::MAX]).await;
    is_page(Some(u32::MAX), 2, &[]).await;
}

async fn a_promotion_swaps_two_keys(clause: Clause, store: &dyn DekStore) {
    let both = [key(1, "t", "email", Primary), key(2, "t", "email", Pending)];
    insert(clause, store, &both).await;
    for (old, new) in [(1, 2), (2, 1)] {
        let promoted = store.promote(KeyId::new(old), KeyId::new(new), AT).await;
        clause.done("promote", promoted);
        clause.same("the old", state(clause, store, old).await, DecryptOnly);
        clause.same("the new", state(clause, store, new).await, Primary);
    }
}

async fn a_promotion_that_is_not_legal_changes_nothing(clause: Clause, store: &dyn DekStore) {
    let keys = [
        key(1, "t", "email", Primary),
        key(2, "t", "email", Pending),
        key(3, "t", "phone", Pending),
        key(4, "u", "email", Pending),
        key(5, "t", "email", Disabled),
        key(6, "t", "email", Destroyed),
    ];
    insert(clause, store, &keys).await;
    let before = all(clause, store).await;
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
        let what = format!("promote {old} to {new}");
        let answer = store.promote(KeyId::new(old), KeyId::new(new), AT).await;
        is_conflict(clause, &what, answer);
        clause.same(&what, &all(clause, store).await, &before);
    }
}

async fn a_change_starts_from_the_state_it_names(clause: Clause, store: &dyn DekStore) {
    insert(clause, store, &[key(1, "t", "email", DecryptOnly)]).await;
    let id = KeyId::new(1);
    for (from, to) in [
        (DecryptOnly, Disabled),
        (Disabled, DestroyScheduled),
        (DestroyScheduled, Disabled),
        (Disabled, DecryptOnly),
    ] {
        let what = format!("{from} to {to}");
        clause.done(&what, store.change(id, step(from, to), AT).await);
        clause.same(&what, state(clause, store, 1).await, to);
        is_conflict(clause, &what, store.change(id, step(from, to), AT).await);
        clause.same(&what, state(clause, store, 1).await, to);
    }
    let unknown = store.change(KeyId::new(2), step(Disabled, DecryptOnly), AT);
    is_conflict(clause, "an unknown key", unknown.await);
}

async fn a_destroyed_key_keeps_its_id_alone(clause: Clause, store: &dyn DekStore) {
    let keys = [
        key(1, "t", "email", DestroyScheduled),
        key(2, "t", "email", Pending),
    ];
    insert(clause, store, &keys).await;
    for (id, from) in [(1, DestroyScheduled), (2, Pending)] {
        let changed = store
            .change(KeyId::new(id), step(from, Destroyed), AT)
            .await;
        clause.done("change", changed);
        let left = load(clause, store, id).await;
        let left = left.unwrap_or_else(|| clause.fails("there is no tombstone"));
        let seen = (left.state(), left.wrapped());
        clause.same("what is left", seen, (Destroyed, None));
    }
}

async fn a_rewrap_replaces_what_it_read(clause: Clause, store: &dyn DekStore) {
    let old = key(1, "t", "email", Primary);
    let keys = [old.clone(), key(2, "t", "email", Destroyed)];
    insert(clause, store, &keys).await;
    let old = old.wrapped().expect("it is not destroyed");
    let new = WrappedKey::from_bytes(b"new".to_vec());
    let rewrapped = store.rewrap(KeyId::new(1), old, &new).await;
    clause.done("rewrap", rewrapped);
    let loaded = load(clause, store, 1).await;
    let loaded = loaded.unwrap_or_else(|| clause.fails("the key is not there"));
    let seen = (loaded.wrapped(), loaded.state());
    clause.same("the key", seen, (Some(&new), Primary));
    for (id, what) in [(1, "rewrapped"), (2, "destroyed"), (3, "unknown")] {
        let answer = store.rewrap(KeyId::new(id), old, &new).await;
        is_conflict(clause, what, answer);
    }
}

async fn an_erased_tenant_keeps_tombstones_and_gets_no_key(clause: Clause, store: &dyn DekStore) {
    let keys = KeyState::ALL.map(|state| key(state as u32, "t", "email", state));
    insert(clause, store, &keys).await;
    insert(clause, store, &[key(50, "u", "email", Primary)]).await;
    for _ in 0..2 {
        clause.done("erase_tenant", store.erase_tenant(&tenant("t"), AT).await);
        let left = of_tenant(clause, store, "t").await;
        clause.same("tombstones", left.len(), keys.len());
        for key in left {
            let seen = (key.state(), key.wrapped());
            clause.same("a tombstone", seen, (Destroyed, None));
        }
    }
    let late = key(60, "t", "phone", Primary);
    is_refused(clause, store, &late, InsertError::TenantErased).await;

    let never_seen = store.erase_tenant(&tenant("never-seen"), AT).await;
    clause.done("erase_tenant, never seen", never_seen);
    let late = key(61, "never-seen", "phone", Primary);
    is_refused(clause, store, &late, InsertError::TenantErased).await;
    let other = state(clause, store, 50).await;
    clause.same("a key of another tenant", other, Primary);
}

async fn of_changes_made_at_once_one_wins(clause: Clause, store: &dyn DekStore) {
    let made: Vec<_> = (0..8).map(|id| key(id, "t", "email", Primary)).collect();
    let answers = join_all(made.iter().map(|key| store.insert(key))).await;
    let lost = |answer: &&Result<(), InsertError>| matches!(answer, Err(InsertError::StateTaken));
    let lost = answers.iter().filter(lost).count();
    clause.same("primaries that came too late", lost, 7);
    let left = of_tenant(clause, store, "t").await;
    clause.same("primaries", left.len(), 1);

    let old = left[0].id();
    let pending = key(100, "t", "email", Pending);
    insert(clause, store, slice::from_ref(&pending)).await;
    let answers = join_all((0..8).map(|_| store.promote(old, pending.id(), AT))).await;
    let lost = |answer: &&Result<(), ChangeError>| matches!(answer, Err(ChangeError::Conflict));
    let lost = answers.iter().filter(lost).count();
    clause.same("promotions that came too late", lost, 7);
    let promoted = state(clause, store, 100).await;
    clause.same("the promoted key", promoted, Primary);
}
