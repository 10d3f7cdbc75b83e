//! Of many keys, those that are asked for.

use super::*;
use crate::Purpose;

pub(super) async fn some_keys_are_loaded_together(clause: Clause, store: &dyn DekStore) {
    // Few keys, and more ids than a statement takes.
    let there: Vec<_> = (0..20).map(|number| number * 61).collect();
    let made = there.iter().map(|id| key(*id, "t", "email", DecryptOnly));
    insert(clause, store, &made.collect::<Vec<_>>()).await;
    let load = async |what: &str, asked_for: Vec<u32>, expected: Vec<u32>| {
        let asked_for: Vec<_> = asked_for.into_iter().map(KeyId::new).collect();
        let found = clause.done("load_many", store.load_many(&asked_for).await);
        let mut found = keys(clause, found);
        found.sort_by_key(StoredKey::id);
        clause.same(what, ids(&found), expected);
    };
    load("none", vec![], vec![]).await;
    load("unknown ones", vec![7777, u32::MAX], vec![]).await;
    load(
        "in any order",
        vec![610, 7777, 61, 1159],
        vec![61, 610, 1159],
    )
    .await;
    load("many", (0..1200).rev().collect(), there).await;
}

pub(super) async fn a_query_lists_what_it_asks_for(clause: Clause, store: &dyn DekStore) {
    let keys = [
        key(1, "t", "email", Primary),
        key(2, "t", "email", DecryptOnly),
        key(3, "t", "phone", Primary),
        key(4, "u", "email", Primary),
        key(5, "u", "email", Disabled),
        key(6, "u", "phone", DecryptOnly),
        key(7, "t", "email", Destroyed),
    ];
    insert(clause, store, &keys).await;
    let every = || KeyQuery::all(NonZeroU32::MAX);
    let two = KeyQuery::all(NonZeroU32::MIN.saturating_add(1));
    let email = Purpose::new("email").expect("a name");
    let old = [DecryptOnly, Disabled];
    for (what, query, expected) in [
        (
            "of a tenant",
            every().of_tenant(tenant("t")),
            &[1, 2, 3, 7][..],
        ),
        ("of an unknown tenant", every().of_tenant(tenant("T")), &[]),
        (
            "of a purpose",
            every().of_purpose(email.clone()),
            &[1, 2, 4, 5, 7],
        ),
        ("in a state", every().in_states([Primary]), &[1, 3, 4]),
        ("in two states", every().in_states(old), &[2, 5, 6]),
        (
            "in no state in particular",
            every().in_states([]),
            &[1, 2, 3, 4, 5, 6, 7],
        ),
        (
            "in a state that none is in",
            every().in_states([Pending]),
            &[],
        ),
        (
            "of a tenant and purpose in two states",
            every()
                .of_tenant(tenant("u"))
                .of_purpose(email.clone())
                .in_states(old),
            &[5],
        ),
        (
            "the first page of a purpose",
            two.clone().of_purpose(email.clone()),
            &[1, 2],
        ),
        (
            "the second page of a purpose",
            two.clone().of_purpose(email.clone()).after(KeyId::new(2)),
            &[4, 5],
        ),
        (
            "the last page of a purpose",
            two.clone().of_purpose(email).after(KeyId::new(5)),
            &[7],
        ),
        (
            "the first page of a tenant",
            two.clone().of_tenant(tenant("u")),
            &[4, 5],
        ),
        (
            "the last page of a tenant",
            two.of_tenant(tenant("u")).after(KeyId::new(5)),
            &[6],
        ),
    ] {
        let found = clause.done("list", store.list(&query).await);
        clause.same(what, ids(&super::keys(clause, found)), expected);
    }
}
