//! Peppers that change, and rows that nothing vouches for.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKey, KeyStatus, Tier,
    observer::{DenialReason, Event, RowFault},
    store::{KeyRecord, KeyStore, MemoryKeyStore, RecordState, RecordVersion},
};

use crate::support::{Node, peppers, peppers_of, with_wrong_secret};

fn node(store: &Arc<MemoryKeyStore>, primary: u8, versions: &[u8]) -> Node {
    let mut node = Node::with_peppers(Arc::clone(store), peppers(primary, versions), |builder| {
        builder
    });
    node.follow();
    node
}

async fn pepper_of(store: &MemoryKeyStore, key: &ApiKey) -> u16 {
    let record = store.load(key.kid()).await.unwrap().unwrap();
    let RecordState::Active(verifier) = record.state else {
        panic!("the key is active")
    };
    verifier.pepper.value()
}

#[tokio::test(start_paused = true)]
async fn a_hash_moves_to_the_primary_pepper_at_the_next_use() {
    let store = Arc::new(MemoryKeyStore::new());
    let key = node(&store, 1, &[1]).issue().await.into_key();
    assert_eq!(pepper_of(&store, &key).await, 1);

    let rotated = node(&store, 2, &[1, 2]);
    assert!(rotated.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 2);
    let rehashed = |event: &Event| matches!(event, Event::Rehashed { from } if from.value() == 1);
    assert_eq!(rotated.events.count(rehashed), 1);

    // The old process, which has not the new pepper, refuses; one that has both accepts.
    let old = node(&store, 1, &[1]);
    assert_eq!(old.denial(&key).await, DenialReason::RowRejected);
    let back = node(&store, 1, &[1, 2]);
    assert!(back.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 1);
}

#[tokio::test(start_paused = true)]
async fn many_requests_renew_a_hash_once() {
    let store = Arc::new(MemoryKeyStore::new());
    let key = node(&store, 1, &[1]).issue().await.into_key();
    let rotated = node(&store, 2, &[1, 2]);
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let cache = rotated.cache.clone();
            let key = ApiKey::parse(key.hazmat_expose()).unwrap();
            tokio::spawn(async move { cache.validate(&key).await.is_ok() })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap());
    }
    assert_eq!(rotated.store.rehashes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_renews_no_hash() {
    let store = Arc::new(MemoryKeyStore::new());
    let issued = node(&store, 1, &[1]).issue().await;
    let rotated = node(&store, 2, &[1, 2]);
    let wrong = with_wrong_secret(&issued);
    assert_eq!(rotated.denial(&wrong).await, DenialReason::WrongSecret);
    assert_eq!(rotated.store.rehashes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_row_of_another_pepper_is_reported_and_never_served() {
    let store = Arc::new(MemoryKeyStore::new());
    let key = node(&store, 1, &[1]).issue().await.into_key();
    assert!(node(&store, 2, &[1, 2]).accepts(&key).await);

    // The same versions, but other bytes for the second.
    let wrong = peppers_of(2, &[(1, 1), (2, 0xEE)]);
    let mut misled = Node::with_peppers(Arc::clone(&store), wrong, |builder| builder);
    misled.follow();
    for _ in 0..2 {
        assert_eq!(misled.denial(&key).await, DenialReason::RowRejected);
    }
    let rejected = |event: &Event| matches!(event, Event::RowRejected { kid, fault: RowFault::Mac } if kid == key.kid());
    assert_eq!(
        misled.events.count(rejected),
        1,
        "reported when it was read"
    );
    let info = misled.cache.record(key.kid()).await.unwrap();
    assert_eq!(info.status(), KeyStatus::Unverifiable);
}

#[tokio::test(start_paused = true)]
async fn who_can_write_the_table_can_neither_widen_nor_revive_a_key() {
    let source = Node::new();
    let key = source.issue().await.into_key();
    let genuine = source.store.load(key.kid()).await.unwrap().unwrap();
    source.cache.revoke(key.kid()).await.unwrap();
    let revoked = source.store.load(key.kid()).await.unwrap().unwrap();
    assert!(
        matches!(revoked.state, RecordState::Revoked),
        "nothing to verify with is left"
    );

    let forgeries: [fn(&mut KeyRecord); 4] = [
        |record| record.scopes = "pii:read".parse().unwrap(),
        |record| record.tenant = "tenant-8".parse().unwrap(),
        |record| record.tier = Tier::ENTERPRISE,
        |record| record.version = RecordVersion::new(3),
    ];
    for forge in forgeries {
        let mut forged = genuine.clone();
        forge(&mut forged);
        let store = MemoryKeyStore::new();
        store.insert(&forged).await.unwrap();
        let mut node = Node::on(Arc::new(store), |builder| builder);
        node.follow();
        assert_eq!(node.denial(&key).await, DenialReason::RowRejected);
        assert_eq!(node.cache.stats().rows_rejected, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_hash_of_a_key_in_use_moves_though_its_record_was_loaded_without_it() {
    let store = Arc::new(MemoryKeyStore::new());
    let mut before = node(&store, 1, &[1]);
    let key = before.issue().await.into_key();
    assert!(before.accepts(&key).await);
    before.pass(Duration::from_secs(60)).await;

    let mut rotated = node(&store, 2, &[1, 2]);
    let warmed = rotated.cache.warm(NonZeroU16::MAX).await;
    assert_eq!(warmed.loaded, 1);
    for _ in 0..60 {
        assert!(rotated.accepts(&key).await);
        assert_eq!(pepper_of(&store, &key).await, 1, "it is not missed yet");
        rotated.pass(Duration::from_secs(1)).await;
    }
    assert!(rotated.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 2);
}
