//! A process that starts while its keys are in use.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, Warmed, WarmingEnd,
    observer::{DenialReason, Event},
    store::MemoryKeyStore,
};
use tokio::task::JoinHandle;

use crate::support::{Node, eventually, peppers};

const ALL: NonZeroU16 = NonZeroU16::new(1_000).unwrap();
const KEYS: usize = 50;

/// A store whose keys were used a minute ago, and a process that starts on it.
async fn restarted() -> (Node, Vec<ApiKey>) {
    let store = Arc::new(MemoryKeyStore::new());
    let mut before = Node::on(Arc::clone(&store), |builder| builder);
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        let key = before.issue().await.into_key();
        assert!(before.accepts(&key).await);
        keys.push(key);
    }
    before.pass(Duration::from_secs(60)).await;
    let node = Node::on(store, |builder| {
        builder.store_timeout(Duration::from_secs(2))
    });
    node.clock.advance(Duration::from_secs(60));
    (node, keys)
}

fn start(node: &Node, limit: NonZeroU16) -> JoinHandle<Warmed> {
    let cache = node.cache.clone();
    tokio::spawn(async move { cache.warm(limit).await })
}

/// Follows the feed until warming ends, for 15 s at most.
async fn end(node: &mut Node, warming: JoinHandle<Warmed>) -> Warmed {
    for _ in 0..150 {
        if warming.is_finished() {
            break;
        }
        node.pass(Duration::from_millis(100)).await;
    }
    assert!(warming.is_finished());
    warming.await.unwrap()
}

async fn warm(node: &mut Node, limit: NonZeroU16) -> (u64, u64, WarmingEnd) {
    let warming = start(node, limit);
    let Warmed {
        loaded,
        failed,
        end,
        ..
    } = end(node, warming).await;
    (loaded, failed, end)
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_loaded_before_its_use_is_hashed_under_the_primary_pepper() {
    let store = Arc::new(MemoryKeyStore::new());
    let mut before = Node::on(Arc::clone(&store), |builder| builder);
    let [validated, for_scopes] = [
        before.issue().await.into_key(),
        before.issue().await.into_key(),
    ];
    for key in [&validated, &for_scopes] {
        assert!(before.accepts(key).await);
    }
    before.pass(Duration::from_secs(60)).await;
    let mut node = Node::with_peppers(store, peppers(2, &[1, 2]), |builder| builder);
    node.clock.advance(Duration::from_secs(60));
    let warmed = warm(&mut node, ALL).await;
    assert_eq!(warmed, (2, 0, WarmingEnd::Complete));
    for _ in 0..2 {
        assert!(node.accepts(&validated).await);
        let needed = "events:write".parse().unwrap();
        node.cache.validate_for(&for_scopes, &needed).await.unwrap();
    }
    let stats = node.cache.stats();
    assert_eq!((stats.hits, stats.misses), (4, 0));
    assert_eq!(node.store.rehashes(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_restarted_process_answers_its_first_requests_without_a_miss() {
    let (mut node, keys) = restarted().await;
    let warmed = warm(&mut node, ALL).await;
    assert_eq!(warmed, (KEYS as u64, 0, WarmingEnd::Complete));
    for key in &keys {
        assert!(node.accepts(key).await);
    }
    let stats = node.cache.stats();
    assert_eq!((stats.hits, stats.misses), (KEYS as u64, 0));
    assert_eq!(node.store.loads(), KEYS);
    let event = |event: &Event| {
        matches!(
            event,
            Event::Warmed {
                loaded: 50,
                failed: 0
            }
        )
    };
    assert_eq!(node.events.count(event), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_limit_and_nothing_that_was_used_long_ago_is_loaded() {
    let (mut node, _) = restarted().await;
    let ten = NonZeroU16::new(10).unwrap();
    assert_eq!(warm(&mut node, ten).await, (10, 0, WarmingEnd::Complete));
    node.clock.advance(Duration::from_secs(600));
    node.pass(Duration::from_secs(1)).await;
    assert_eq!(warm(&mut node, ALL).await, (0, 0, WarmingEnd::Complete));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_loaded_before_the_feed_was_read() {
    let (mut node, _) = restarted().await;
    let warming = start(&node, ALL);
    node.pass_without_following(Duration::from_secs(5)).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(node.store.loads(), 0);
    let warmed = end(&mut node, warming).await;
    assert_eq!(warmed.loaded, KEYS as u64);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_during_warming_is_refused() {
    let (mut node, keys) = restarted().await;
    let other = Node::on(node.store.current(), |builder| builder);
    node.store.slow_down();
    let warming = start(&node, ALL);
    node.pass(Duration::from_millis(400)).await;
    eventually(|| node.store.loads() == 16).await;
    let all = keys.iter().map(ApiKey::kid);
    for kid in all {
        other.cache.revoke(kid).await.unwrap();
    }
    // The changes are read while the loads, which have read good records, have no answer yet.
    node.pass(Duration::from_millis(500)).await;
    node.store.open();
    node.store.let_answer(KEYS);
    let warmed = end(&mut node, warming).await;
    assert_eq!((warmed.loaded, warmed.failed), (0, 0), "{warmed:?}");
    for key in &keys {
        assert_eq!(node.denial(key).await, DenialReason::Revoked);
    }
}

#[tokio::test(start_paused = true)]
async fn warming_ends_though_the_store_is_down() {
    let (mut node, _) = restarted().await;
    node.store.cut();
    let warmed = warm(&mut node, ALL).await;
    assert_eq!(warmed, (0, 0, WarmingEnd::FeedNotRead));

    node.store.cut_loads();
    let warmed = warm(&mut node, ALL).await;
    assert_eq!(warmed, (0, KEYS as u64, WarmingEnd::Complete));

    node.store.slow_down();
    node.store.let_answer(7);
    let warmed = warm(&mut node, ALL).await;
    assert_eq!(warmed, (7, KEYS as u64 - 7, WarmingEnd::Complete));

    node.store.open();
    node.pass(Duration::from_secs(1)).await;
    node.store.silence();
    let warming = start(&node, ALL);
    let warmed = end(&mut node, warming).await;
    assert_eq!((warmed.loaded, warmed.end), (0, WarmingEnd::StoreFailed));
}

#[tokio::test(start_paused = true)]
async fn warming_ends_after_10_s_though_the_store_is_slow() {
    let store = Arc::new(MemoryKeyStore::new());
    let mut before = Node::on(Arc::clone(&store), |builder| builder);
    for _ in 0..KEYS {
        let key = before.issue().await.into_key();
        assert!(before.accepts(&key).await);
    }
    before.pass(Duration::from_secs(60)).await;
    let mut node = Node::on(store, |builder| {
        builder.store_timeout(Duration::from_secs(20))
    });
    node.store.slow_down();
    node.store.let_answer(20);
    let warming = start(&node, ALL);
    node.pass(Duration::from_millis(9_900)).await;
    assert!(!warming.is_finished());
    let warmed = end(&mut node, warming).await;
    assert_eq!((warmed.loaded, warmed.failed), (20, 30));
    assert_eq!(warmed.end, WarmingEnd::TimeUp);
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_or_a_cache_there_is_nothing_to_do() {
    let store = Arc::new(MemoryKeyStore::new());
    let off = Node::on(Arc::clone(&store), |builder| builder.without_cache());
    let without_feed = ApiKeyCache::builder_without_feed(store, peppers(1, &[1])).build();
    for cache in [&off.cache, &without_feed] {
        assert_eq!(cache.warm(ALL).await.end, WarmingEnd::NoCache);
    }
}
