//! A cache that is off.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCacheBuilder, Denied,
    observer::{DenialReason, Event},
    store::MemoryKeyStore,
};

use crate::support::{DEADLINE, Node, eventually, peppers, with_wrong_secret};

/// Two ways to say it, which are the same.
const WAYS: [fn(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder; 2] =
    [ApiKeyCacheBuilder::without_cache, |builder| {
        builder.ttl(Duration::ZERO)
    }];

#[tokio::test(start_paused = true)]
async fn every_validation_asks_the_store_and_is_counted() {
    for off in WAYS {
        let mut node = Node::on(Arc::new(MemoryKeyStore::new()), off);
        node.follow();
        let issued = node.issue().await;
        let wrong = with_wrong_secret(&issued);
        for _ in 0..10 {
            assert!(node.accepts(issued.key()).await);
            assert_eq!(node.denial(&wrong).await, DenialReason::WrongSecret);
            node.pass(Duration::from_millis(500)).await;
        }
        assert_eq!(node.store.loads(), 20);
        let stats = node.cache.stats();
        assert_eq!((stats.direct_validations, stats.misses), (20, 0));
        assert_eq!((stats.entries, stats.hits, stats.negative_hits), (0, 0, 0));
        assert_eq!(stats.confirmed_for, Duration::ZERO);
        let read = |event: &Event| matches!(event, Event::FeedRead { .. });
        assert!(
            node.events.count(read) > 10,
            "the feed is read all the same"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_elsewhere_is_effective_at_the_next_request() {
    let store = Arc::new(MemoryKeyStore::new());
    let other = Node::on(Arc::clone(&store), |builder| builder);
    for off in WAYS {
        let mut node = Node::on(Arc::clone(&store), off);
        node.follow();
        let issued = other.issue().await;
        assert!(node.accepts(issued.key()).await);
        other.cache.revoke(issued.kid()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(node.denial(issued.key()).await, DenialReason::Revoked);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn invented_kids_are_refused_without_the_store_and_a_store_that_is_down_is_a_503() {
    for off in WAYS {
        let node = Node::on(Arc::new(MemoryKeyStore::new()), off);
        let issued = node.issue().await;
        node.store.cut();
        let elsewhere = Node::with_peppers(Arc::new(MemoryKeyStore::new()), peppers(2, &[2]), off);
        let invented = elsewhere.issue().await;
        assert_eq!(node.denial(invented.key()).await, DenialReason::InventedKid);
        let denied = node.cache.validate(issued.key()).await.unwrap_err();
        assert!(matches!(denied, Denied::Unavailable { .. }));
    }
}

#[tokio::test]
async fn a_load_that_meets_a_revocation_here_lets_nobody_pass() {
    for off in WAYS {
        let node = Node::on(Arc::new(MemoryKeyStore::new()), |builder| {
            off(builder).store_timeout(DEADLINE)
        });
        let issued = node.issue().await;
        node.store.slow_down();
        let cache = node.cache.clone();
        let key = ApiKey::parse(issued.key().hazmat_expose()).unwrap();
        let waiting = tokio::spawn(async move { cache.validate(&key).await.is_ok() });
        eventually(|| node.store.loads() == 1).await;
        node.cache.revoke(issued.kid()).await.unwrap();
        node.store.let_answer(2);
        assert!(!waiting.await.unwrap());
        assert_eq!(node.cache.stats().loads_discarded, 1);
    }
}
