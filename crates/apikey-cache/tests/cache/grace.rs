//! Scopes that stay available while neither the feed nor the store can be asked.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use portcullis_apikey_cache::{
    ApiKey, Denied, Principal, Scopes,
    clock::Clock,
    feed::Invalidation,
    observer::{Event, Hit, StoreTask},
    store::MemoryKeyStore,
};

use crate::support::{Node, new_key, with_wrong_secret};

const GRACE: Duration = Duration::from_secs(10);
const CONFIRMED: Duration = Duration::from_secs(3);
const MILLISECOND: Duration = Duration::from_millis(1);
const UNAVAILABLE: Denied = Denied::Unavailable {
    retry_after: Duration::from_secs(1),
};

fn scopes(names: &str) -> Scopes {
    names.parse().unwrap()
}

/// A node with a grace for reading leads and statistics, and a key that may read and write, cached.
async fn node() -> (Node, ApiKey) {
    let mut node = Node::on(Arc::new(MemoryKeyStore::new()), |builder| {
        builder.grace(scopes("leads:read stats:read"), GRACE)
    });
    node.follow();
    let key = node.issue().await.into_key();
    assert!(node.accepts(&key).await);
    (node, key)
}

async fn validate_for(node: &Node, key: &ApiKey, needed: &str) -> Result<Principal, Denied> {
    node.cache.validate_for(key, &scopes(needed)).await
}

#[tokio::test(start_paused = true)]
async fn cut_off_from_everything_a_scope_in_grace_lasts_so_much_longer_and_no_other_does() {
    let (mut node, key) = node().await;
    node.store.cut();
    node.pass(CONFIRMED - MILLISECOND).await;
    let principal = validate_for(&node, &key, "leads:read").await.unwrap();
    assert!(principal.is_confirmed());
    assert!(principal.has_scope("events:write"), "no grace yet");

    for (after, is_last) in [(MILLISECOND, false), (GRACE - MILLISECOND, true)] {
        node.pass(after).await;
        let principal = validate_for(&node, &key, "leads:read").await.unwrap();
        assert!(!principal.is_confirmed());
        assert_eq!(principal.scopes().as_str(), "leads:read");
        assert!(!principal.has_scope("events:write") && !principal.has_scope("stats:read"));
        assert_eq!(principal.tenant().as_str(), "tenant-7");
        for strict in ["events:write", "leads:read events:write", ""] {
            let denied = validate_for(&node, &key, strict).await.unwrap_err();
            assert_eq!(denied, UNAVAILABLE, "{strict:?}, at the end: {is_last}");
        }
        assert_eq!(node.cache.validate(&key).await.unwrap_err(), UNAVAILABLE);
    }
    node.pass(MILLISECOND).await;
    let denied = validate_for(&node, &key, "leads:read").await.unwrap_err();
    assert_eq!(denied, UNAVAILABLE);

    let unconfirmed = |event: &Event| matches!(event, Event::Hit(Hit::Unconfirmed));
    assert_eq!(node.events.count(unconfirmed), 2);
    assert_eq!(node.cache.stats().unconfirmed_hits, 2);

    node.store.open();
    node.pass(Duration::from_millis(500)).await;
    let principal = validate_for(&node, &key, "leads:read").await.unwrap();
    assert!(principal.is_confirmed() && principal.has_scope("events:write"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_answers_is_believed_and_nothing_else() {
    let (node, key) = node().await;
    node.pass_without_following(CONFIRMED).await;
    let principal = validate_for(&node, &key, "leads:read").await.unwrap();
    assert!(principal.is_confirmed() && principal.has_scope("events:write"));
    assert_eq!(node.store.loads(), 2);
    assert_eq!(node.cache.stats().unconfirmed_hits, 0);

    let other = Node::on(node.store.current(), |builder| builder);
    other.cache.revoke(key.kid()).await.unwrap();
    let denied = validate_for(&node, &key, "leads:read").await.unwrap_err();
    assert_eq!(denied, Denied::Unauthorized);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_or_expired_key_is_refused_in_grace_too() {
    let (mut node, _) = node().await;
    let end = node.clock.wall() + CONFIRMED + Duration::from_secs(1);
    let issued = node.cache.issue(new_key().expires_at(end)).await.unwrap();
    assert!(node.accepts(issued.key()).await);
    node.store.cut();
    node.pass(CONFIRMED).await;
    let wrong = with_wrong_secret(&issued);
    let denied = validate_for(&node, &wrong, "leads:read").await.unwrap_err();
    assert_eq!(denied, Denied::Unauthorized);
    assert!(
        validate_for(&node, issued.key(), "leads:read")
            .await
            .is_ok()
    );
    node.pass(Duration::from_secs(1)).await;
    let denied = validate_for(&node, issued.key(), "leads:read").await;
    assert_eq!(denied.unwrap_err(), Denied::Unauthorized);
}

#[tokio::test(start_paused = true)]
async fn what_is_invalidated_here_has_no_grace() {
    let (node, key) = node().await;
    let other = node.issue().await.into_key();
    assert!(node.accepts(&other).await);
    node.store.cut_loads();
    node.pass_without_following(CONFIRMED).await;
    assert!(validate_for(&node, &key, "leads:read").await.is_ok());
    node.cache.revoke(key.kid()).await.unwrap();
    let denied = validate_for(&node, &key, "leads:read").await.unwrap_err();
    assert_eq!(
        denied, UNAVAILABLE,
        "the store cannot say that it is revoked"
    );

    assert!(validate_for(&node, &other, "leads:read").await.is_ok());
    node.cache.invalidate(&Invalidation::All).await.unwrap();
    let denied = validate_for(&node, &other, "leads:read").await.unwrap_err();
    assert_eq!(denied, UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn no_record_is_used_beyond_its_time_nor_one_that_is_not_cached() {
    let (mut node, key) = node().await;
    let uncached = node.issue().await;
    node.pass(Duration::from_secs(55)).await;
    node.store.cut();
    node.pass(Duration::from_millis(4_999)).await;
    assert!(validate_for(&node, &key, "leads:read").await.is_ok());
    let denied = validate_for(&node, uncached.key(), "leads:read").await;
    assert_eq!(denied.unwrap_err(), UNAVAILABLE);
    node.pass(MILLISECOND).await;
    let denied = validate_for(&node, &key, "leads:read").await.unwrap_err();
    assert_eq!(denied, UNAVAILABLE, "60 s are over");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_silent_a_moment_ago_is_not_waited_for_again() {
    let (node, key) = node().await;
    node.store.silence();
    node.pass_without_following(CONFIRMED).await;
    let loads_failed = |event: &Event| matches!(event, Event::StoreFailed(StoreTask::Load));
    let leads = scopes("leads:read");
    let mut first = Box::pin(node.cache.validate_for(&key, &leads));
    assert!((&mut first).now_or_never().is_none(), "the store is asked");
    node.pass_without_following(Duration::from_secs(1)).await;
    assert!(!first.await.unwrap().is_confirmed());
    assert_eq!(node.events.count(loads_failed), 1);

    // For half of a second nobody asks, and then one of all.
    for _ in 0..3 {
        for _ in 0..100 {
            let at_once = node.cache.validate_for(&key, &leads).now_or_never();
            assert!(!at_once.unwrap().unwrap().is_confirmed());
        }
        let events = scopes("events:write");
        let mut strict = Box::pin(node.cache.validate_for(&key, &events));
        assert!((&mut strict).now_or_never().is_none(), "as without a grace");
        drop(strict);
        node.pass_without_following(Duration::from_millis(500))
            .await;
        let mut asking: Vec<_> = (0..100)
            .map(|_| Box::pin(node.cache.validate_for(&key, &leads)))
            .filter_map(|mut request| (&mut request).now_or_never().is_none().then_some(request))
            .collect();
        assert_eq!(asking.len(), 1);
        let asking = asking.remove(0);
        node.pass_without_following(Duration::from_secs(1)).await;
        assert!(!asking.await.unwrap().is_confirmed());
    }

    node.store.open();
    node.pass_without_following(Duration::from_millis(500))
        .await;
    for _ in 0..2 {
        let principal = validate_for(&node, &key, "leads:read").await.unwrap();
        assert!(principal.is_confirmed(), "the store answers, and is asked");
    }
}
