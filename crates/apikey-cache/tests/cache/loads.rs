//! Requests at the same time.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use futures_util::FutureExt;
use portcullis_apikey_cache::{
    Denied,
    clock::Clock,
    feed::{ChangeFeed, Invalidation},
    observer::{DenialReason, Discard, Event},
    store::{MemoryKeyStore, UnixMillis},
};

use crate::support::{DEADLINE, Node, eventually, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_misses_at_once_make_one_read() {
    let node = Node::with_long_timeout();
    let issued = node.issue().await;
    node.store.slow_down();
    let requests: Vec<_> = (0..1_000).map(|_| request(&node, issued.key())).collect();
    eventually(|| node.cache.stats().misses == 1_000 && node.store.loads() == 1).await;
    node.store.let_answer(1);
    for request in requests {
        assert!(request.await.unwrap());
    }
    assert_eq!(node.store.loads(), 1);
}

#[tokio::test]
async fn a_cancelled_leader_does_not_fail_the_joiners() {
    let node = Node::with_long_timeout();
    let issued = node.issue().await;
    node.store.slow_down();
    let leader = request(&node, issued.key());
    eventually(|| node.store.loads() == 1).await;
    let joiners: Vec<_> = (0..10).map(|_| request(&node, issued.key())).collect();
    eventually(|| node.cache.stats().misses == 11).await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    node.store.let_answer(1);
    for joiner in joiners {
        assert!(joiner.await.unwrap());
    }
    assert_eq!(node.store.loads(), 1);
}

#[tokio::test]
async fn a_load_that_nobody_waits_for_is_not_joined_later() {
    let node = Node::with_long_timeout();
    let issued = node.issue().await;
    node.store.slow_down();
    let abandoned = request(&node, issued.key());
    eventually(|| node.store.loads() == 1).await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());

    let later = request(&node, issued.key());
    eventually(|| node.store.loads() == 2).await;
    node.store.let_answer(1);
    assert!(later.await.unwrap());
}

#[tokio::test]
async fn a_load_that_began_before_a_revocation_lets_nobody_pass_after_it() {
    let node = Node::with_long_timeout();
    let issued = node.issue().await;
    node.store.slow_down();
    let waiting = request(&node, issued.key());
    eventually(|| node.store.loads() == 1).await;
    node.cache.revoke(issued.kid()).await.unwrap();
    assert_eq!(node.cache.stats().loads_discarded, 0);

    // Later requests do not wait for the load that has read the good record.
    node.store.open();
    assert_eq!(node.denial(issued.key()).await, DenialReason::Revoked);
    assert_eq!(
        node.events.count(|event| matches!(event, Event::Detached)),
        1
    );

    node.store.let_answer(1);
    assert!(!waiting.await.unwrap());
    let discards = |event: &Event| matches!(event, Event::LoadDiscarded(Discard::Generation));
    assert_eq!(node.events.count(discards), 1);
    assert_eq!(node.denial(issued.key()).await, DenialReason::Revoked);
}

#[tokio::test]
async fn a_request_while_the_feed_is_not_read_joins_no_earlier_load() {
    let store = Arc::new(MemoryKeyStore::new());
    let unconfirmed = Node::on(Arc::clone(&store), |builder| {
        builder.store_timeout(DEADLINE)
    });
    let other = Node::on(store, |builder| builder);
    let issued = other.issue().await;
    unconfirmed.store.slow_down();
    let waiting = request(&unconfirmed, issued.key());
    eventually(|| unconfirmed.store.loads() == 1).await;
    other.cache.revoke(issued.kid()).await.unwrap();
    unconfirmed.store.open();
    assert_eq!(
        unconfirmed.denial(issued.key()).await,
        DenialReason::Revoked
    );
    unconfirmed.store.let_answer(1);
    assert!(waiting.await.unwrap(), "it began before the revocation");
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_load_has_read_is_not_used_once_the_feed_is_not_read() {
    let store = Arc::new(MemoryKeyStore::new());
    let mut node = Node::on(Arc::clone(&store), |builder| {
        builder.store_timeout(DEADLINE)
    });
    let other = Node::on(store, |builder| builder);
    let issued = other.issue().await;
    node.follow();
    node.store.slow_down();
    let first = request(&node, issued.key());
    eventually(|| node.store.loads() == 1).await;
    other.cache.revoke(issued.kid()).await.unwrap();
    node.pass_without_following(Duration::from_millis(2_999))
        .await;
    let joining = request(&node, issued.key());
    eventually(|| node.cache.stats().misses == 2).await;
    node.pass_without_following(Duration::from_millis(1)).await;
    node.store.open();
    node.store.let_answer(1);
    assert!(!joining.await.unwrap());
    assert!(!first.await.unwrap());
}

#[tokio::test]
async fn a_load_that_is_overtaken_again_and_again_ends_in_unavailable() {
    let node = Node::with_long_timeout();
    let issued = node.issue().await;
    let other = node.issue().await;
    node.store.slow_down();
    let cache = node.cache.clone();
    let waiting = tokio::spawn(async move { cache.validate(issued.key()).await.map(drop) });
    for attempt in 1..=4 {
        eventually(|| node.store.loads() == attempt).await;
        let at = UnixMillis::saturating_from(node.clock.wall());
        let everything = node.store.invalidate(&Invalidation::All, at);
        everything.await.unwrap();
        // A follower that starts reads the feed first.
        let mut restarted = Box::pin(node.cache.follow());
        assert_eq!((&mut restarted).now_or_never(), None);
        node.store.let_answer(1);
    }
    let denied = waiting.await.unwrap().unwrap_err();
    assert_eq!(
        denied,
        Denied::Unavailable {
            retry_after: Duration::from_secs(1)
        }
    );
    assert_eq!(node.cache.stats().loads_discarded, 4);
    node.store.open();
    assert!(node.accepts(other.key()).await);
}

#[tokio::test]
async fn no_more_loads_than_permitted_ask_the_store_at_once() {
    let two = NonZeroUsize::new(2).unwrap();
    let store = Arc::new(MemoryKeyStore::new());
    let mut node = Node::on(store, |builder| {
        builder.store_concurrency(two).store_timeout(DEADLINE)
    });
    node.follow();
    node.store.slow_down();
    let mut requests = Vec::new();
    for _ in 0..10 {
        requests.push(request(&node, node.issue().await.key()));
    }
    eventually(|| node.cache.stats().misses == 10).await;
    assert_eq!(node.store.loads(), 2);
    node.store.let_answer(10);
    for request in requests {
        assert!(request.await.unwrap());
    }
    assert_eq!(node.store.loads(), 10);
    assert_eq!(node.store.most_loads_at_once(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_ages_from_the_beginning_of_its_load() {
    let mut node = Node::with_long_timeout();
    let issued = node.issue().await;
    node.store.slow_down();
    let waiting = request(&node, issued.key());
    eventually(|| node.store.loads() == 1).await;
    node.pass(Duration::from_secs(5)).await;
    node.store.let_answer(1);
    assert!(waiting.await.unwrap());
    node.store.open();
    node.pass(Duration::from_millis(54_999)).await;
    assert!(node.accepts(issued.key()).await);
    assert_eq!(node.store.loads(), 1);
    // What that hit may have asked for has no time to be loaded.
    node.pass_without_following(Duration::from_millis(1)).await;
    assert!(node.accepts(issued.key()).await);
    assert_eq!(node.store.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_given_a_second() {
    let node = Node::new();
    let issued = node.issue().await;
    node.store.silence();
    let mut validation = Box::pin(node.cache.validate(issued.key()));
    assert!((&mut validation).now_or_never().is_none());
    tokio::time::advance(Duration::from_millis(999)).await;
    assert!((&mut validation).now_or_never().is_none());
    tokio::time::advance(Duration::from_millis(1)).await;
    let denied = validation.now_or_never().unwrap().unwrap_err();
    assert_eq!(
        denied,
        Denied::Unavailable {
            retry_after: Duration::from_secs(1)
        }
    );
    node.store.open();
    assert!(
        node.accepts(issued.key()).await,
        "the failure is not remembered"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_revoked_key_passes_in_2000_rounds() {
    let node = Node::new();
    for round in 0..2_000 {
        let issued = node.issue().await;
        let requests: Vec<_> = (0..4).map(|_| request(&node, issued.key())).collect();
        node.cache.revoke(issued.kid()).await.unwrap();
        let after = request(&node, issued.key());
        assert!(!node.accepts(issued.key()).await, "round {round}");
        assert!(!after.await.unwrap(), "round {round}");
        for request in requests {
            request.await.unwrap();
        }
        assert!(!node.accepts(issued.key()).await, "round {round}");
    }
}
