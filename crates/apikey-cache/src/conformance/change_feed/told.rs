//! What is told is what was answered to who made the change.

use super::{StoreAndFeed, assert_head, page};
use crate::{
    conformance::{
        Clause,
        records::{ISSUED, insert, kid, record, tenant},
    },
    feed::{Change, ChangeKind, FeedSeq, Invalidation},
    store::{KeyRecord, RecordVersion, Revoked},
};

pub(super) async fn what_is_answered_to_a_change_is_what_is_told(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    let mut answered = Vec::new();
    for number in [1, 2] {
        answered.push(clause.done("insert", store.insert(&record(number)).await));
    }
    let all = feed.invalidate(&Invalidation::All, ISSUED).await;
    answered.push(clause.done("invalidate", all));
    match clause.done("revoke", store.revoke(&kid(2), ISSUED).await) {
        Some(Revoked::Now(change)) => answered.push(change),
        other => clause.fails(format_args!("revoke: {other:?}")),
    }
    let old = KeyRecord {
        version: RecordVersion::new(2),
        ..record(1)
    };
    let rotated = clause.done("rotate", store.rotate(&old, &record(3)).await);
    answered.extend(rotated.into_iter().flatten());
    let told = page(clause, feed, 0, 100).await.changes;
    clause.same("told", told, answered);
}

pub(super) async fn a_rotation_is_told_as_two_changes_that_of_the_old_record_first(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    insert(clause, &**store, 2).await;
    insert(clause, &**store, 9).await;
    let old = |version| KeyRecord {
        version: RecordVersion::new(version),
        ..record(2)
    };
    // Not made, and not told.
    clause.done("rotate", store.rotate(&old(3), &record(1)).await);
    let taken = store.rotate(&old(2), &record(9)).await;
    clause.holds(taken.is_err(), "a second record of one kid was taken");
    assert_head(clause, feed, 2).await;

    clause.done("rotate", store.rotate(&old(2), &record(1)).await);
    let told = page(clause, feed, 2, 100).await.changes;
    let change = |seq: u64, number, version| Change {
        seq: FeedSeq::new(seq),
        kind: ChangeKind::Record {
            kid: kid(number),
            version: RecordVersion::new(version),
        },
    };
    clause.same("told", told, [change(3, 2, 2), change(4, 1, 1)]);
}

pub(super) async fn invalidations_of_each_kind_are_told_in_order(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    insert(clause, &**store, 1).await;
    let kinds = [
        // Of a key and a tenant that the store does not know, too.
        Invalidation::Key(kid(7)),
        Invalidation::Tenant(tenant("tenant's;--")),
        Invalidation::All,
        Invalidation::Key(kid(1)),
    ];
    for what in &kinds {
        let appended = feed.invalidate(what, ISSUED).await;
        clause.done("invalidate", appended);
    }
    let told = page(clause, feed, 1, 100).await.changes;
    let expected: Vec<_> = (2_u64..)
        .zip(kinds)
        .map(|(seq, what)| Change {
            seq: FeedSeq::new(seq),
            kind: ChangeKind::Invalidation(what),
        })
        .collect();
    clause.same("told", told, expected);
}

pub(super) async fn a_feed_has_one_id_that_no_other_has(
    clause: Clause,
    (_, feed): &StoreAndFeed,
    (_, other): &StoreAndFeed,
) {
    let id = clause.done("id", feed.id().await);
    let again = clause.done("id", feed.id().await);
    clause.same("asked again", again, id);
    let other = clause.done("id", other.id().await);
    clause.holds(other != id, "another feed has the same id");
}
