//! When keys were last used, as it is written.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKeyCache,
    clock::Clock,
    store::{KeyStore, MemoryKeyStore},
};
use tokio::time::timeout;

use crate::support::{Node, peppers};

#[tokio::test(start_paused = true)]
async fn uses_are_written_within_two_minutes() {
    let mut node = Node::new();
    let issued = node.issue().await;
    assert_eq!(
        node.cache.record(issued.kid()).await.unwrap().last_used(),
        None
    );
    node.pass(Duration::from_secs(100)).await;
    let used_at = node.clock.wall();
    for _ in 0..60 {
        assert!(node.accepts(issued.key()).await);
        node.pass(Duration::from_secs(2)).await;
    }
    let info = node.cache.record(issued.kid()).await.unwrap();
    let written = info.last_used().unwrap();
    assert!(written > used_at && written < used_at + Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn uses_that_a_store_did_not_take_are_written_the_next_time() {
    let mut node = Node::new();
    let mut issued = Vec::new();
    for _ in 0..600 {
        issued.push(node.issue().await);
    }
    let used_at = node.clock.wall();
    for issued in &issued {
        assert!(node.accepts(issued.key()).await);
    }
    node.store.cut();
    node.pass(Duration::from_secs(30)).await;
    assert_eq!(node.store.uses(), [500], "the others would fail too");
    node.store.open();
    node.pass(Duration::from_secs(31)).await;
    assert_eq!(node.store.uses(), [500, 500, 100]);
    for issued in &issued {
        let info = node.cache.record(issued.kid()).await.unwrap();
        assert_eq!(info.last_used(), Some(used_at));
    }
    node.pass(Duration::from_secs(60)).await;
    assert_eq!(node.store.uses().len(), 3, "nothing is written twice");
}

#[tokio::test(start_paused = true)]
async fn uses_are_written_in_batches_between_which_others_have_their_turn() {
    let node = Node::new();
    for _ in 0..1_700 {
        let issued = node.issue().await;
        assert!(node.accepts(issued.key()).await);
    }
    let leaving = timeout(Duration::from_millis(100), node.cache.leave());
    assert!(leaving.await.is_err());
    assert_eq!(node.store.uses(), [500]);
    node.cache.leave().await;
    assert_eq!(node.store.uses(), [500, 500, 500, 200]);
}

#[tokio::test(start_paused = true)]
async fn uses_are_written_without_a_feed_too() {
    let store = Arc::new(MemoryKeyStore::new());
    let node = Node::on(Arc::clone(&store), |builder| builder);
    let key = node.issue().await.into_key();
    let cache = ApiKeyCache::builder_without_feed(Arc::clone(&store) as _, peppers(1, &[1]))
        .clock(Arc::clone(&node.clock) as _)
        .build();
    let follow = tokio::spawn(cache.follow());
    cache.validate(&key).await.unwrap();
    tokio::time::sleep(Duration::from_secs(31)).await;
    let record = store.load(key.kid()).await.unwrap().unwrap();
    assert!(record.last_used.is_some());
    drop(cache);
    follow.await.unwrap();
}
