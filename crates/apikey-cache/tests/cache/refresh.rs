//! Records that are loaded again before their time is over.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKey,
    observer::{DenialReason, Event, Refresh},
    store::MemoryKeyStore,
};

use crate::support::{Node, with_wrong_secret};

const TTL: Duration = Duration::from_secs(60);

fn outcomes(node: &Node, outcome: Refresh) -> usize {
    let is_it = |event: &Event| matches!(event, Event::Refreshed(found) if *found == outcome);
    node.events.count(is_it)
}

#[tokio::test(start_paused = true)]
async fn a_key_in_use_is_missed_once_and_never_again() {
    let mut node = Node::new();
    let issued = node.issue().await;
    for _ in 0..10 * 60 * 5 {
        assert!(node.accepts(issued.key()).await);
        node.pass(Duration::from_millis(200)).await;
    }
    assert_eq!(node.cache.stats().misses, 1);
    let renewed = outcomes(&node, Refresh::Renewed);
    // Each lasts between a half and the whole of the time to live.
    assert!((9..=20).contains(&renewed), "{renewed}");
    assert_eq!(node.store.loads(), 1 + renewed);
    let stats = node.cache.stats();
    assert_eq!(stats.refreshes, renewed as u64);
    assert_eq!(stats.refreshes_failed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_in_use_is_not_loaded_again() {
    let mut node = Node::new();
    let issued = node.issue().await;
    // Used until it could be loaded again, and only by who does not have it after that.
    assert!(node.accepts(issued.key()).await);
    node.pass(TTL / 2 - Duration::from_millis(1)).await;
    assert!(node.accepts(issued.key()).await);
    for _ in 0..60 {
        let wrong = with_wrong_secret(&issued);
        node.denial(&wrong).await;
        node.pass(Duration::from_millis(500)).await;
    }
    assert_eq!(node.store.loads(), 1);
    assert_eq!(node.cache.stats().refreshes, 0);
}

/// A key whose record is due, since its time is over in a millisecond.
async fn due() -> (Node, ApiKey) {
    let mut node = Node::with_long_timeout();
    let key = node.issue().await.into_key();
    assert!(node.accepts(&key).await);
    node.pass(TTL - Duration::from_millis(1)).await;
    (node, key)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_hits_when_it_is_due_make_one_read_and_none_of_them_waits() {
    let (mut node, key) = due().await;
    node.store.slow_down();
    for _ in 0..1_000 {
        assert!(node.accepts(&key).await, "from memory: the store is slow");
        node.follow();
    }
    assert_eq!(node.store.loads(), 2);
    assert_eq!(node.cache.stats().misses, 1);
    node.store.let_answer(1);
    node.pass(Duration::from_secs(10)).await;
    assert!(node.accepts(&key).await);
    assert_eq!(node.store.loads(), 2);
    assert_eq!(outcomes(&node, Refresh::Renewed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_meets_a_revocation_does_not_bring_the_key_back() {
    let (mut node, key) = due().await;
    node.store.slow_down();
    assert!(node.accepts(&key).await);
    node.follow();
    assert_eq!(node.store.loads(), 2, "it has read the good record");
    node.cache.revoke(key.kid()).await.unwrap();
    node.store.open();
    node.store.let_answer(1);
    for _ in 0..20 {
        assert_eq!(node.denial(&key).await, DenialReason::Revoked);
        node.pass(Duration::from_millis(100)).await;
    }
    assert_eq!(outcomes(&node, Refresh::Renewed), 0);
    assert_eq!(outcomes(&node, Refresh::Withdrawn), 1);
    assert_eq!(node.cache.stats().loads_discarded, 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_finds_a_key_revoked_ends_it_before_the_feed_tells_of_it() {
    let (mut node, key) = due().await;
    let other = Node::on(node.store.current(), |builder| builder);
    other.cache.revoke(key.kid()).await.unwrap();
    assert!(node.accepts(&key).await, "not known of yet");
    // Twice, as the store answers when it is asked again; the feed is not due.
    for _ in 0..2 {
        node.follow();
        tokio::task::yield_now().await;
    }
    assert_eq!(outcomes(&node, Refresh::Withdrawn), 1);
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn without_the_store_a_record_is_used_until_its_end_and_not_longer() {
    let mut node = Node::new();
    let issued = node.issue().await;
    let asked = |event: &Event| matches!(event, Event::StoreFailed(_));
    assert!(node.accepts(issued.key()).await);
    node.store.cut_loads();
    for _ in 0..120 {
        assert!(node.accepts(issued.key()).await);
        node.pass(Duration::from_millis(500)).await;
    }
    node.cache.validate(issued.key()).await.unwrap_err();
    let failed = outcomes(&node, Refresh::Failed);
    assert!(failed <= 30, "once a second at most: {failed}");
    assert_eq!(node.cache.stats().refreshes_failed, failed as u64);
    assert_eq!(node.events.count(asked), failed + 1);
    assert_eq!(node.cache.stats().misses, 2);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_costs_a_miss_and_nothing_else() {
    let mut node = Node::on(Arc::new(MemoryKeyStore::new()), |builder| builder);
    node.follow();
    let mut keys = Vec::new();
    for _ in 0..2_000 {
        let issued = node.issue().await;
        assert!(node.accepts(issued.key()).await);
        keys.push(issued.into_key());
    }
    node.pass(TTL - Duration::from_millis(1)).await;
    for key in &keys {
        assert!(node.accepts(key).await);
    }
    node.pass_without_following(Duration::from_millis(1)).await;
    for key in &keys {
        assert!(node.accepts(key).await);
    }
    assert_eq!(node.cache.stats().misses, 4_000);
    for _ in 0..2_000 {
        node.follow();
        tokio::task::yield_now().await;
    }
    assert_eq!(outcomes(&node, Refresh::Renewed), 1_024);
}
