//! When a revocation is in effect everywhere.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use portcullis_apikey_cache::{
    ApiKeyCache, Effective, EffectiveBy, Revocation, Scopes,
    feed::{ChangeFeed, FeedSeq, Reader},
    observer::{DenialReason, Event},
    store::{MemoryKeyStore, UnixMillis},
};

use crate::{
    lossy_bus::{BusConnection, BusNode, nodes, nodes_built, pass, settle},
    support::{Calls, new_key, peppers},
};

const SECOND: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// Lets time pass until a revocation is in effect.
async fn effective(nodes: &mut [BusNode], revocation: &Revocation) -> Effective {
    let mut effective = Box::pin(revocation.effective());
    loop {
        if let Some(effective) = (&mut effective).now_or_never() {
            return effective;
        }
        pass(nodes, LOOK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_all_have_applied_is_in_effect() {
    let mut nodes = nodes::<3>();
    pass(&mut nodes, SECOND).await;
    for _ in 0..5 {
        let key = nodes[2].node.issue().await.into_key();
        settle(&mut nodes);
        for node in &nodes {
            assert!(node.node.accepts(&key).await);
        }
        let revocation = nodes[2].node.cache.revoke(key.kid()).await.unwrap();
        let effective = effective(&mut nodes, &revocation).await;
        assert_eq!(effective.how, EffectiveBy::Acknowledged);
        assert!(effective.took <= 6 * LOOK, "{effective:?}");
        for node in &nodes {
            assert_eq!(node.node.denial(&key).await, DenialReason::Revoked);
        }
    }
    let told = |event: &Event| {
        matches!(
            event,
            Event::Effective {
                how: EffectiveBy::Acknowledged,
                ..
            }
        )
    };
    assert_eq!(nodes[2].node.events.count(told), 5);
}

#[tokio::test(start_paused = true)]
async fn without_a_bus_the_next_reading_is_waited_for() {
    let mut nodes = nodes::<2>();
    for node in &nodes {
        node.bus.set(BusConnection::Cut);
    }
    pass(&mut nodes, SECOND).await;
    let key = nodes[1].node.issue().await.into_key();
    assert!(nodes[0].node.accepts(&key).await);
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    let effective = effective(&mut nodes, &revocation).await;
    assert_eq!(effective.how, EffectiveBy::Acknowledged);
    assert!(
        effective.took <= Duration::from_millis(700),
        "{effective:?}"
    );
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_reached_is_waited_for_until_it_trusts_nothing() {
    let mut nodes = nodes::<2>();
    pass(&mut nodes, SECOND).await;
    let key = nodes[1].node.issue().await.into_key();
    assert!(nodes[0].node.accepts(&key).await);
    nodes[0].node.store.cut();
    nodes[0].bus.set(BusConnection::Cut);
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    let effective = effective(&mut nodes, &revocation).await;
    assert_eq!(effective.how, EffectiveBy::LeasesExpired);
    assert_eq!(effective.took, 3 * SECOND);
    assert!(!nodes[0].node.accepts(&key).await);
}

#[tokio::test(start_paused = true)]
async fn a_grace_is_waited_for_too() {
    let scopes: Scopes = "leads:read".parse().unwrap();
    let grace = 20 * SECOND;
    let mut nodes = nodes_built::<2>(|builder| builder.grace(scopes.clone(), grace));
    pass(&mut nodes, SECOND).await;
    let key = nodes[1].node.issue().await.into_key();
    settle(&mut nodes);
    assert!(nodes[0].node.accepts(&key).await);
    nodes[0].node.store.cut();
    nodes[0].bus.set(BusConnection::Cut);
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    let mut effective = Box::pin(revocation.effective());
    let in_grace = async |nodes: &[BusNode]| {
        let validated = nodes[0].node.cache.validate_for(&key, &scopes).await;
        validated.is_ok()
    };
    let mut was_accepted = false;
    let effective = loop {
        if let Some(effective) = (&mut effective).now_or_never() {
            break effective;
        }
        was_accepted |= !nodes[0].node.accepts(&key).await && in_grace(&nodes).await;
        pass(&mut nodes, Duration::from_millis(50)).await;
    };
    assert!(was_accepted && !in_grace(&nodes).await);
    assert_eq!(effective.how, EffectiveBy::LeasesExpired);
    assert_eq!(effective.took, 3 * SECOND + grace);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_meanwhile_makes_it_wait_no_longer() {
    let mut nodes = nodes::<2>();
    pass(&mut nodes, SECOND).await;
    for silent in [false, true] {
        let key = nodes[1].node.issue().await.into_key();
        let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
        if silent {
            nodes[1].node.store.silence();
        } else {
            nodes[1].node.store.cut();
        }
        let effective = effective(&mut nodes, &revocation).await;
        assert_eq!(effective.how, EffectiveBy::LeasesExpired);
        assert_eq!(effective.took, 3 * SECOND);
        nodes[1].node.store.open();
        pass(&mut nodes, SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_left_is_not_waited_for_and_trusts_nothing() {
    let mut nodes = nodes::<2>();
    pass(&mut nodes, SECOND).await;
    let key = nodes[1].node.issue().await.into_key();
    settle(&mut nodes);
    assert!(nodes[0].node.accepts(&key).await);
    nodes[0].node.cache.leave().await;
    assert_eq!(nodes[0].node.cache.stats().confirmed_for, Duration::ZERO);
    let readers = nodes[1]
        .node
        .store
        .readers(UnixMillis::new(0))
        .await
        .unwrap();
    assert_eq!(readers.len(), 1);
    pass(&mut nodes, 30 * SECOND).await;
    assert_eq!(nodes[0].node.cache.stats().confirmed_for, Duration::ZERO);
    let readers = nodes[1]
        .node
        .store
        .readers(UnixMillis::new(0))
        .await
        .unwrap();
    assert_eq!(readers.len(), 1, "it is not noted again");

    nodes[0].bus.set(BusConnection::Cut);
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    let effective = revocation.effective().now_or_never().unwrap();
    assert_eq!(effective.how, EffectiveBy::Acknowledged);
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_noted_trusts_nothing() {
    let mut nodes = nodes::<2>();
    pass(&mut nodes, SECOND).await;
    nodes[0].node.store.set_notes(Calls::Failing);
    pass(&mut nodes, 57 * SECOND).await;
    assert!(!nodes[0].node.cache.stats().confirmed_for.is_zero());
    pass(&mut nodes, 4 * SECOND).await;
    assert!(nodes[0].node.cache.stats().confirmed_for.is_zero());
    nodes[0].node.store.set_notes(Calls::Answered);
    pass(&mut nodes, SECOND).await;
    assert!(!nodes[0].node.cache.stats().confirmed_for.is_zero());
}

#[tokio::test(start_paused = true)]
async fn after_the_feed_went_back_nobody_acknowledges_what_it_has_not_applied() {
    let mut nodes = nodes::<2>();
    pass(&mut nodes, SECOND).await;
    for _ in 0..5 {
        nodes[1].node.issue().await;
    }
    settle(&mut nodes);
    // A copy of before, in which both have noted themselves since, by the numbers as they were.
    let restored = Arc::new(MemoryKeyStore::new());
    let all = UnixMillis::new(0);
    for reader in nodes[1].node.store.readers(all).await.unwrap() {
        let applied = FeedSeq::new(5);
        let noted = Reader { applied, ..reader };
        restored.note_reader(&noted).await.unwrap();
    }
    for node in &nodes {
        node.node.store.switch_to(Arc::clone(&restored));
    }
    pass(&mut nodes, SECOND).await;
    let readers = restored.readers(all).await.unwrap();
    assert_eq!(readers.len(), 2, "those of before are forgotten");

    let key = nodes[1].node.issue().await.into_key();
    settle(&mut nodes);
    assert!(nodes[0].node.accepts(&key).await);
    nodes[0].node.store.cut();
    nodes[0].bus.set(BusConnection::Cut);
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    let effective = effective(&mut nodes, &revocation).await;
    assert_eq!(effective.how, EffectiveBy::LeasesExpired);
    assert!(!nodes[0].node.accepts(&key).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_revoked_before_is_in_effect_like_all_that_has_happened() {
    let mut nodes = nodes::<2>();
    pass(&mut nodes, SECOND).await;
    let key = nodes[1].node.issue().await.into_key();
    settle(&mut nodes);
    assert!(nodes[0].node.accepts(&key).await);
    nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    let again = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    assert!(!again.was_active());
    let effective = effective(&mut nodes, &again).await;
    assert_eq!(effective.how, EffectiveBy::Acknowledged);
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn waiting_can_be_given_up_and_begun_again() {
    let mut nodes = nodes::<2>();
    pass(&mut nodes, SECOND).await;
    let key = nodes[1].node.issue().await.into_key();
    nodes[0].node.store.cut();
    nodes[0].bus.set(BusConnection::Cut);
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    assert_eq!(revocation.effective().now_or_never(), None);
    pass(&mut nodes, 2 * SECOND).await;
    let effective = effective(&mut nodes, &revocation).await;
    assert_eq!(effective.took, 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_follow_waits_for_those_that_do() {
    let mut nodes = nodes::<1>();
    pass(&mut nodes, SECOND).await;
    let store = Arc::clone(&nodes[0].node.store);
    let clock = Arc::clone(&nodes[0].node.clock);
    let tool = ApiKeyCache::builder(store.clone(), store, peppers(1, &[1])).clock(clock);
    let tool = tool.build();
    let key = tool.issue(new_key()).await.unwrap().into_key();
    assert!(nodes[0].node.accepts(&key).await);
    let revocation = tool.revoke(key.kid()).await.unwrap();
    let effective = effective(&mut nodes, &revocation).await;
    assert_eq!(effective.how, EffectiveBy::Acknowledged);
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_a_revocation_is_in_effect_at_once_or_after_all_leases() {
    let nodes = nodes::<1>();
    let clock = Arc::clone(&nodes[0].node.clock);
    let store = Arc::new(MemoryKeyStore::new());
    // The store has a feed, which others may follow.
    let cache = ApiKeyCache::builder_without_feed(store, peppers(1, &[1])).clock(clock);
    let cache = cache.build();
    let key = cache.issue(new_key()).await.unwrap().into_key();
    let revocation = cache.revoke(key.kid()).await.unwrap();
    let mut nodes = nodes;
    let effective = effective(&mut nodes, &revocation).await;
    assert_eq!(effective.how, EffectiveBy::LeasesExpired);
    assert_eq!(effective.took, 3 * SECOND);
}
