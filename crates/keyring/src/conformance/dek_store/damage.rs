//! A key that cannot be read.

use super::*;
use crate::store::StoreError;

/// Checks that a store whose row of one key is damaged names that key and gives the others. `damage` damages it, in
/// a column that neither its tenant nor its purpose nor its state stands in; the store is empty.
///
/// # Panics
/// The store breaks the contract, or fails.
pub async fn damaged_key(store: &dyn DekStore, damage: impl AsyncFn(KeyId)) {
    let clause = Clause::new("DekStore", "a_damaged_key_takes_no_other_with_it");
    let there = [
        key(6, "t", "email", Primary),
        key(7, "t", "email", DecryptOnly),
        key(8, "t", "phone", Primary),
        key(9, "u", "email", Primary),
    ];
    insert(clause, store, &there).await;
    damage(KeyId::new(7)).await;
    let one = store.load(KeyId::new(7)).await;
    let is_named = matches!(one, Err(StoreError::Damaged(7)));
    clause.holds(is_named, format_args!("load: {one:?}"));
    clause.same("load", load(clause, store, 8).await, Some(there[2].clone()));

    let is_found = |what: &str, loaded: LoadedKeys, expected: &[u32], damaged: &[u32]| {
        let seen = loaded.damaged.iter().map(|key| key.id.value());
        clause.same(what, seen.collect::<Vec<_>>(), damaged);
        clause.same(what, ids(&loaded.keys), expected);
    };
    let of_tenant = store.load_tenant(&tenant("t")).await;
    let of_tenant = clause.done("load_tenant", of_tenant);
    is_found("load_tenant", of_tenant, &[6, 8], &[7]);
    let many = store.load_many(&[7, 8].map(KeyId::new)).await;
    is_found("load_many", clause.done("load_many", many), &[8], &[7]);

    let two = KeyQuery::all(NonZeroU32::MIN.saturating_add(1));
    let first = clause.done("list", store.list(&two).await);
    let second = first.last_id().map(|last| two.clone().after(last));
    let second = second.unwrap_or_else(|| clause.fails("the first page is empty"));
    is_found("the first page", first, &[6], &[7]);
    let second = clause.done("list", store.list(&second).await);
    is_found("the second page", second, &[8, 9], &[]);
    // As one that ends there.
    let alone = KeyQuery::all(NonZeroU32::MIN).after(KeyId::new(6));
    let alone = clause.done("list", store.list(&alone).await);
    clause.same("a page of it alone", alone.last_id(), Some(KeyId::new(7)));
    is_found("a page of it alone", alone, &[], &[7]);
}
