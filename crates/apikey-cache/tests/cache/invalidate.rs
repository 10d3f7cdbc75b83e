//! Records that are to be read again, though nothing is told of them.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, KeyStatus, ManageError, NewKey, TenantId, Tier,
    feed::Invalidation,
    observer::{DenialReason, Discard, Event},
    store::{KeyRecord, KeyStore as _, MemoryKeyStore},
};

use crate::support::{DEADLINE, Node, eventually, peppers, request};

/// Two nodes of which the first sees other records since somebody wrote past the store.
struct Restored {
    node: Node,
    other: Node,
    before: Arc<MemoryKeyStore>,
    after: Arc<MemoryKeyStore>,
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

async fn issue(cache: &ApiKeyCache, of: &str) -> ApiKey {
    let new = NewKey::new(tenant(of), Tier::FREE, "leads:read".parse().unwrap());
    cache.issue(new).await.unwrap().into_key()
}

fn kinds(key: &ApiKey) -> [Invalidation; 3] {
    [
        Invalidation::Key(*key.kid()),
        Invalidation::Tenant(tenant("seven")),
        Invalidation::All,
    ]
}

fn following(store: &Arc<MemoryKeyStore>) -> Node {
    let mut node = Node::with_peppers(Arc::clone(store), peppers(1, &[1]), |builder| {
        builder.store_timeout(DEADLINE)
    });
    node.follow();
    node
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_reaches_every_node_and_concerns_nobody_else() {
    let store = Arc::new(MemoryKeyStore::new());
    let (node, mut other) = (following(&store), following(&store));
    let (seven, eight) = (
        issue(&node.cache, "seven").await,
        issue(&node.cache, "eight").await,
    );
    // What was made before is told, and not concerned.
    other.pass(Duration::from_millis(400)).await;
    for what in kinds(&seven) {
        for reader in [&node, &other] {
            assert!(reader.accepts(&seven).await && reader.accepts(&eight).await);
        }
        let loads = (node.store.loads(), other.store.loads());
        node.cache.invalidate(&what).await.unwrap();
        other.pass(Duration::from_millis(400)).await;
        for reader in [&node, &other] {
            assert!(reader.accepts(&seven).await && reader.accepts(&eight).await);
        }
        let again = if what == Invalidation::All { 2 } else { 1 };
        let loaded = (node.store.loads(), other.store.loads());
        assert_eq!(loaded, (loads.0 + again, loads.1 + again), "{what:?}");
    }
    assert_eq!(other.cache.stats().feed_gaps, 0);
}

#[tokio::test(start_paused = true)]
async fn a_kid_without_a_good_record_is_looked_up_again() {
    let store = Arc::new(MemoryKeyStore::new());
    let node = following(&store);
    let key = issue(&following(&Arc::new(MemoryKeyStore::new())).cache, "seven").await;
    for what in kinds(&key) {
        assert_eq!(node.denial(&key).await, DenialReason::Unknown);
        let loads = node.store.loads();
        assert_eq!(node.denial(&key).await, DenialReason::Unknown);
        assert_eq!(node.store.loads(), loads);
        node.cache.invalidate(&what).await.unwrap();
        assert_eq!(node.denial(&key).await, DenialReason::Unknown);
        assert_eq!(node.store.loads(), loads + 1, "{what:?}");
    }
}

impl Restored {
    /// A key of tenant `seven` is not in the records of the restored store.
    async fn new() -> (Self, ApiKey, ApiKey) {
        let (before, after) = (
            Arc::new(MemoryKeyStore::new()),
            Arc::new(MemoryKeyStore::new()),
        );
        let (node, other) = (following(&before), following(&before));
        let seven = issue(&other.cache, "seven").await;
        let eight = issue(&other.cache, "eight").await;
        let kept: KeyRecord = before.load(eight.kid()).await.unwrap().unwrap();
        after.insert(&kept).await.unwrap();
        let restored = Self {
            node,
            other,
            before,
            after,
        };
        (restored, seven, eight)
    }
}

#[tokio::test]
async fn a_load_in_flight_does_not_bring_back_what_was_read_before() {
    for number in 0..3 {
        let (restored, seven, eight) = Restored::new().await;
        let Restored { node, after, .. } = &restored;
        node.store.slow_down();
        let waiting = request(node, &seven);
        eventually(|| node.store.loads() == 1).await;
        node.store.switch_to(Arc::clone(after));
        let what = &kinds(&seven)[number];
        node.cache.invalidate(what).await.unwrap();

        // Later requests do not wait for the load that has read what was there before.
        node.store.open();
        assert_eq!(node.denial(&seven).await, DenialReason::Unknown, "{what:?}");
        node.store.let_answer(1);
        assert!(!waiting.await.unwrap(), "{what:?}");
        let discarded = |event: &Event| {
            let expected = match what {
                Invalidation::All => Discard::Epoch,
                _ => Discard::Generation,
            };
            matches!(event, Event::LoadDiscarded(discard) if *discard == expected)
        };
        assert_eq!(node.events.count(discarded), 1, "{what:?}");
        assert_eq!(node.denial(&seven).await, DenialReason::Unknown);
        assert!(node.accepts(&eight).await);
    }
}

#[tokio::test]
async fn the_loads_of_others_go_on() {
    let (restored, seven, eight) = Restored::new().await;
    let node = &restored.node;
    node.store.slow_down();
    let waiting = request(node, &eight);
    eventually(|| node.store.loads() == 1).await;
    let seven_alone = Invalidation::Key(*seven.kid());
    node.cache.invalidate(&seven_alone).await.unwrap();
    let detached = |event: &Event| matches!(event, Event::Detached);
    assert_eq!(node.events.count(detached), 0);
    // Whose key is being loaded is not known before it is.
    node.cache
        .invalidate_tenant(&tenant("seven"))
        .await
        .unwrap();
    assert_eq!(node.events.count(detached), 1);
    node.store.open();
    node.store.let_answer(1);
    assert!(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_dropped_here() {
    let (restored, seven, _) = Restored::new().await;
    let Restored {
        node,
        other,
        before,
        after,
    } = &restored;
    for what in kinds(&seven) {
        assert!(node.accepts(&seven).await && other.accepts(&seven).await);
        node.store.cut();
        let refused = node.cache.invalidate(&what).await;
        assert!(matches!(refused, Err(ManageError::Store(_))));
        node.store.open();
        node.store.switch_to(Arc::clone(after));
        assert_eq!(node.denial(&seven).await, DenialReason::Unknown, "{what:?}");
        assert!(other.accepts(&seven).await);
        node.store.switch_to(Arc::clone(before));
        node.cache.invalidate(&Invalidation::All).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_there_is_nobody_to_tell() {
    let store = Arc::new(MemoryKeyStore::new());
    let cache = ApiKeyCache::builder_without_feed(store, peppers(1, &[1])).build();
    let key = issue(&cache, "seven").await;
    for what in kinds(&key) {
        cache.invalidate(&what).await.unwrap();
    }
    assert!(cache.validate(&key).await.is_ok());
    let info = cache.record(key.kid()).await.unwrap();
    assert_eq!(info.status(), KeyStatus::Active);
}
