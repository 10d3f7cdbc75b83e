//! Applying what other processes do, and not learning of it.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use futures_util::FutureExt;
use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, Denied,
    clock::Clock,
    feed::{ChangeFeed, FeedSeq, Invalidation, RETENTION},
    observer::{ChangeName, DenialReason, Event, FeedGap, Origin},
    store::{KeyStore, MemoryKeyStore, UnixMillis},
};

use crate::support::{Node, peppers};

const UNAVAILABLE: Denied = Denied::Unavailable {
    retry_after: Duration::from_secs(1),
};

/// Two processes on one store; the first has the key of the second cached.
async fn two_nodes() -> (Node, Node, ApiKey) {
    let store = Arc::new(MemoryKeyStore::new());
    let mut one = Node::on(Arc::clone(&store), |builder| builder);
    let other = Node::on(store, |builder| builder);
    let key = other.issue().await.into_key();
    one.follow();
    assert!(one.accepts(&key).await);
    (one, other, key)
}

#[tokio::test(start_paused = true)]
async fn a_revocation_is_effective_at_once_where_it_is_made() {
    let node = Node::new();
    let issued = node.issue().await;
    assert!(node.accepts(issued.key()).await);
    node.cache.revoke(issued.kid()).await.unwrap();
    assert_eq!(node.denial(issued.key()).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_by_another_process_is_applied_within_500_ms() {
    let (mut node, other, key) = two_nodes().await;
    // At whatever moment between two readings.
    for _ in 0..10 {
        let issued = other.issue().await;
        assert!(node.accepts(issued.key()).await);
        other.cache.revoke(issued.kid()).await.unwrap();
        node.pass(Duration::from_millis(500)).await;
        assert_eq!(node.denial(issued.key()).await, DenialReason::Revoked);
        node.pass(Duration::from_millis(130)).await;
    }
    assert!(node.accepts(&key).await);
    assert_eq!(node.cache.stats().feed_gaps, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_answered_from_memory_before_the_feed_was_read() {
    let (_, other, key) = two_nodes().await;
    assert!(other.accepts(&key).await);
    assert!(other.accepts(&key).await);
    assert_eq!(other.store.loads(), 2);
    assert_eq!(other.cache.stats().direct_validations, 2);
    assert_eq!(other.cache.stats().confirmed_for, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn without_the_feed_for_3_s_the_store_is_asked_for_every_request() {
    let (node, other, key) = two_nodes().await;
    other.cache.revoke(key.kid()).await.unwrap();
    assert_eq!(node.cache.stats().confirmed_for, Duration::from_secs(3));
    node.pass_without_following(Duration::from_millis(2_999))
        .await;
    assert!(node.accepts(&key).await, "not known of yet");
    assert_eq!(node.store.loads(), 1);

    node.pass_without_following(Duration::from_millis(1)).await;
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);
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

    // What happened meanwhile is applied before anything is answered from memory again.
    other.cache.revoke(key.kid()).await.unwrap();
    node.store.open();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);
    assert_eq!(node.cache.stats().feed_gaps, 0);
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
async fn a_gap_in_the_feed_drops_everything_cached() {
    let (mut node, other, key) = two_nodes().await;
    node.store.cut();
    let revoked = other.cache.revoke(key.kid());
    revoked.await.unwrap();
    // Longer than the retention later that change is trimmed.
    other.clock.advance(RETENTION + Duration::from_secs(1));
    other.issue().await;
    let kept = UnixMillis::saturating_from(other.clock.wall()).saturating_sub(RETENTION);
    other.store.trim(kept).await.unwrap();
    node.store.open();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);
    let gaps = |event: &Event| matches!(event, Event::FeedGap(FeedGap::Missing));
    assert_eq!(node.events.count(gaps), 1);
    node.pass(Duration::from_secs(2)).await;
    assert_eq!(node.events.count(gaps), 1, "one gap is found once");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_drops_everything_cached() {
    let (mut node, _, key) = two_nodes().await;
    node.store.switch_to(Arc::new(MemoryKeyStore::new()));
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.denial(&key).await, DenialReason::Unknown);
    let gaps = |event: &Event| matches!(event, Event::FeedGap(FeedGap::Regressed));
    assert_eq!(node.events.count(gaps), 1);
    node.pass(Duration::from_secs(2)).await;
    assert_eq!(node.events.count(gaps), 1, "one gap is found once");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_restored_is_believed() {
    let (mut node, other, key) = two_nodes().await;
    let backup = MemoryKeyStore::new();
    let record = node.store.load(key.kid()).await.unwrap().unwrap();
    backup.insert(&record).await.unwrap();
    other.cache.revoke(key.kid()).await.unwrap();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);

    node.store.switch_to(Arc::new(backup));
    node.pass(Duration::from_millis(500)).await;
    assert!(
        node.accepts(&key).await,
        "the key is good in the store as it is now"
    );
}

#[tokio::test(start_paused = true)]
async fn more_changes_than_a_page_holds_are_applied_at_once() {
    let (mut node, other, key) = two_nodes().await;
    for _ in 0..2_500 {
        other.issue().await;
    }
    other.cache.revoke(key.kid()).await.unwrap();
    node.pass(Duration::from_millis(500)).await;
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);
    assert_eq!(node.cache.stats().feed_gaps, 0);
    let pages = |event: &Event| matches!(event, Event::FeedRead { changes: 1_000, .. });
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
async fn a_feed_that_tells_of_changes_is_read_at_once() {
    let (mut node, other, key) = two_nodes().await;
    node.store.tell_at_once();
    // The reading that is due by time, after which the follower waits for the feed.
    node.pass(Duration::from_millis(400)).await;
    other.cache.revoke(key.kid()).await.unwrap();
    node.pass(Duration::from_millis(10)).await;
    assert_eq!(node.denial(&key).await, DenialReason::Revoked);
    assert_eq!(
        node.store.loads(),
        2,
        "it asked the store again since it was told"
    );

    // One reading every 10 ms at most, however many changes there are.
    let readings = |event: &Event| matches!(event, Event::FeedRead { .. });
    let before = node.events.count(readings);
    for _ in 0..100 {
        other.issue().await;
        node.follow();
    }
    node.pass(Duration::from_millis(10)).await;
    assert!(node.events.count(readings) - before <= 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_every_request_asks_the_store() {
    let store = Arc::new(MemoryKeyStore::new());
    let other = Node::on(Arc::clone(&store), |builder| builder);
    let key = other.issue().await.into_key();
    let cache = ApiKeyCache::builder_without_feed(store, peppers(1, &[1]))
        .clock(Arc::clone(&other.clock) as _)
        .build();
    let mut follow = Box::pin(cache.follow());
    for _ in 0..3 {
        assert_eq!((&mut follow).now_or_never(), None);
        assert!(cache.validate(&key).await.is_ok());
    }
    other.cache.revoke(key.kid()).await.unwrap();
    assert_eq!(
        cache.validate(&key).await.unwrap_err(),
        Denied::Unauthorized
    );
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.direct_validations), (0, 4));
    assert_eq!((stats.entries, stats.confirmed_for), (0, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_feed_is_trimmed_to_the_retention() {
    let mut node = Node::new();
    let old = node.issue().await;
    node.clock.advance(RETENTION);
    node.issue().await;
    node.pass(Duration::from_secs(600)).await;
    let all = NonZeroU16::new(10).unwrap();
    let page = node.store.changes_after(FeedSeq::START, all).await.unwrap();
    assert_eq!(page.head, FeedSeq::new(2));
    let kept: Vec<_> = page.changes.iter().map(|change| change.seq).collect();
    assert_eq!(kept, [FeedSeq::new(2)]);
    assert!(node.accepts(old.key()).await, "trimming changes no key");
    assert_eq!(node.cache.stats().feed_gaps, 0);
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_of_once_with_what_brought_it() {
    let (mut node, other, _) = two_nodes().await;
    node.pass(Duration::from_millis(500)).await;
    let told = |node: &Node, from: Origin, what: ChangeName| {
        let is_it = |event: &Event| matches!(event, Event::Applied { origin, kind } if (*origin, *kind) == (from, what));
        node.events.count(is_it)
    };
    let records = told(&node, Origin::Feed, ChangeName::Record);
    let issued = other.issue().await;
    other.cache.revoke(issued.kid()).await.unwrap();
    other.cache.invalidate(&Invalidation::All).await.unwrap();
    let key = Invalidation::Key(*issued.kid());
    node.cache.invalidate(&key).await.unwrap();
    assert_eq!(told(&node, Origin::Own, ChangeName::Key), 1);
    node.pass(Duration::from_millis(900)).await;
    assert_eq!(told(&node, Origin::Feed, ChangeName::Record), records + 2);
    assert_eq!(told(&node, Origin::Feed, ChangeName::All), 1);
    assert_eq!(told(&node, Origin::Feed, ChangeName::Key), 0);
    assert_eq!(node.cache.stats().feed_behind, 0);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_writes_when_keys_were_used() {
    let (node, _, key) = two_nodes().await;
    assert!(
        node.cache
            .record(key.kid())
            .await
            .unwrap()
            .last_used()
            .is_none()
    );
    node.cache.leave().await;
    assert!(
        node.cache
            .record(key.kid())
            .await
            .unwrap()
            .last_used()
            .is_some()
    );
}
