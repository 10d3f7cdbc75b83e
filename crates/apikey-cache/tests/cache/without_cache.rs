//! A cache that is off.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKeyCacheBuilder, Denied,
    clock::Clock as _,
    observer::{DenialReason, Event},
    store::{KeyStore as _, MemoryKeyStore, UnixMillis},
};
use tokio::task::JoinHandle;

use crate::support::{DEADLINE, Node, eventually, peppers, request, with_wrong_secret};

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

fn off_and_slow(off: fn(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder) -> Node {
    let node = Node::on(Arc::new(MemoryKeyStore::new()), |builder| {
        off(builder).store_timeout(DEADLINE)
    });
    node.store.slow_down();
    node
}

#[tokio::test]
async fn requests_of_one_key_ask_twice_at_once_and_are_answered_by_what_was_read_after_they_came() {
    for off in WAYS {
        let node = off_and_slow(off);
        let key = node.issue().await.into_key();
        let mut early = Vec::new();
        for loads in 1..=2 {
            early.push(request(&node, &key));
            eventually(|| node.store.loads() == loads).await;
        }
        // Elsewhere, so that nothing tells this cache that what was read is too old.
        let at = UnixMillis::saturating_from(node.clock.wall());
        node.store.current().revoke(key.kid(), at).await.unwrap();
        let later: Vec<_> = (0..100).map(|_| request(&node, &key)).collect();
        eventually(|| node.cache.stats().direct_validations == 102).await;
        let other = node.issue().await.into_key();
        let of_another_key = request(&node, &other);
        eventually(|| node.store.loads() == 3).await;
        node.store.let_answer(3);
        for early in early {
            assert!(early.await.unwrap(), "it was read before");
        }
        assert!(of_another_key.await.unwrap());
        eventually(|| node.store.loads() == 4).await;
        // It comes too late for the load of those.
        let last = request(&node, &key);
        eventually(|| node.store.loads() == 5).await;
        node.store.let_answer(2);
        for later in later.into_iter().chain([last]) {
            assert!(!later.await.unwrap());
        }
        assert_eq!(node.store.loads(), 5);
        assert_eq!(node.store.most_loads_at_once(), 3);
    }
}

#[tokio::test]
async fn requests_that_are_given_up_hold_nobody_up() {
    for off in WAYS {
        let node = off_and_slow(off);
        let key = node.issue().await.into_key();
        let give_up = async |requests: Vec<JoinHandle<bool>>| {
            for request in requests {
                request.abort();
                assert!(request.await.unwrap_err().is_cancelled());
            }
        };
        // Of a load under way, and of the one that waits for it.
        let first = request(&node, &key);
        eventually(|| node.store.loads() == 1).await;
        let second = request(&node, &key);
        eventually(|| node.store.loads() == 2).await;
        let [third, fourth] = [(); 2].map(|()| request(&node, &key));
        eventually(|| node.cache.stats().direct_validations == 4).await;
        give_up(vec![first, third]).await;
        node.store.let_answer(3);
        assert!(second.await.unwrap() && fourth.await.unwrap());
        assert_eq!(node.store.loads(), 3);

        // All of them.
        let mut all = Vec::new();
        for loads in 4..=5 {
            all.push(request(&node, &key));
            eventually(|| node.store.loads() == loads).await;
        }
        all.insert(0, request(&node, &key));
        eventually(|| node.cache.stats().direct_validations == 7).await;
        give_up(all).await;
        let last = request(&node, &key);
        eventually(|| node.store.loads() == 6).await;
        node.store.let_answer(1);
        assert!(last.await.unwrap());
    }
}

#[tokio::test]
async fn a_load_that_meets_a_revocation_here_lets_nobody_pass() {
    for off in WAYS {
        let node = off_and_slow(off);
        let issued = node.issue().await;
        let waiting = request(&node, issued.key());
        eventually(|| node.store.loads() == 1).await;
        node.cache.revoke(issued.kid()).await.unwrap();
        node.store.let_answer(2);
        assert!(!waiting.await.unwrap());
        assert_eq!(node.cache.stats().loads_discarded, 1);
    }
}
