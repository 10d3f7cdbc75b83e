//! The contract of a store of keys.

use std::sync::Arc;

use super::{
    clause::Clause,
    records::{ISSUED, assert_same, kid, limit, pepper, record, rehash, tenant, verifier},
};
use crate::{
    store::{
        KeyQuery, KeyRecord, KeyStore, RecordState, RecordVersion, Revoked, StoreError, UnixMillis,
    },
    tier::Tier,
};

/// Checks the contract of [`KeyStore`] on fresh stores from `make`, each of them empty.
///
/// # Panics
///
/// If the store breaks the contract; the message names the clause.
pub async fn key_store(make: impl AsyncFn() -> Arc<dyn KeyStore>) {
    what_is_inserted_is_loaded(&*make().await).await;
    a_revoked_record_can_be_inserted(&*make().await).await;
    a_kid_is_taken_once(&*make().await).await;
    a_revocation_is_permanent(&*make().await).await;
    an_unknown_kid_changes_nothing(&*make().await).await;
    a_hash_is_renewed_only_where_nothing_else_changed(&*make().await).await;
    a_revoked_record_gets_no_new_hash(&*make().await).await;
    the_latest_use_is_kept(&*make().await).await;
    pages_are_in_the_order_of_kids(&*make().await).await;
}

async fn what_is_inserted_is_loaded(store: &dyn KeyStore) {
    let clause = Clause("what is inserted is loaded, every field as it was");
    let plain = record(1);
    let full = KeyRecord {
        tenant: tenant("tenant's;--"),
        tier: Tier::new("gold-2_eu").expect("a tier may have these characters"),
        scopes: "events:write pii:read"
            .parse()
            .expect("the scopes of the suite are well-formed"),
        version: RecordVersion::new(7),
        not_before: Some(UnixMillis::new(-1)),
        expires_at: Some(UnixMillis::new(i64::MAX)),
        last_used: Some(UnixMillis::new(0)),
        ..record(2)
    };
    for expected in [plain, full] {
        clause.done(store.insert(&expected).await);
        let loaded = clause.some(clause.done(store.load(&expected.kid).await));
        assert_same(clause, &loaded, &expected);
    }
}

async fn a_revoked_record_can_be_inserted(store: &dyn KeyStore) {
    let clause = Clause("a revoked record can be inserted");
    let revoked = KeyRecord {
        state: RecordState::Revoked,
        ..record(1)
    };
    clause.done(store.insert(&revoked).await);
    let loaded = clause.some(clause.done(store.load(&kid(1)).await));
    assert_same(clause, &loaded, &revoked);
}

async fn a_kid_is_taken_once(store: &dyn KeyStore) {
    let clause = Clause("a kid is taken once, and its record stays as it is");
    clause.done(store.insert(&record(1)).await);
    let other = KeyRecord {
        tier: Tier::ENTERPRISE,
        ..record(1)
    };
    let refused = store.insert(&other).await;
    clause.holds(matches!(refused, Err(StoreError::KidTaken)));
    let loaded = clause.some(clause.done(store.load(&kid(1)).await));
    assert_same(clause, &loaded, &record(1));
}

async fn a_revocation_is_permanent(store: &dyn KeyStore) {
    let clause =
        Clause("a revocation is permanent, drops the verifier and raises the version by 1");
    let second = RecordVersion::new(2);
    clause.done(store.insert(&record(1)).await);
    let revoked = clause.done(store.revoke(&kid(1), ISSUED).await);
    clause.same(revoked, Some(Revoked::Now(second)));
    let again = clause.done(store.revoke(&kid(1), ISSUED).await);
    clause.same(again, Some(Revoked::Before(second)));
    let expected = KeyRecord {
        version: second,
        state: RecordState::Revoked,
        ..record(1)
    };
    let loaded = clause.some(clause.done(store.load(&kid(1)).await));
    assert_same(clause, &loaded, &expected);
}

async fn an_unknown_kid_changes_nothing(store: &dyn KeyStore) {
    let clause = Clause("an unknown kid is not found, and changes nothing");
    let is_absent = async || clause.done(store.load(&kid(1)).await).is_none();
    clause.holds(is_absent().await);
    clause.same(clause.done(store.revoke(&kid(1), ISSUED).await), None);
    clause.done(store.update_last_used(&[(kid(1), ISSUED)]).await);
    rehash(clause, store, RecordVersion::FIRST, pepper(1)).await;
    clause.holds(is_absent().await);
}

async fn a_hash_is_renewed_only_where_nothing_else_changed(store: &dyn KeyStore) {
    let clause = Clause("a hash is renewed only for the same version and pepper");
    let version = RecordVersion::FIRST;
    let rehashed = async |version, under| {
        rehash(clause, store, version, pepper(under)).await;
        clause.some(clause.done(store.load(&kid(1)).await))
    };
    clause.done(store.insert(&record(1)).await);
    assert_same(clause, &rehashed(version.next(), 1).await, &record(1));
    assert_same(clause, &rehashed(version, 9).await, &record(1));
    let expected = KeyRecord {
        state: RecordState::Active(verifier(2)),
        ..record(1)
    };
    assert_same(clause, &rehashed(version, 1).await, &expected);
}

async fn a_revoked_record_gets_no_new_hash(store: &dyn KeyStore) {
    let clause = Clause("a revoked record gets no new hash");
    clause.done(store.insert(&record(1)).await);
    clause.done(store.revoke(&kid(1), ISSUED).await);
    for version in [1, 2] {
        let version = RecordVersion::new(version);
        rehash(clause, store, version, pepper(1)).await;
    }
    let loaded = clause.some(clause.done(store.load(&kid(1)).await));
    clause.holds(matches!(loaded.state, RecordState::Revoked));
}

async fn the_latest_use_is_kept(store: &dyn KeyStore) {
    let clause = Clause("the latest use is kept, and is no new version");
    clause.done(store.insert(&record(1)).await);
    clause.done(store.insert(&record(2)).await);
    for date in [20, 30, 10] {
        let uses = [(kid(1), UnixMillis::new(date)), (kid(9), ISSUED)];
        clause.done(store.update_last_used(&uses).await);
    }
    let used = clause.some(clause.done(store.load(&kid(1)).await));
    clause.same(used.last_used, Some(UnixMillis::new(30)));
    clause.same(used.version, RecordVersion::FIRST);
    let unused = clause.some(clause.done(store.load(&kid(2)).await));
    clause.same(unused.last_used, None);
}

async fn pages_are_in_the_order_of_kids(store: &dyn KeyStore) {
    let clause = Clause("pages are in the order of kids, and hold what the query asks for");
    for number in [3, 1, 5, 2, 4] {
        let of = if number % 2 == 0 { "even" } else { "odd" };
        let record = KeyRecord {
            tenant: tenant(of),
            ..record(number)
        };
        clause.done(store.insert(&record).await);
    }
    let listed = async |query: KeyQuery| {
        let records = clause.done(store.list(&query).await);
        records.iter().map(|record| record.kid).collect::<Vec<_>>()
    };
    let first = KeyQuery::first(limit(2));
    clause.same(listed(first.clone()).await, vec![kid(1), kid(2)]);
    clause.same(listed(first.clone().after(kid(4))).await, vec![kid(5)]);
    let odd = first.of_tenant(tenant("odd"));
    clause.same(listed(odd.clone()).await, vec![kid(1), kid(3)]);
    clause.same(listed(odd.clone().after(kid(3))).await, vec![kid(5)]);
    clause.same(listed(odd.of_tenant(tenant("nobody"))).await, vec![]);
}
