//! One request after another.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKey, Denied, KeyFormat, Scope, Tier,
    clock::Clock,
    observer::{DenialReason, Event, Hit},
    store::{KeyStore, MemoryKeyStore},
};

use crate::support::{Node, new_key, with_wrong_secret};

#[tokio::test(start_paused = true)]
async fn a_key_that_was_issued_is_its_owner() {
    let node = Node::new();
    let issued = node.issue().await;
    let key = ApiKey::parse(issued.key().hazmat_expose()).unwrap();
    for _ in 0..2 {
        let principal = node.cache.validate(&key).await.unwrap();
        assert_eq!(principal.tenant().as_str(), "tenant-7");
        assert_eq!(principal.kid(), issued.kid());
        assert_eq!(principal.tier(), &Tier::STANDARD);
        assert_eq!(principal.scopes().as_str(), "events:write leads:read");
        assert!(principal.allows(&Scope::new("leads:read").unwrap()));
        assert!(!principal.has_scope("pii:read"));
    }
    assert_eq!(node.store.loads(), 1, "the second answer is from memory");
    assert_eq!((node.cache.stats().hits, node.cache.stats().misses), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn every_denial_looks_the_same_to_the_caller() {
    let node = Node::new();
    let elsewhere = Node::new().issue().await;
    let revoked = node.issue().await;
    node.cache.revoke(revoked.kid()).await.unwrap();
    let wrong = with_wrong_secret(&node.issue().await);
    let date = node.clock.wall();
    let second = Duration::from_secs(1);
    let early = node
        .cache
        .issue(new_key().not_before(date + second))
        .await
        .unwrap();
    let late = node
        .cache
        .issue(new_key().expires_at(date + second / 2))
        .await
        .unwrap();
    node.clock.advance(second / 2);

    for (key, reason) in [
        (elsewhere.key(), DenialReason::Unknown),
        (revoked.key(), DenialReason::Revoked),
        (&wrong, DenialReason::WrongSecret),
        (early.key(), DenialReason::NotYetValid),
        (late.key(), DenialReason::Expired),
    ] {
        for _ in 0..2 {
            let denied = node.cache.validate(key).await.unwrap_err();
            assert_eq!(denied, Denied::Unauthorized);
            assert_eq!(denied.to_string(), "the API key is not accepted");
            assert_eq!(node.denial(key).await, reason);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dates_are_honoured_to_the_millisecond_by_cached_records() {
    let node = Node::new();
    let start = node.clock.wall() + Duration::from_millis(10);
    let end = start + Duration::from_millis(10);
    let issued = node
        .cache
        .issue(new_key().not_before(start).expires_at(end))
        .await
        .unwrap();
    for at in 0..30 {
        assert_eq!(
            node.accepts(issued.key()).await,
            (10..20).contains(&at),
            "after {at} ms"
        );
        node.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(node.store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_for_a_cached_kid_never_reaches_the_store() {
    let node = Node::new();
    let issued = node.issue().await;
    let wrong = with_wrong_secret(&issued);
    assert!(node.accepts(issued.key()).await);
    for _ in 0..100 {
        assert_eq!(node.denial(&wrong).await, DenialReason::WrongSecret);
    }
    assert_eq!(node.store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_does_not_keep_the_owner_out() {
    let node = Node::new();
    let issued = node.issue().await;
    assert_eq!(
        node.denial(&with_wrong_secret(&issued)).await,
        DenialReason::WrongSecret
    );
    assert!(node.accepts(issued.key()).await);
}

#[tokio::test(start_paused = true)]
async fn an_invented_kid_never_reaches_the_store() {
    let node = Node::new();
    // Issued under a pepper that the node has not: as good as invented.
    let elsewhere = Node::with_peppers(
        Arc::new(MemoryKeyStore::new()),
        crate::support::peppers(2, &[2]),
        |builder| builder,
    );
    for _ in 0..100 {
        let invented = elsewhere.issue().await;
        assert_eq!(node.denial(invented.key()).await, DenialReason::InventedKid);
    }
    assert_eq!(node.store.loads(), 0);
    assert_eq!(node.cache.stats().prefilter_rejects, 100);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_environment_never_reaches_the_store() {
    let store = Arc::new(MemoryKeyStore::new());
    let test = KeyFormat::new("pcl", "test").unwrap();
    let issued = Node::on(Arc::clone(&store), |builder| builder.format(test))
        .issue()
        .await;
    let mut live = Node::on(store, |builder| builder);
    live.follow();
    assert_eq!(live.denial(issued.key()).await, DenialReason::ForeignFormat);
    assert_eq!(live.store.loads(), 0);
}

#[tokio::test(start_paused = true)]
async fn use_does_not_extend_the_60_seconds_of_a_record() {
    let mut node = Node::new();
    let issued = node.issue().await;
    // In the second half a hit may have it loaded again.
    for _ in 0..30 {
        assert!(node.accepts(issued.key()).await);
        assert_eq!(node.store.loads(), 1);
        node.pass(Duration::from_secs(1)).await;
    }
    node.pass(Duration::from_secs(30)).await;
    assert!(node.accepts(issued.key()).await);
    assert_eq!((node.store.loads(), node.cache.stats().misses), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_longer_time_to_live_is_cut_to_60_seconds() {
    let hour = Duration::from_secs(3_600);
    let mut node = Node::on(Arc::new(MemoryKeyStore::new()), |builder| builder.ttl(hour));
    node.follow();
    let issued = node.issue().await;
    assert!(node.accepts(issued.key()).await);
    node.pass(Duration::from_secs(60)).await;
    assert!(node.accepts(issued.key()).await);
    assert_eq!(node.store.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kid_is_remembered_for_5_to_15_seconds() {
    let mut node = Node::new();
    let elsewhere = Node::new();
    let mut unknown = Vec::new();
    for _ in 0..20 {
        unknown.push(elsewhere.issue().await);
        node.denial(unknown[unknown.len() - 1].key()).await;
    }
    node.pass(Duration::from_millis(4_999)).await;
    for issued in &unknown {
        assert_eq!(node.denial(issued.key()).await, DenialReason::Unknown);
    }
    assert_eq!(node.store.loads(), 20);
    assert_eq!(
        node.events
            .count(|event| matches!(event, Event::Hit(Hit::Negative))),
        20
    );

    node.pass(Duration::from_millis(10_002)).await;
    for issued in &unknown {
        node.denial(issued.key()).await;
    }
    assert_eq!(node.store.loads(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_created_is_not_kept_out_by_having_been_unknown() {
    let mut node = Node::new();
    let elsewhere = Node::new();
    let issued = elsewhere.issue().await;
    assert_eq!(node.denial(issued.key()).await, DenialReason::Unknown);

    let record = elsewhere.store.load(issued.kid()).await.unwrap().unwrap();
    node.store.insert(&record).await.unwrap();
    assert_eq!(node.denial(issued.key()).await, DenialReason::Unknown);
    node.pass(Duration::from_millis(500)).await;
    assert!(node.accepts(issued.key()).await);
}
