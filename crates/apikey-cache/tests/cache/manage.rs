//! Issuing, revoking and listing.

use std::{num::NonZeroU16, time::Duration};

use portcullis_apikey_cache::{
    KeyStatus, ManageError, Tier,
    clock::Clock,
    store::{KeyQuery, RecordVersion},
};

use crate::support::{Node, new_key};

#[tokio::test(start_paused = true)]
async fn a_list_says_what_a_key_may_do_and_nothing_to_verify_it_with() {
    let node = Node::new();
    let date = node.clock.wall();
    let issued = node
        .cache
        .issue(new_key().expires_at(date + Duration::from_secs(9)))
        .await;
    let issued = issued.unwrap();
    let info = node.cache.record(issued.kid()).await.unwrap();
    assert_eq!(info.kid(), issued.kid());
    assert_eq!(info.tenant().as_str(), "tenant-7");
    assert_eq!(info.tier(), &Tier::STANDARD);
    assert_eq!(info.scopes().as_str(), "events:write leads:read");
    assert_eq!(info.version(), RecordVersion::FIRST);
    assert_eq!(info.created_at(), date);
    assert_eq!((info.not_before(), info.last_used()), (None, None));
    assert_eq!(info.expires_at(), Some(date + Duration::from_secs(9)));

    let shown = format!("{info:?} {issued:?} {:?}", node.cache);
    let secret = &issued.key().hazmat_expose()[32..];
    assert!(!shown.contains(secret) && !shown.contains(&secret[..43]));
}

#[tokio::test(start_paused = true)]
async fn a_status_follows_the_dates() {
    let node = Node::new();
    let second = Duration::from_secs(1);
    let date = node.clock.wall();
    let key = new_key()
        .not_before(date + second)
        .expires_at(date + 2 * second);
    let issued = node.cache.issue(key).await.unwrap();
    for status in [
        KeyStatus::NotYetValid,
        KeyStatus::Active,
        KeyStatus::Expired,
    ] {
        assert_eq!(
            node.cache.record(issued.kid()).await.unwrap().status(),
            status
        );
        node.clock.advance(second);
    }
    node.cache.revoke(issued.kid()).await.unwrap();
    assert_eq!(
        node.cache.record(issued.kid()).await.unwrap().status(),
        KeyStatus::Revoked
    );
}

#[tokio::test(start_paused = true)]
async fn revoking_again_changes_nothing() {
    let node = Node::new();
    let issued = node.issue().await;
    let first = node.cache.revoke(issued.kid()).await.unwrap();
    let second = node.cache.revoke(issued.kid()).await.unwrap();
    assert_eq!((first.was_active(), second.was_active()), (true, false));
    let info = node.cache.record(issued.kid()).await.unwrap();
    assert_eq!(info.version(), RecordVersion::new(2));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_found() {
    let node = Node::new();
    let unknown = Node::new().issue().await;
    let revoked = node.cache.revoke(unknown.kid()).await;
    assert!(matches!(revoked, Err(ManageError::NotFound)));
    let record = node.cache.record(unknown.kid()).await;
    assert!(matches!(record, Err(ManageError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_would_never_be_good_is_not_issued() {
    let node = Node::new();
    let date = node.clock.wall();
    let later = date + Duration::from_secs(60);
    for new in [
        new_key().expires_at(date),
        new_key().expires_at(date - Duration::from_secs(1)),
        new_key().not_before(later).expires_at(later),
    ] {
        assert!(matches!(
            node.cache.issue(new).await,
            Err(ManageError::NeverValid)
        ));
    }
    let all = KeyQuery::first(NonZeroU16::MAX);
    assert!(node.cache.list(&all).await.unwrap().keys.is_empty());
}

#[tokio::test(start_paused = true)]
async fn pages_follow_each_other_until_there_is_no_more() {
    let node = Node::new();
    let mut issued = Vec::new();
    for _ in 0..5 {
        issued.push(*node.issue().await.kid());
    }
    issued.sort();
    let mut query = KeyQuery::first(NonZeroU16::new(2).unwrap());
    let mut listed = Vec::new();
    loop {
        let page = node.cache.list(&query).await.unwrap();
        assert!(page.keys.len() <= 2);
        listed.extend(page.keys.iter().map(|key| *key.kid()));
        let Some(next) = page.next else { break };
        query = query.after(next);
    }
    assert_eq!(listed, issued);
}

#[tokio::test(start_paused = true)]
async fn no_two_keys_are_the_same() {
    let node = Node::new();
    let (one, other) = (node.issue().await, node.issue().await);
    assert_ne!(one.kid(), other.kid());
    assert_ne!(
        one.key().hazmat_expose()[32..],
        other.key().hazmat_expose()[32..]
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_cut_off_revokes_nothing_in_silence() {
    let node = Node::new();
    let issued = node.issue().await;
    node.store.cut();
    let revoked = node.cache.revoke(issued.kid()).await;
    assert!(matches!(revoked, Err(ManageError::Store(_))));
}
