//! Hearing of what other processes do, and not hearing of it.

use std::sync::Arc;
use std::time::Duration;

use portcullis_apikey_cache::{
    ApiKey, Clock, Denied, Event, KeyStore, MemoryKeyStore, OutboxGap, Refusal,
};

use crate::support::Node;

const UNAVAILABLE: Denied = Denied::Unavailable {
    retry_after: Duration::from_secs(1),
};

/// Two processes on one store; the first has the key of the second cached.
async fn two_nodes() -> (Node, Node, ApiKey) {
    let store = Arc::new(MemoryKeyStore::new());
    let mut one = Node::on(Arc::clone(&store) as _, |builder| builder);
    let other = Node::on(store, |builder| builder);
    let key = other.issue().await.into_key();
    one.hear();
    assert!(one.accepts(&key).await);
    (one, other, key)
}

#[tokio::test(start_paused = true)]
async fn a_revocation_is_effective_at_once_where_it_is_made() {
    let node = Node::new();
    let issued = node.issue().await;
    assert!(node.accepts(issued.key()).await);
    node.cache.revoke(issued.kid()).await.unwrap();
    assert_eq!(node.refusal(issued.key()).await, Refusal::Revoked);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_by_another_process_is_heard_within_500_ms() {
    let (mut node, other, key) = two_nodes().await;
    // At whatever moment between two readings.
    for _ in 0..10 {
        let issued = other.issue().await;
        assert!(node.accepts(issued.key()).await);
        other.cache.revoke(issued.kid()).await.unwrap();
        node.pass(Duration::from_millis(500)).await;
        assert_eq!(node.refusal(issued.key()).await, Refusal::Revoked);
        node.pass(Duration::from_millis(130)).await;
    }
    assert!(node.accepts(&key).await);
    assert_eq!(node.cache.stats().outbox_gaps, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_answered_from_memory_before_the_outbox_was_read() {
    let (_, other, key) = two_nodes().await;
    assert!(other.accepts(&key).await);
    assert!(other.accepts(&key).await);
    assert_eq!(other.store.loads(), 2);
    assert_eq!(other.cache.stats().direct_validations, 2);
    assert_eq!(other.cache.stats().confirmed_for, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn unheard_for_3_s_the_store_is_asked_for_every_request() {
    let (node, other, key) = two_nodes().await;
    other.cache.revoke(key.kid()).await.unwrap();
    assert_eq!(node.cache.stats().confirmed_for, Duration::from_secs(3));
    node.pass_unheard(Duration::from_millis(2_999)).await;
    assert!(node.accepts(&key).await, "not heard of yet");
    assert_eq!(node.store.loads(), 1);

    node.pass_unheard(Duration::from_millis(1)).await;
    assert_eq!(node.refusal(&key).await, Refusal::Revoked);
    assert_eq!(node.refusal(&key).await, Refusal::Revoked);
    assert_eq!(node.store.loads(), 3);
    assert_eq!(node.cache.stats().direct_validations, 2);
}

#[tokio::test(start_paused = true)]
async fn without_the_store_keys_are_good_for_3_s_and_then_unavailable() {
    let (mut node, other, key) = two_nodes().await;
    node.store.cut();
    node.pass(Duration::from_millis(2_999)).await;
    assert!(node.accepts(&key).await);
    node.pass(Duration::from_millis(1)).await;
    assert_eq!(node.cache.validate(&key).await.unwrap_err(), UNAVAILABLE);

    // What happened meanwhile is heard before anything is answered from memory again.
    other.cache.revoke(key.kid()).await.unwrap();
    node.store.open();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.refusal(&key).await, Refusal::Revoked);
    assert_eq!(node.cache.stats().outbox_gaps, 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_is_no_sign_of_life() {
    let (mut node, _, key) = two_nodes().await;
    node.store.silence();
    node.pass(Duration::from_secs(3)).await;
    assert_eq!(node.cache.validate(&key).await.unwrap_err(), UNAVAILABLE);
    let failed = |event: &Event| matches!(event, Event::StoreFailed(_));
    assert!(node.events.count(failed) > 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_cached_before_an_outage_is_used_again_after_it() {
    let (mut node, _, key) = two_nodes().await;
    node.store.cut();
    node.pass(Duration::from_secs(10)).await;
    node.store.open();
    node.pass(Duration::from_millis(500)).await;
    assert!(node.accepts(&key).await);
    assert_eq!(node.store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gap_in_the_outbox_drops_everything_cached() {
    let (mut node, other, key) = two_nodes().await;
    node.store.cut();
    let revoked = other.cache.revoke(key.kid());
    revoked.await.unwrap();
    // More than an hour later that change is dropped.
    let hour = Duration::from_secs(3_600);
    other.clock.advance(hour + Duration::from_secs(1));
    other.issue().await;
    node.store.open();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.refusal(&key).await, Refusal::Revoked);
    let gaps = |event: &Event| matches!(event, Event::OutboxGap(OutboxGap::Missing));
    assert_eq!(node.events.count(gaps), 1);
    node.pass(Duration::from_secs(2)).await;
    assert_eq!(node.events.count(gaps), 1, "one gap is found once");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_drops_everything_cached() {
    let (mut node, _, key) = two_nodes().await;
    node.store.lead_to(Arc::new(MemoryKeyStore::new()));
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.refusal(&key).await, Refusal::Unknown);
    let gaps = |event: &Event| matches!(event, Event::OutboxGap(OutboxGap::Regressed));
    assert_eq!(node.events.count(gaps), 1);
    node.pass(Duration::from_secs(2)).await;
    assert_eq!(node.events.count(gaps), 1, "one gap is found once");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_put_back_is_believed() {
    let (mut node, other, key) = two_nodes().await;
    let backup = MemoryKeyStore::new();
    let record = node.store.load(key.kid()).await.unwrap().unwrap();
    backup.insert(&record).await.unwrap();
    other.cache.revoke(key.kid()).await.unwrap();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.refusal(&key).await, Refusal::Revoked);

    node.store.lead_to(Arc::new(backup));
    node.pass(Duration::from_millis(500)).await;
    assert!(
        node.accepts(&key).await,
        "the key is good in the store as it is now"
    );
}

#[tokio::test(start_paused = true)]
async fn more_changes_than_a_page_holds_are_heard_at_once() {
    let (mut node, other, key) = two_nodes().await;
    for _ in 0..2_500 {
        other.issue().await;
    }
    other.cache.revoke(key.kid()).await.unwrap();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.refusal(&key).await, Refusal::Revoked);
    assert_eq!(node.cache.stats().outbox_gaps, 0);
    let pages = |event: &Event| matches!(event, Event::OutboxRead { changes: 1_000, .. });
    assert_eq!(node.events.count(pages), 2);
}

#[tokio::test(start_paused = true)]
async fn a_follower_ends_with_the_last_handle() {
    let node = Node::new();
    let follow = tokio::spawn(node.cache.follow());
    tokio::task::yield_now().await;
    drop(node);
    follow.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn uses_are_written_within_two_minutes() {
    let mut node = Node::new();
    let issued = node.issue().await;
    assert_eq!(
        node.cache.record(issued.kid()).await.unwrap().last_used(),
        None
    );
    node.pass(Duration::from_secs(100)).await;
    let used_at = node.clock.date();
    for _ in 0..60 {
        assert!(node.accepts(issued.key()).await);
        node.pass(Duration::from_secs(2)).await;
    }
    let info = node.cache.record(issued.kid()).await.unwrap();
    let written = info.last_used().unwrap();
    assert!(written > used_at && written < used_at + Duration::from_secs(120));
}
