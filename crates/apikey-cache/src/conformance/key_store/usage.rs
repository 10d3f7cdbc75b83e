//! Which keys are in use, and which peppers they need.

use std::collections::BTreeMap;

use crate::{
    conformance::{
        Clause,
        records::{ISSUED, insert, kid, limit, pepper, record, revoke, verifier},
    },
    kid::Kid,
    pepper::PepperVersion,
    store::{KeyRecord, KeyStore, PepperRows, RecordState, UnixMillis},
};

pub(super) async fn active_keys_used_last_come_first(clause: Clause, store: &dyn KeyStore) {
    for (number, date) in [(1, 20), (2, 50), (3, 30), (4, 40), (5, 10)] {
        insert(clause, store, number).await;
        let used = [(kid(number), UnixMillis::new(date))];
        let noted = store.update_last_used(&used).await;
        clause.done("update_last_used", noted);
    }
    insert(clause, store, 6).await;
    revoke(clause, store, 4, ISSUED).await;
    let used = async |what, since, count, expected: &[u64]| {
        let kids = store.recently_used(UnixMillis::new(since), limit(count));
        let kids = clause.done("recently_used", kids.await);
        let expected: Vec<_> = expected.iter().copied().map(kid).collect();
        clause.same(what, kids, expected);
    };
    used("all", i64::MIN, 100, &[2, 3, 1, 5]).await;
    used("the last two", i64::MIN, 2, &[2, 3]).await;
    used("from a date on", 20, 100, &[2, 3, 1]).await;
    used("from after the last on", 51, 100, &[]).await;
}

/// A kid that says which pepper's key tagged it.
fn tagged(number: u8, version: u8) -> Kid {
    let text = format!("{number:012}{version:03}0000000");
    text.parse().expect("22 digits are a kid")
}

pub(super) async fn rows_are_counted_by_the_peppers_that_they_need(
    clause: Clause,
    store: &dyn KeyStore,
) {
    let end = Some(UnixMillis::new(1_000));
    // Hashed under, tagged under, and the end.
    for (number, (hashed, version, expires_at)) in (1..).zip([
        (1, 1, None),
        (2, 1, None),
        (2, 1, end),
        (2, 3, end),
        (4, 4, None),
        // By a text that is no version.
        (5, 0, None),
    ]) {
        let record = KeyRecord {
            kid: tagged(number, version),
            expires_at,
            state: RecordState::Active(verifier(hashed)),
            ..record(1)
        };
        clause.done("insert", store.insert(&record).await);
    }
    let revoked = store.revoke(&tagged(5, 4), ISSUED).await;
    clause.done("revoke", revoked);
    let counted = async |what, at, expected: &[(u8, u64, u64)]| {
        let rows = store.rows_by_pepper(UnixMillis::new(at)).await;
        let rows = clause.done("rows_by_pepper", rows);
        let expected: BTreeMap<PepperVersion, PepperRows> = expected
            .iter()
            .map(|&(version, hashed, tagged)| (pepper(version), PepperRows { hashed, tagged }))
            .collect();
        clause.same(what, rows, expected);
    };
    let all = [(1, 1, 3), (2, 3, 0), (3, 0, 1), (5, 1, 0)];
    counted("before any end", 999, &all).await;
    let left = [(1, 1, 2), (2, 1, 0), (5, 1, 0)];
    counted("at the end of two", 1_000, &left).await;
}
