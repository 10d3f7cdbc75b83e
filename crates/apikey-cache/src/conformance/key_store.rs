//! The contract of a store of keys.

mod rotation;
mod usage;

use std::sync::Arc;

use self::{
    rotation::{
        a_rotation_does_not_undo_a_new_hash, a_rotation_keeps_when_the_old_key_was_issued_and_used,
        a_rotation_of_a_revoked_record_changes_nothing,
        a_rotation_of_another_version_changes_nothing,
        a_rotation_replaces_the_old_record_and_adds_the_new_one,
        a_rotation_to_a_taken_kid_leaves_both_records_as_they_are,
        a_rotation_without_an_overlap_leaves_the_old_record_revoked,
    },
    usage::{active_keys_used_last_come_first, rows_are_counted_by_the_peppers_that_they_need},
};
use super::{
    Clause, clauses,
    records::{
        ISSUED, assert_same, insert, kid, limit, load, pepper, record, rehash, revoke, tenant,
        verifier,
    },
};
use crate::{
    feed::ChangeKind,
    store::{
        KeyQuery, KeyRecord, KeyStore, RecordState, RecordVersion, Revoked, StoreError, UnixMillis,
    },
    tier::Tier,
};

/// Checks the contract of [`KeyStore`] on the stores that `make` makes, each of them empty.
///
/// # Panics
///
/// The store breaks the contract, or fails. The message names the clause.
pub async fn key_store(make: impl AsyncFn() -> Arc<dyn KeyStore>) {
    clauses! { "KeyStore";
        what_is_inserted_is_loaded_every_field_as_it_was(&*make().await);
        a_revoked_record_can_be_inserted(&*make().await);
        a_kid_is_taken_once_and_its_record_stays_as_it_is(&*make().await);
        a_revocation_is_permanent_drops_the_verifier_and_raises_the_version_by_1(&*make().await);
        an_unknown_kid_is_not_found_and_changes_nothing(&*make().await);
        a_hash_is_renewed_only_for_the_same_version_and_pepper(&*make().await);
        a_revoked_record_gets_no_new_hash(&*make().await);
        the_latest_use_is_kept_and_is_no_new_version(&*make().await);
        pages_are_in_the_order_of_kids_and_hold_what_the_query_asks_for(&*make().await);
        a_tenant_is_found_by_its_name_in_any_case(&*make().await);
        a_tenant_is_found_rather_than_another_whose_name_differs_in_case(&*make().await);
        a_rotation_replaces_the_old_record_and_adds_the_new_one(&*make().await);
        a_rotation_without_an_overlap_leaves_the_old_record_revoked(&*make().await);
        a_rotation_keeps_when_the_old_key_was_issued_and_used(&*make().await);
        a_rotation_of_another_version_changes_nothing(&*make().await);
        a_rotation_of_a_revoked_record_changes_nothing(&*make().await);
        a_rotation_does_not_undo_a_new_hash(&*make().await);
        a_rotation_to_a_taken_kid_leaves_both_records_as_they_are(&*make().await);
        active_keys_used_last_come_first(&*make().await);
        rows_are_counted_by_the_peppers_that_they_need(&*make().await);
    }
}

async fn what_is_inserted_is_loaded_every_field_as_it_was(clause: Clause, store: &dyn KeyStore) {
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
        clause.done("insert", store.insert(&expected).await);
        let loaded = load(clause, store, expected.kid).await;
        assert_same(clause, &loaded, &expected);
    }
}

async fn a_revoked_record_can_be_inserted(clause: Clause, store: &dyn KeyStore) {
    let revoked = KeyRecord {
        state: RecordState::Revoked,
        ..record(1)
    };
    clause.done("insert", store.insert(&revoked).await);
    assert_same(clause, &load(clause, store, kid(1)).await, &revoked);
}

async fn a_kid_is_taken_once_and_its_record_stays_as_it_is(clause: Clause, store: &dyn KeyStore) {
    insert(clause, store, 1).await;
    let other = KeyRecord {
        tier: Tier::ENTERPRISE,
        ..record(1)
    };
    let again = store.insert(&other).await;
    let seen = format_args!("a second insert: {again:?}");
    clause.holds(matches!(again, Err(StoreError::KidTaken)), seen);
    assert_same(clause, &load(clause, store, kid(1)).await, &record(1));
}

async fn a_revocation_is_permanent_drops_the_verifier_and_raises_the_version_by_1(
    clause: Clause,
    store: &dyn KeyStore,
) {
    let second = RecordVersion::new(2);
    insert(clause, store, 1).await;
    let revoked = revoke(clause, store, 1, ISSUED).await;
    let version = revoked.and_then(|revoked| match revoked {
        Revoked::Now(change) => match change.kind {
            ChangeKind::Record { kid, version } => Some((kid, version)),
            ChangeKind::Invalidation(_) => None,
        },
        Revoked::Before(_) => None,
    });
    clause.same("the first time", version, Some((kid(1), second)));
    let again = revoke(clause, store, 1, ISSUED).await;
    clause.same("the second time", again, Some(Revoked::Before(second)));
    let expected = KeyRecord {
        version: second,
        state: RecordState::Revoked,
        ..record(1)
    };
    assert_same(clause, &load(clause, store, kid(1)).await, &expected);
}

async fn an_unknown_kid_is_not_found_and_changes_nothing(clause: Clause, store: &dyn KeyStore) {
    let assert_absent = async || {
        let loaded = clause.done("load", store.load(&kid(1)).await);
        clause.holds(loaded.is_none(), "there is a record");
    };
    assert_absent().await;
    clause.same("revoked", revoke(clause, store, 1, ISSUED).await, None);
    let used = store.update_last_used(&[(kid(1), ISSUED)]).await;
    clause.done("update_last_used", used);
    rehash(clause, store, RecordVersion::FIRST, pepper(1)).await;
    assert_absent().await;
}

async fn a_hash_is_renewed_only_for_the_same_version_and_pepper(
    clause: Clause,
    store: &dyn KeyStore,
) {
    let version = RecordVersion::FIRST;
    let rehashed = async |version, under| {
        rehash(clause, store, version, pepper(under)).await;
        load(clause, store, kid(1)).await
    };
    insert(clause, store, 1).await;
    assert_same(clause, &rehashed(version.next(), 1).await, &record(1));
    assert_same(clause, &rehashed(version, 9).await, &record(1));
    let expected = KeyRecord {
        state: RecordState::Active(verifier(2)),
        ..record(1)
    };
    assert_same(clause, &rehashed(version, 1).await, &expected);
}

async fn a_revoked_record_gets_no_new_hash(clause: Clause, store: &dyn KeyStore) {
    insert(clause, store, 1).await;
    revoke(clause, store, 1, ISSUED).await;
    for version in [1, 2] {
        rehash(clause, store, RecordVersion::new(version), pepper(1)).await;
    }
    let loaded = load(clause, store, kid(1)).await;
    let is_revoked = matches!(loaded.state, RecordState::Revoked);
    clause.holds(is_revoked, "the record is active");
}

async fn the_latest_use_is_kept_and_is_no_new_version(clause: Clause, store: &dyn KeyStore) {
    insert(clause, store, 1).await;
    insert(clause, store, 2).await;
    for date in [20, 30, 10] {
        let uses = [(kid(1), UnixMillis::new(date)), (kid(9), ISSUED)];
        let used = store.update_last_used(&uses).await;
        clause.done("update_last_used", used);
    }
    let used = load(clause, store, kid(1)).await;
    let latest = Some(UnixMillis::new(30));
    clause.same("after 20, 30 and 10", used.last_used, latest);
    let uses = [50, 60, 40].map(|date| (kid(1), UnixMillis::new(date)));
    let written = store.update_last_used(&uses).await;
    clause.done("update_last_used", written);
    let used = load(clause, store, kid(1)).await;
    let latest = Some(UnixMillis::new(60));
    clause.same("after 50, 60 and 40 at once", used.last_used, latest);
    clause.same("its version", used.version, RecordVersion::FIRST);
    let unused = load(clause, store, kid(2)).await;
    clause.same("never used", unused.last_used, None);
}

async fn pages_are_in_the_order_of_kids_and_hold_what_the_query_asks_for(
    clause: Clause,
    store: &dyn KeyStore,
) {
    for number in [3, 1, 5, 2, 4] {
        let of = if number % 2 == 0 { "even" } else { "odd" };
        let record = KeyRecord {
            tenant: tenant(of),
            ..record(number)
        };
        clause.done("insert", store.insert(&record).await);
    }
    let is_listed = async |what, query: KeyQuery, expected: &[u64]| {
        let records = clause.done("list", store.list(&query).await);
        let kids: Vec<_> = records.iter().map(|record| record.kid).collect();
        let expected: Vec<_> = expected.iter().copied().map(kid).collect();
        clause.same(what, kids, expected);
    };
    let first = KeyQuery::first(limit(2));
    is_listed("the first two", first.clone(), &[1, 2]).await;
    is_listed("after 4", first.clone().after(kid(4)), &[5]).await;
    let odd = first.of_tenant(tenant("odd"));
    is_listed("two of a tenant", odd.clone(), &[1, 3]).await;
    let rest = odd.clone().after(kid(3));
    is_listed("after 3 of a tenant", rest, &[5]).await;
    let nobody = odd.of_tenant(tenant("nobody"));
    is_listed("an unknown tenant", nobody, &[]).await;
}

async fn a_tenant_is_found_by_its_name_in_any_case(clause: Clause, store: &dyn KeyStore) {
    let is_alike = async |name: &str, expected: Option<&str>| {
        let alike = clause.done("tenant_alike", store.tenant_alike(&tenant(name)).await);
        clause.same(name, alike, expected.map(tenant));
    };
    is_alike("acme", None).await;
    // Around the letters of ASCII stand `@` and `[`, and their pairs 32 further on.
    for (number, name) in [(1, "Acme-AZ"), (2, "at@z"), (3, "un_der%"), (4, "Gone")] {
        let of = KeyRecord {
            tenant: tenant(name),
            ..record(number)
        };
        clause.done("insert", store.insert(&of).await);
    }
    for name in ["Acme-AZ", "acme-az", "ACME-AZ", "aCME-Az"] {
        is_alike(name, Some("Acme-AZ")).await;
    }
    for name in [
        "Acme", "Acme-AZ2", "cme-az", "at`z", "under%", "un-der%", "un_derX",
    ] {
        is_alike(name, None).await;
    }
    revoke(clause, store, 4, ISSUED).await;
    is_alike("gone", Some("Gone")).await;
}

async fn a_tenant_is_found_rather_than_another_whose_name_differs_in_case(
    clause: Clause,
    store: &dyn KeyStore,
) {
    let names = ["acme", "ACME", "Acme", "acmE"];
    for (number, name) in (1..).zip(names) {
        let of = KeyRecord {
            tenant: tenant(name),
            ..record(number)
        };
        clause.done("insert", store.insert(&of).await);
    }
    for name in names {
        let alike = clause.done("tenant_alike", store.tenant_alike(&tenant(name)).await);
        clause.same("of four alike", alike, Some(tenant(name)));
    }
    let other = clause.done("tenant_alike", store.tenant_alike(&tenant("aCmE")).await);
    let is_one_of_them = other.is_some_and(|other| names.contains(&other.as_str()));
    clause.holds(
        is_one_of_them,
        "a fifth name is not found to be like the four",
    );
}
