//! A record that is replaced by another: both, or neither.

use crate::{
    conformance::{
        Clause,
        records::{
            ISSUED, assert_same, insert, kid, load, pepper, record, rehash, revoke, tenant,
            verifier,
        },
    },
    feed::{Change, ChangeKind},
    kid::Kid,
    store::{KeyRecord, KeyStore, RecordState, RecordVersion, StoreError, UnixMillis},
    tier::Tier,
};

/// Record 1 with an end, and a new MAC over that.
fn ended() -> KeyRecord {
    KeyRecord {
        version: RecordVersion::new(2),
        expires_at: Some(UnixMillis::new(ISSUED.value() + 1_000)),
        state: RecordState::Active(verifier(1)),
        ..record(1)
    }
}

fn successor() -> KeyRecord {
    KeyRecord {
        tenant: tenant("tenant-7"),
        tier: Tier::ENTERPRISE,
        created_at: UnixMillis::new(ISSUED.value() + 10),
        ..record(2)
    }
}

fn plain(changes: Option<[Change; 2]>) -> Option<Vec<(Kid, RecordVersion)>> {
    let kinds = changes?.map(|change| match change.kind {
        ChangeKind::Record { kid, version } => Some((kid, version)),
        ChangeKind::Invalidation(_) => None,
    });
    kinds.into_iter().collect()
}

async fn assert_no_successor(clause: Clause, store: &dyn KeyStore) {
    let loaded = clause.done("load", store.load(&kid(2)).await);
    clause.holds(loaded.is_none(), "the new record is there");
}

async fn assert_not_rotated(clause: Clause, store: &dyn KeyStore, what: &str, old: &KeyRecord) {
    let rotated = clause.done(what, store.rotate(old, &successor()).await);
    let seen = format_args!("{what}: {rotated:?}");
    clause.holds(rotated.is_none(), seen);
    assert_no_successor(clause, store).await;
}

pub(super) async fn a_rotation_replaces_the_old_record_and_adds_the_new_one(
    clause: Clause,
    store: &dyn KeyStore,
) {
    insert(clause, store, 1).await;
    let rotated = clause.done("rotate", store.rotate(&ended(), &successor()).await);
    let expected = vec![
        (kid(1), RecordVersion::new(2)),
        (kid(2), RecordVersion::FIRST),
    ];
    clause.same("the answer", plain(rotated), Some(expected));
    assert_same(clause, &load(clause, store, kid(1)).await, &ended());
    assert_same(clause, &load(clause, store, kid(2)).await, &successor());
}

pub(super) async fn a_rotation_without_an_overlap_leaves_the_old_record_revoked(
    clause: Clause,
    store: &dyn KeyStore,
) {
    insert(clause, store, 1).await;
    // Whatever pepper it was verified under: nothing of that is written.
    rehash(clause, store, RecordVersion::FIRST, pepper(1)).await;
    let old = KeyRecord {
        version: RecordVersion::new(2),
        state: RecordState::Revoked,
        ..record(1)
    };
    let rotated = clause.done("rotate", store.rotate(&old, &successor()).await);
    clause.holds(rotated.is_some(), "it is not made");
    assert_same(clause, &load(clause, store, kid(1)).await, &old);
    assert_same(clause, &load(clause, store, kid(2)).await, &successor());
}

pub(super) async fn a_rotation_keeps_when_the_old_key_was_issued_and_used(
    clause: Clause,
    store: &dyn KeyStore,
) {
    insert(clause, store, 1).await;
    let used = UnixMillis::new(ISSUED.value() + 5);
    let noted = store.update_last_used(&[(kid(1), used)]).await;
    clause.done("update_last_used", noted);
    let old = KeyRecord {
        created_at: UnixMillis::new(7),
        last_used: Some(UnixMillis::new(8)),
        ..ended()
    };
    clause.done("rotate", store.rotate(&old, &successor()).await);
    let expected = KeyRecord {
        last_used: Some(used),
        ..ended()
    };
    assert_same(clause, &load(clause, store, kid(1)).await, &expected);
}

pub(super) async fn a_rotation_of_another_version_changes_nothing(
    clause: Clause,
    store: &dyn KeyStore,
) {
    assert_not_rotated(clause, store, "an unknown kid", &ended()).await;
    insert(clause, store, 1).await;
    for version in [1, 3] {
        let old = KeyRecord {
            version: RecordVersion::new(version),
            ..ended()
        };
        let what = format!("to version {version} from 1");
        assert_not_rotated(clause, store, &what, &old).await;
    }
    assert_same(clause, &load(clause, store, kid(1)).await, &record(1));
}

pub(super) async fn a_rotation_of_a_revoked_record_changes_nothing(
    clause: Clause,
    store: &dyn KeyStore,
) {
    insert(clause, store, 1).await;
    revoke(clause, store, 1, ISSUED).await;
    for version in [2, 3] {
        let old = KeyRecord {
            version: RecordVersion::new(version),
            ..ended()
        };
        assert_not_rotated(clause, store, "revoked", &old).await;
    }
    let expected = KeyRecord {
        version: RecordVersion::new(2),
        state: RecordState::Revoked,
        ..record(1)
    };
    assert_same(clause, &load(clause, store, kid(1)).await, &expected);
}

pub(super) async fn a_rotation_does_not_undo_a_new_hash(clause: Clause, store: &dyn KeyStore) {
    insert(clause, store, 1).await;
    rehash(clause, store, RecordVersion::FIRST, pepper(1)).await;
    assert_not_rotated(clause, store, "another pepper", &ended()).await;
    let expected = KeyRecord {
        state: RecordState::Active(verifier(2)),
        ..record(1)
    };
    assert_same(clause, &load(clause, store, kid(1)).await, &expected);
}

pub(super) async fn a_rotation_to_a_taken_kid_leaves_both_records_as_they_are(
    clause: Clause,
    store: &dyn KeyStore,
) {
    insert(clause, store, 1).await;
    insert(clause, store, 2).await;
    let rotated = store.rotate(&ended(), &successor()).await;
    let seen = format_args!("rotate: {rotated:?}");
    clause.holds(matches!(rotated, Err(StoreError::KidTaken)), seen);
    assert_same(clause, &load(clause, store, kid(1)).await, &record(1));
    assert_same(clause, &load(clause, store, kid(2)).await, &record(2));
}
