//! Peppers that change, and rows that nothing vouches for.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use futures_util::future::join_all;
use portcullis_apikey_cache::{
    ApiKey, KeyStatus, PepperRole, PepperUse, PepperVersion, Peppers, ReplacePeppersError, Tier,
    observer::{DenialReason, Event, RowFault},
    store::{KeyRecord, KeyStore, MemoryKeyStore, PepperRows, RecordState, RecordVersion},
};
use tokio::time::timeout;

use crate::support::{Node, peppers, peppers_of, with_wrong_secret};

fn node(store: &Arc<MemoryKeyStore>, primary: u8, versions: &[u8]) -> Node {
    let mut node = Node::with_peppers(Arc::clone(store), peppers(primary, versions), |builder| {
        builder
    });
    node.follow();
    node
}

fn version(number: u32) -> PepperVersion {
    number.try_into().unwrap()
}

/// A node that has the second pepper alone, and of the first the tag key that another has or none.
fn node_without_the_first(store: &Arc<MemoryKeyStore>, tag_key_of: Option<&Peppers>) -> Node {
    let key = tag_key_of.map(|peppers| (version(1), peppers.tag_key(version(1)).unwrap()));
    let peppers = peppers(2, &[2]).with_tag_keys(key).unwrap();
    let mut node = Node::with_peppers(Arc::clone(store), peppers, |builder| builder);
    node.follow();
    node
}

/// Role, hashed rows, tagged rows and refused rows of a version.
async fn usage(node: &Node, number: u32) -> (PepperRole, [u64; 2], [u64; 2]) {
    let usage = node.cache.pepper_usage().await.unwrap();
    let usage: PepperUse = usage[&version(number)];
    let both = |PepperRows { hashed, tagged }| [hashed, tagged];
    (usage.role, both(usage.rows), both(usage.refused()))
}

async fn pepper_of(store: &MemoryKeyStore, key: &ApiKey) -> u16 {
    let record = store.load(key.kid()).await.unwrap().unwrap();
    let RecordState::Active(verifier) = record.state else {
        panic!("the key is active")
    };
    verifier.pepper.value()
}

#[tokio::test(start_paused = true)]
async fn a_hash_moves_to_the_primary_pepper_at_the_next_use() {
    let store = Arc::new(MemoryKeyStore::new());
    let key = node(&store, 1, &[1]).issue().await.into_key();
    assert_eq!(pepper_of(&store, &key).await, 1);

    let rotated = node(&store, 2, &[1, 2]);
    assert!(rotated.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 2);
    let rehashed = |event: &Event| matches!(event, Event::Rehashed { from } if from.value() == 1);
    assert_eq!(rotated.events.count(rehashed), 1);

    // The old process, which has not the new pepper, refuses; one that has both accepts.
    let old = node(&store, 1, &[1]);
    assert_eq!(old.denial(&key).await, DenialReason::RowRejected);
    let back = node(&store, 1, &[1, 2]);
    assert!(back.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_pepper_is_dropped_when_no_key_is_hashed_under_it_and_its_tag_key_is_kept() {
    let store = Arc::new(MemoryKeyStore::new());
    let first = node(&store, 1, &[1]);
    let used = first.issue().await.into_key();
    let unused = first.issue().await.into_key();
    let revoked = first.issue().await.into_key();
    first.cache.revoke(revoked.kid()).await.unwrap();

    let rotated = node(&store, 2, &[1, 2]);
    assert!(rotated.accepts(&used).await);
    let later = rotated.issue().await.into_key();
    assert_eq!(
        usage(&rotated, 1).await,
        (PepperRole::Verifies, [1, 2], [0, 0])
    );
    assert_eq!(
        usage(&rotated, 2).await,
        (PepperRole::Primary, [2, 1], [0, 0])
    );
    let of = async |key: &ApiKey| rotated.cache.record(key.kid()).await.unwrap().pepper();
    assert_eq!(of(&used).await, Some(version(2)));
    assert_eq!(of(&unused).await, Some(version(1)));
    assert_eq!(of(&revoked).await, None);

    // Too early: the key that was not used is told of, and refused.
    let source = peppers(1, &[1]);
    let early = node_without_the_first(&store, Some(&source));
    assert_eq!(
        usage(&early, 1).await,
        (PepperRole::TagsOnly, [1, 2], [1, 0])
    );
    assert_eq!(early.denial(&unused).await, DenialReason::RowRejected);
    let rejected = |event: &Event| matches!(event, Event::RowRejected { kid, fault: RowFault::UnknownPepper } if kid == unused.kid());
    assert_eq!(early.events.count(rejected), 1);
    // Put back, nothing is lost.
    assert!(rotated.accepts(&unused).await);

    // With the tag key, the keys of the first pepper are as good as those of the second.
    let dropped = node_without_the_first(&store, Some(&source));
    assert_eq!(
        usage(&dropped, 1).await,
        (PepperRole::TagsOnly, [0, 2], [0, 0])
    );
    for key in [&used, &unused, &later] {
        assert!(dropped.accepts(key).await);
    }
    assert_eq!(dropped.denial(&revoked).await, DenialReason::Revoked);

    // Without it, they are taken for invented ones, and nobody asks the store.
    let without = node_without_the_first(&store, None);
    assert_eq!(
        usage(&without, 1).await,
        (PepperRole::Missing, [0, 2], [0, 2])
    );
    for key in [&used, &unused] {
        assert_eq!(without.denial(key).await, DenialReason::InventedKid);
    }
    assert!(without.accepts(&later).await);
    assert_eq!(without.store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_tag_key_tells_kids_apart_and_makes_no_row() {
    let store = Arc::new(MemoryKeyStore::new());
    let key = node(&store, 1, &[1]).issue().await.into_key();
    // The row is moved to the second pepper by hand, as who can write the table would.
    let mut record = store.load(key.kid()).await.unwrap().unwrap();
    let RecordState::Active(verifier) = &mut record.state else {
        panic!("the key is active")
    };
    verifier.pepper = version(2);
    let forged = Arc::new(MemoryKeyStore::new());
    forged.insert(&record).await.unwrap();
    let dropped = node_without_the_first(&forged, Some(&peppers(1, &[1])));
    assert_eq!(dropped.denial(&key).await, DenialReason::RowRejected);

    // Another's tag key is as good as none.
    let other = node_without_the_first(&store, Some(&peppers_of(1, &[(1, 0xEE)])));
    assert_eq!(other.denial(&key).await, DenialReason::InventedKid);
    assert_eq!(other.store.loads(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_requests_renew_a_hash_once() {
    let store = Arc::new(MemoryKeyStore::new());
    let key = node(&store, 1, &[1]).issue().await.into_key();
    let rotated = node(&store, 2, &[1, 2]);
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let cache = rotated.cache.clone();
            let key = ApiKey::parse(key.hazmat_expose()).unwrap();
            tokio::spawn(async move { cache.validate(&key).await.is_ok() })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap());
    }
    assert_eq!(rotated.store.rehashes(), 1);
}

#[tokio::test(start_paused = true)]
async fn few_requests_wait_for_a_store_that_takes_no_hash() {
    let store = Arc::new(MemoryKeyStore::new());
    let before = node(&store, 1, &[1]);
    let mut keys = Vec::new();
    for _ in 0..100 {
        keys.push(before.issue().await.into_key());
    }
    let mut rotated = node(&store, 2, &[1, 2]);
    rotated.store.let_rehashes_wait(true);
    let requests: Vec<_> = keys.iter().map(|key| rotated.cache.validate(key)).collect();
    let accepted = join_all(requests).await;
    assert!(accepted.iter().all(Result::is_ok));
    assert_eq!(rotated.store.rehashes(), 4);

    // Nor does any after them for some seconds, whichever key it has.
    let later = before.issue().await.into_key();
    let answer = timeout(Duration::from_millis(1), rotated.accepts(&later));
    assert_eq!(answer.await, Ok(true));
    assert_eq!(rotated.store.rehashes(), 4);

    // What was left is done when the records are loaded again.
    rotated.store.let_rehashes_wait(false);
    rotated.pass(Duration::from_secs(60)).await;
    for key in &keys {
        assert!(rotated.accepts(key).await);
        assert_eq!(pepper_of(&store, key).await, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_renews_no_hash() {
    let store = Arc::new(MemoryKeyStore::new());
    let issued = node(&store, 1, &[1]).issue().await;
    let rotated = node(&store, 2, &[1, 2]);
    let wrong = with_wrong_secret(&issued);
    assert_eq!(rotated.denial(&wrong).await, DenialReason::WrongSecret);
    assert_eq!(rotated.store.rehashes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_row_of_another_pepper_is_reported_and_never_served() {
    let store = Arc::new(MemoryKeyStore::new());
    let key = node(&store, 1, &[1]).issue().await.into_key();
    assert!(node(&store, 2, &[1, 2]).accepts(&key).await);

    // The same versions, but other bytes for the second.
    let wrong = peppers_of(2, &[(1, 1), (2, 0xEE)]);
    let mut misled = Node::with_peppers(Arc::clone(&store), wrong, |builder| builder);
    misled.follow();
    for _ in 0..2 {
        assert_eq!(misled.denial(&key).await, DenialReason::RowRejected);
    }
    let rejected = |event: &Event| matches!(event, Event::RowRejected { kid, fault: RowFault::Mac } if kid == key.kid());
    assert_eq!(
        misled.events.count(rejected),
        1,
        "reported when it was read"
    );
    let info = misled.cache.record(key.kid()).await.unwrap();
    assert_eq!(info.status(), KeyStatus::Unverifiable);
}

#[tokio::test(start_paused = true)]
async fn who_can_write_the_table_can_neither_widen_nor_revive_a_key() {
    let source = Node::new();
    let key = source.issue().await.into_key();
    let genuine = source.store.load(key.kid()).await.unwrap().unwrap();
    source.cache.revoke(key.kid()).await.unwrap();
    let revoked = source.store.load(key.kid()).await.unwrap().unwrap();
    assert!(
        matches!(revoked.state, RecordState::Revoked),
        "nothing to verify with is left"
    );

    let forgeries: [fn(&mut KeyRecord); 4] = [
        |record| record.scopes = "pii:read".parse().unwrap(),
        |record| record.tenant = "tenant-8".parse().unwrap(),
        |record| record.tier = Tier::ENTERPRISE,
        |record| record.version = RecordVersion::new(3),
    ];
    for forge in forgeries {
        let mut forged = genuine.clone();
        forge(&mut forged);
        let store = MemoryKeyStore::new();
        store.insert(&forged).await.unwrap();
        let mut node = Node::on(Arc::new(store), |builder| builder);
        node.follow();
        assert_eq!(node.denial(&key).await, DenialReason::RowRejected);
        assert_eq!(node.cache.stats().rows_rejected, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_hash_of_a_key_in_use_moves_though_its_record_was_loaded_without_it() {
    let store = Arc::new(MemoryKeyStore::new());
    let mut before = node(&store, 1, &[1]);
    let key = before.issue().await.into_key();
    assert!(before.accepts(&key).await);
    before.pass(Duration::from_secs(60)).await;

    let rotated = node(&store, 2, &[1, 2]);
    let warmed = rotated.cache.warm(NonZeroU16::MAX).await;
    assert_eq!(warmed.loaded, 1);
    assert_eq!(pepper_of(&store, &key).await, 1);
    assert!(rotated.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 2);
}

#[tokio::test(start_paused = true)]
async fn peppers_are_replaced_while_keys_are_used() {
    let store = Arc::new(MemoryKeyStore::new());
    let mut node = node(&store, 1, &[1]);
    let key = node.issue().await.into_key();
    assert!(node.accepts(&key).await);

    // The key is in memory, and goes on from there; its hash moves when it is read again.
    node.cache
        .replace_peppers(peppers(2, &[1, 2]))
        .await
        .unwrap();
    assert!(node.accepts(&key).await);
    let later = node.issue().await.into_key();
    assert_eq!(pepper_of(&store, &later).await, 2);
    let refused = node.cache.replace_peppers(peppers(2, &[2])).await;
    let Err(ReplacePeppersError::Needed(needed)) = refused else {
        panic!("a key is hashed under the first: {refused:?}")
    };
    assert_eq!(needed.keys().copied().collect::<Vec<_>>(), [version(1)]);
    assert!(node.accepts(&key).await, "nothing has changed");
    node.pass(Duration::from_secs(120)).await;
    assert!(node.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 2);

    // Its kid still needs the tag key.
    let alone = peppers(2, &[2]);
    let refused = node.cache.replace_peppers(alone.clone()).await;
    assert!(matches!(refused, Err(ReplacePeppersError::Needed(_))));
    let tag_key = peppers(1, &[1]).tag_key(version(1)).unwrap();
    let with_tag = alone.with_tag_keys([(version(1), tag_key)]).unwrap();
    node.cache.replace_peppers(with_tag).await.unwrap();
    node.pass(Duration::from_secs(120)).await;
    assert!(node.accepts(&key).await && node.accepts(&later).await);
    assert_eq!(usage(&node, 1).await.0, PepperRole::TagsOnly);
}

#[tokio::test(start_paused = true)]
async fn another_pepper_under_the_same_version_and_peppers_without_a_count_are_refused() {
    let store = Arc::new(MemoryKeyStore::new());
    let node = node(&store, 1, &[1]);
    let key = node.issue().await.into_key();
    let other = peppers_of(1, &[(1, 0xEE)]);
    let refused = node.cache.replace_peppers(other).await;
    assert!(matches!(refused, Err(ReplacePeppersError::Changed(it)) if it == version(1)));
    node.store.cut();
    let refused = node.cache.replace_peppers(peppers(2, &[1, 2])).await;
    assert!(matches!(refused, Err(ReplacePeppersError::Store(_))));
    node.store.open();
    assert!(node.accepts(&key).await);
    assert_eq!(pepper_of(&store, &key).await, 1);
}
