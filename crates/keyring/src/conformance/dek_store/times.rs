//! Since when a key is in its state.

use super::*;

/// A time of day, some seconds after [`AT`].
fn at(seconds: u64) -> SystemTime {
    AT + Duration::from_millis(1_800_000_000_456) + Duration::from_secs(seconds)
}

async fn since(clause: Clause, store: &dyn DekStore, id: u32) -> SystemTime {
    let key = load(clause, store, id).await;
    let key = key.unwrap_or_else(|| clause.fails(format_args!("key {id} is not there")));
    key.state_since()
}

pub(super) async fn the_time_of_a_state_is_kept_with_it(clause: Clause, store: &dyn DekStore) {
    let keys = [
        key(1, "t", "email", Primary),
        key(2, "t", "email", Pending).since(at(1)),
        key(3, "t", "phone", Destroyed).since(at(2)),
    ];
    insert(clause, store, &keys).await;
    let is = async |what: &str, id: u32, expected: SystemTime| {
        clause.same(what, since(clause, store, id).await, expected);
    };
    is("of a new key", 1, keys[0].created_at()).await;
    is("of a key that is older than its state", 2, at(1)).await;
    let whole = load(clause, store, 2).await;
    clause.same("the key", whole.as_ref(), Some(&keys[1]));

    let (old, new) = (KeyId::new(1), KeyId::new(2));
    clause.done("promote", store.promote(old, new, at(10)).await);
    is("of the promoted key", 2, at(10)).await;
    is("of the demoted key", 1, at(10)).await;
    let made = load(clause, store, 2).await.map(|key| key.created_at());
    clause.same("when it was made", made, Some(keys[1].created_at()));

    let disable = step(DecryptOnly, Disabled);
    clause.done("change", store.change(old, disable, at(20)).await);
    is("of the disabled key", 1, at(20)).await;
    let again = store.change(old, disable, at(21)).await;
    is_conflict(clause, "change", again);
    let again = store.promote(old, new, at(21)).await;
    is_conflict(clause, "promote", again);
    is("after a refusal", 1, at(20)).await;
    is("after a refusal", 2, at(10)).await;

    let bytes = |id: u32| WrappedKey::from_bytes(id.to_be_bytes().to_vec());
    let rewrapped = store.rewrap(new, &bytes(2), &bytes(9)).await;
    clause.done("rewrap", rewrapped);
    is("of a key that was wrapped again", 2, at(10)).await;

    for seconds in [30, 31] {
        let erased = store.erase_tenant(&tenant("t"), at(seconds)).await;
        clause.done("erase_tenant", erased);
        is("of an erased key", 1, at(30)).await;
        is("of an erased key", 2, at(30)).await;
        is("of a key that was destroyed before", 3, at(2)).await;
    }
}
