//! The contract of [`KeyStore`], against every implementation.

use std::num::NonZeroU16;
use std::sync::Arc;

use portcullis_apikey_cache::{
    Change, KeyHash, KeyQuery, KeyRecord, KeyStore, Kid, MemoryKeyStore, OUTBOX_RETENTION,
    OutboxSeq, RecordState, RecordVersion, Revoked, RowMac, StoreError, Tier, UnixMillis, Verifier,
};

/// Runs each property against a fresh store.
macro_rules! conformance {
    ($store:ident, $open:expr, [$($property:ident),* $(,)?]) => {
        mod $store {
            use super::*;

            $(
                #[tokio::test]
                async fn $property() {
                    let (_kept, store) = $open.await;
                    super::$property(store).await;
                }
            )*
        }
    };
}

macro_rules! against {
    ($store:ident, $open:expr) => {
        conformance!(
            $store,
            $open,
            [
                what_is_inserted_is_loaded,
                a_revoked_record_can_be_inserted,
                a_kid_is_taken_once,
                a_revocation_is_for_ever,
                an_unknown_kid_changes_nothing,
                every_change_is_in_the_outbox_in_order,
                concurrent_changes_leave_no_gap_in_the_outbox,
                the_end_of_the_outbox_gives_the_head_alone,
                the_head_outlives_dropped_changes,
                a_hash_is_renewed_only_where_nothing_else_changed,
                a_revoked_record_gets_no_new_hash,
                the_latest_use_is_kept,
                pages_are_in_the_order_of_kids,
            ]
        );
    };
}

against!(memory, async {
    ((), Arc::new(MemoryKeyStore::new()) as Arc<dyn KeyStore>)
});
#[cfg(feature = "sqlx")]
against!(sqlite, async {
    let file = crate::sqlite::File::new();
    let store = Arc::new(file.store().await) as Arc<dyn KeyStore>;
    (file, store)
});

const ISSUED: UnixMillis = UnixMillis::new(1_767_225_600_000);

async fn what_is_inserted_is_loaded(store: Arc<dyn KeyStore>) {
    let plain = record(1);
    let full = KeyRecord {
        tenant: "tenant's;--".parse().unwrap(),
        tier: Tier::Enterprise,
        scopes: "events:write pii:read".parse().unwrap(),
        version: RecordVersion::new(7),
        not_before: Some(UnixMillis::new(-1)),
        expires_at: Some(UnixMillis::new(i64::MAX)),
        last_used: Some(UnixMillis::new(0)),
        ..record(2)
    };
    for expected in [plain, full] {
        store.insert(&expected).await.unwrap();
        let loaded = store.load(&expected.kid).await.unwrap().unwrap();
        assert_same(&loaded, &expected);
    }
}

async fn a_revoked_record_can_be_inserted(store: Arc<dyn KeyStore>) {
    let revoked = KeyRecord {
        state: RecordState::Revoked,
        ..record(1)
    };
    store.insert(&revoked).await.unwrap();
    assert_same(&store.load(&kid(1)).await.unwrap().unwrap(), &revoked);
}

async fn a_kid_is_taken_once(store: Arc<dyn KeyStore>) {
    store.insert(&record(1)).await.unwrap();
    let other = KeyRecord {
        tier: Tier::Enterprise,
        ..record(1)
    };
    assert!(matches!(
        store.insert(&other).await,
        Err(StoreError::KidTaken)
    ));
    assert_same(&store.load(&kid(1)).await.unwrap().unwrap(), &record(1));
    assert_eq!(changes(&store, 0).await, [(1, kid(1), 1)]);
}

async fn a_revocation_is_for_ever(store: Arc<dyn KeyStore>) {
    let second = RecordVersion::new(2);
    store.insert(&record(1)).await.unwrap();
    assert_eq!(
        store.revoke(&kid(1), ISSUED).await.unwrap(),
        Some(Revoked::Now(second))
    );
    assert_eq!(
        store.revoke(&kid(1), ISSUED).await.unwrap(),
        Some(Revoked::Before(second))
    );
    let loaded = store.load(&kid(1)).await.unwrap().unwrap();
    let expected = KeyRecord {
        version: second,
        state: RecordState::Revoked,
        ..record(1)
    };
    assert_same(&loaded, &expected);
    assert_eq!(changes(&store, 0).await, [(1, kid(1), 1), (2, kid(1), 2)]);
}

async fn an_unknown_kid_changes_nothing(store: Arc<dyn KeyStore>) {
    assert!(store.load(&kid(1)).await.unwrap().is_none());
    assert_eq!(store.revoke(&kid(1), ISSUED).await.unwrap(), None);
    store.touch(&[(kid(1), ISSUED)]).await.unwrap();
    store
        .rehash(&kid(1), RecordVersion::FIRST, 1.into(), &verifier(2))
        .await
        .unwrap();
    assert!(store.load(&kid(1)).await.unwrap().is_none());
    assert_eq!(changes(&store, 0).await, []);
}

async fn every_change_is_in_the_outbox_in_order(store: Arc<dyn KeyStore>) {
    store.insert(&record(2)).await.unwrap();
    store.insert(&record(1)).await.unwrap();
    store.revoke(&kid(2), ISSUED).await.unwrap();
    let all = [(1, kid(2), 1), (2, kid(1), 1), (3, kid(2), 2)];
    assert_eq!(changes(&store, 0).await, all);
    assert_eq!(changes(&store, 2).await, all[2..]);
    assert_eq!(changes(&store, 3).await, []);

    let page = store
        .changes_after(OutboxSeq::new(0), limit(2))
        .await
        .unwrap();
    assert_eq!(page.head, OutboxSeq::new(3));
    assert_eq!(page.changes.len(), 2);
    assert_eq!(page.changes[1].seq, OutboxSeq::new(2));
}

async fn concurrent_changes_leave_no_gap_in_the_outbox(store: Arc<dyn KeyStore>) {
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store.insert(&record(number)).await.unwrap();
                store.insert(&record(number)).await.unwrap_err();
                store.revoke(&kid(number), ISSUED).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seqs: Vec<u64> = changes(&store, 0)
        .await
        .iter()
        .map(|(seq, _, _)| *seq)
        .collect();
    assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
}

async fn the_end_of_the_outbox_gives_the_head_alone(store: Arc<dyn KeyStore>) {
    for head in 0..3 {
        let page = store.changes_after(OutboxSeq::END, limit(1)).await.unwrap();
        assert_eq!(page.head, OutboxSeq::new(head));
        assert_eq!(page.changes, []);
        store.insert(&record(head)).await.unwrap();
    }
}

async fn the_head_outlives_dropped_changes(store: Arc<dyn KeyStore>) {
    let retention = i64::try_from(OUTBOX_RETENTION.as_millis()).unwrap();
    let kept_until = UnixMillis::new(ISSUED.as_i64() + retention);
    store.insert(&record(1)).await.unwrap();
    store.insert(&record(2)).await.unwrap();
    store.revoke(&kid(1), kept_until).await.unwrap();
    assert_eq!(
        changes(&store, 0).await.len(),
        3,
        "changes are kept for the retention"
    );

    store
        .revoke(&kid(2), UnixMillis::new(kept_until.as_i64() + 1))
        .await
        .unwrap();
    let page = store
        .changes_after(OutboxSeq::new(0), limit(10))
        .await
        .unwrap();
    assert_eq!(page.head, OutboxSeq::new(4));
    assert_eq!(
        page.changes.last().map(|change| change.seq),
        Some(page.head)
    );
}

async fn a_hash_is_renewed_only_where_nothing_else_changed(store: Arc<dyn KeyStore>) {
    let version = RecordVersion::FIRST;
    store.insert(&record(1)).await.unwrap();
    store
        .rehash(&kid(1), version.next(), 1.into(), &verifier(2))
        .await
        .unwrap();
    store
        .rehash(&kid(1), version, 9.into(), &verifier(2))
        .await
        .unwrap();
    assert_same(&store.load(&kid(1)).await.unwrap().unwrap(), &record(1));

    store
        .rehash(&kid(1), version, 1.into(), &verifier(2))
        .await
        .unwrap();
    let expected = KeyRecord {
        state: RecordState::Active(verifier(2)),
        ..record(1)
    };
    assert_same(&store.load(&kid(1)).await.unwrap().unwrap(), &expected);
    assert_eq!(
        changes(&store, 1).await,
        [],
        "what the key is allowed did not change"
    );
}

async fn a_revoked_record_gets_no_new_hash(store: Arc<dyn KeyStore>) {
    store.insert(&record(1)).await.unwrap();
    store.revoke(&kid(1), ISSUED).await.unwrap();
    for version in [1, 2] {
        let version = RecordVersion::new(version);
        store
            .rehash(&kid(1), version, 1.into(), &verifier(2))
            .await
            .unwrap();
    }
    let loaded = store.load(&kid(1)).await.unwrap().unwrap();
    assert!(matches!(loaded.state, RecordState::Revoked));
}

async fn the_latest_use_is_kept(store: Arc<dyn KeyStore>) {
    store.insert(&record(1)).await.unwrap();
    store.insert(&record(2)).await.unwrap();
    for date in [20, 30, 10] {
        store
            .touch(&[(kid(1), UnixMillis::new(date)), (kid(9), ISSUED)])
            .await
            .unwrap();
    }
    let used = store.load(&kid(1)).await.unwrap().unwrap();
    assert_eq!(used.last_used, Some(UnixMillis::new(30)));
    assert_eq!(used.version, RecordVersion::FIRST);
    assert_eq!(store.load(&kid(2)).await.unwrap().unwrap().last_used, None);
}

async fn pages_are_in_the_order_of_kids(store: Arc<dyn KeyStore>) {
    for number in [3, 1, 5, 2, 4] {
        let tenant = if number % 2 == 0 { "even" } else { "odd" }
            .parse()
            .unwrap();
        store
            .insert(&KeyRecord {
                tenant,
                ..record(number)
            })
            .await
            .unwrap();
    }
    let listed = async |query: KeyQuery| {
        let records = store.list(&query).await.unwrap();
        records.iter().map(|record| record.kid).collect::<Vec<_>>()
    };
    let first = KeyQuery::first(limit(2));
    assert_eq!(listed(first.clone()).await, [kid(1), kid(2)]);
    assert_eq!(listed(first.clone().after(kid(4))).await, [kid(5)]);
    let odd = first.of_tenant("odd".parse().unwrap());
    assert_eq!(listed(odd.clone()).await, [kid(1), kid(3)]);
    assert_eq!(listed(odd.clone().after(kid(3))).await, [kid(5)]);
    assert_eq!(listed(odd.of_tenant("nobody".parse().unwrap())).await, []);
}

fn kid(number: u64) -> Kid {
    format!("{number:022}").parse().unwrap()
}

pub(crate) fn record(number: u64) -> KeyRecord {
    KeyRecord {
        kid: kid(number),
        tenant: "tenant-7".parse().unwrap(),
        tier: Tier::Free,
        scopes: "".parse().unwrap(),
        version: RecordVersion::FIRST,
        not_before: None,
        expires_at: None,
        created_at: ISSUED,
        last_used: None,
        state: RecordState::Active(verifier(1)),
    }
}

fn verifier(pepper: u16) -> Verifier {
    let [_, byte] = pepper.to_be_bytes();
    Verifier {
        pepper: pepper.into(),
        hash: KeyHash::new([byte; 32]),
        row_mac: RowMac::new([!byte; 32]),
    }
}

fn limit(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

async fn changes(store: &Arc<dyn KeyStore>, after: u64) -> Vec<(u64, Kid, u64)> {
    let page = store
        .changes_after(OutboxSeq::new(after), limit(100))
        .await
        .unwrap();
    let plain = |change: &Change| (change.seq.as_u64(), change.kid, change.version.as_u64());
    page.changes.iter().map(plain).collect()
}

fn assert_same(loaded: &KeyRecord, expected: &KeyRecord) {
    let state = |record: &KeyRecord| match record.state {
        RecordState::Revoked => None,
        RecordState::Active(Verifier {
            pepper,
            hash,
            row_mac,
        }) => Some((pepper, *hash.as_bytes(), *row_mac.as_bytes())),
    };
    assert_eq!(state(loaded), state(expected));
    // What is left is told apart by `Debug`, except for the redacted bytes compared above.
    assert_eq!(format!("{loaded:?}"), format!("{expected:?}"));
}
