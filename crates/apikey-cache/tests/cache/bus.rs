//! What a bus adds to the feed, and what remains when it fails.

use std::time::Duration;

use portcullis_apikey_cache::{
    ApiKey, BusState, Denied,
    bus::Notice,
    feed::Invalidation,
    observer::{BusTask, DenialReason, Event},
};

use crate::{
    lossy_bus::{BusConnection, BusNode, nodes, nodes_to_follow, pass, settle},
    support::Calls,
};

const SECOND: Duration = Duration::from_secs(1);

fn milliseconds(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// Nodes of which each has this key cached; the last one has issued it.
async fn nodes_with_key<const N: usize>() -> ([BusNode; N], ApiKey) {
    let mut nodes = nodes();
    pass(&mut nodes, SECOND).await;
    let key = nodes[N - 1].node.issue().await.into_key();
    settle(&mut nodes);
    for node in &nodes {
        assert!(node.node.accepts(&key).await);
    }
    (nodes, key)
}

async fn is_unavailable(node: &BusNode, key: &ApiKey) -> bool {
    let denied = node.node.cache.validate(key).await.err();
    matches!(denied, Some(Denied::Unavailable { .. }))
}

fn failures(task: BusTask) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::BusFailed(failed) if *failed == task)
}

#[tokio::test(start_paused = true)]
async fn a_revocation_is_heard_at_once() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    assert!(revocation.is_published());
    settle(&mut nodes);
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
    let stats = nodes[0].node.cache.stats();
    assert_eq!((stats.bus, stats.bus_gaps), (BusState::Up, 0));
    assert_eq!(stats.bus_heard, 2, "that it was issued, and revoked");
    let told = nodes[1].node.cache.stats().bus_told;
    pass(&mut nodes, SECOND).await;
    assert_eq!(
        nodes[1].node.cache.stats().bus_told,
        told,
        "nobody tells it again"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_read_in_the_feed() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    nodes[1].bus.set(BusConnection::Losing);
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    assert!(revocation.is_published(), "as far as it can be known");
    settle(&mut nodes);
    assert!(nodes[0].node.accepts(&key).await);
    pass(&mut nodes, milliseconds(500)).await;
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
}

#[tokio::test(start_paused = true)]
async fn a_gap_has_the_feed_read_at_once() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    // Right after a reading the next one is far.
    pass(&mut nodes, milliseconds(400)).await;
    nodes[1].bus.set(BusConnection::Losing);
    nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    nodes[1].bus.set(BusConnection::Open);
    nodes[1].node.issue().await;
    pass(&mut nodes, milliseconds(10)).await;
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
    assert_eq!(nodes[0].node.cache.stats().bus_gaps, 1);
    assert_eq!(nodes[0].node.cache.stats().feed_gaps, 0);
}

#[tokio::test(start_paused = true)]
async fn a_gap_that_cannot_be_read_drops_everything_cached() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    nodes[0].node.store.cut();
    nodes[1].bus.set(BusConnection::Losing);
    nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    nodes[1].bus.set(BusConnection::Open);
    nodes[1].node.issue().await;
    pass(&mut nodes, milliseconds(10)).await;
    assert!(is_unavailable(&nodes[0], &key).await);
    assert_eq!(nodes[0].node.cache.stats().feed_gaps, 1);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_down_delays_nothing_and_is_told_once() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    for node in &nodes {
        node.bus.set(BusConnection::Cut);
    }
    let revocation = nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    assert!(!revocation.is_published());
    pass(&mut nodes, milliseconds(500)).await;
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
    pass(&mut nodes, 10 * SECOND).await;
    for node in &nodes {
        assert_eq!(node.node.cache.stats().bus, BusState::Down);
        assert_eq!(node.node.events.count(failures(BusTask::Listen)), 1);
        assert_eq!(node.node.events.count(failures(BusTask::Tell)), 1);
    }

    // What could not be told is told once it can be.
    let is_told =
        |notice: &Notice| matches!(notice, Notice::Change(change) if change.seq.value() == 2);
    assert!(!nodes[0].bus.told().iter().any(is_told));
    for node in &nodes {
        node.bus.set(BusConnection::Open);
    }
    pass(&mut nodes, 6 * SECOND).await;
    assert!(nodes[0].bus.told().iter().any(is_told));
    for node in &nodes {
        assert_eq!(node.node.cache.stats().bus, BusState::Up);
        assert_eq!(node.bus.listens(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_does_not_answer_delays_no_reading() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    for node in &nodes {
        node.bus.set(BusConnection::Silent);
    }
    let key_of_other = nodes[0].node.issue();
    let issued = tokio::time::timeout(milliseconds(300), key_of_other).await;
    assert!(issued.is_ok(), "it waits a quarter of a second");
    let revoking = nodes[1].node.store.as_ref();
    let revoked = portcullis_apikey_cache::store::KeyStore::revoke(
        revoking,
        key.kid(),
        portcullis_apikey_cache::store::UnixMillis::new(0),
    );
    revoked.await.unwrap();
    pass(&mut nodes, milliseconds(500)).await;
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
    pass(&mut nodes, 6 * SECOND).await;
    assert_eq!(nodes[0].node.cache.stats().bus, BusState::Down);
    assert!(nodes[0].node.cache.stats().confirmed_for > 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_say_which_feed_it_is_delays_no_revocation() {
    let [node] = nodes_to_follow(|builder| builder);
    node.node.store.set_ids(Calls::Silent);
    let issued = tokio::time::timeout(milliseconds(250), node.node.issue());
    let key = issued.await.expect("within a quarter of a second");
    let revoked = node.node.cache.revoke(key.kid());
    let revoked = tokio::time::timeout(milliseconds(250), revoked).await;
    let revocation = revoked.expect("within a quarter of a second").unwrap();
    assert!(!revocation.is_published());
    assert_eq!(node.node.events.count(failures(BusTask::Tell)), 0);
}

#[tokio::test(start_paused = true)]
async fn a_watermark_that_waits_for_the_feeds_id_is_as_old_as_it_is() {
    let mut nodes = nodes_to_follow::<1>(|builder| builder);
    // Before the feed is read again.
    nodes[0].node.store.set_ids(Calls::Slow(milliseconds(300)));
    settle(&mut nodes);
    pass(&mut nodes, milliseconds(310)).await;
    let told = nodes[0].bus.told();
    let [Notice::Watermark(watermark), ..] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(watermark.age >= milliseconds(550), "{watermark:?}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_listener_has_the_feed_read_at_once_and_listens_again() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    pass(&mut nodes, milliseconds(400)).await;
    nodes[0].bus.set(BusConnection::Cut);
    nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    pass(&mut nodes, milliseconds(20)).await;
    assert_eq!(nodes[0].node.denial(&key).await, DenialReason::Revoked);
    nodes[0].bus.set(BusConnection::Open);
    pass(&mut nodes, milliseconds(100)).await;
    assert_eq!(nodes[0].bus.listens(), 2);
    let again = nodes[1].node.issue().await;
    assert!(nodes[0].node.accepts(again.key()).await);
    nodes[1].node.cache.revoke(again.kid()).await.unwrap();
    settle(&mut nodes);
    assert_eq!(
        nodes[0].node.denial(again.key()).await,
        DenialReason::Revoked
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_cut_off_from_the_store_lives_on_what_others_read() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    let other_key = nodes[1].node.issue().await.into_key();
    settle(&mut nodes);
    assert!(nodes[0].node.accepts(&other_key).await);
    nodes[0].node.store.cut();
    pass(&mut nodes, 20 * SECOND).await;
    assert!(nodes[0].node.accepts(&key).await);
    nodes[1].node.cache.revoke(other_key.kid()).await.unwrap();
    settle(&mut nodes);
    assert!(
        is_unavailable(&nodes[0], &other_key).await,
        "it was dropped, and cannot be loaded"
    );
    assert!(nodes[0].node.accepts(&key).await);

    // Those who revoke may have stopped waiting for a node that was not noted for long.
    pass(&mut nodes, 41 * SECOND).await;
    assert_eq!(nodes[0].node.cache.stats().confirmed_for, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_revoker_without_the_bus_reaches_a_node_without_the_store_through_a_third() {
    let (mut nodes, key) = nodes_with_key::<3>().await;
    nodes[0].node.store.cut();
    nodes[2].bus.set(BusConnection::Cut);
    nodes[2].node.cache.revoke(key.kid()).await.unwrap();
    pass(&mut nodes, milliseconds(500)).await;
    assert!(is_unavailable(&nodes[0], &key).await);
}

#[tokio::test(start_paused = true)]
async fn a_node_cut_off_from_both_trusts_its_memory_for_3_s() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    // Both have just been confirmed by a reading.
    pass(&mut nodes, milliseconds(400)).await;
    nodes[0].node.store.cut();
    nodes[0].bus.set(BusConnection::Cut);
    nodes[1].node.cache.revoke(key.kid()).await.unwrap();
    let left = nodes[0].node.cache.stats().confirmed_for;
    assert!(left <= 3 * SECOND, "{left:?}");
    pass(&mut nodes, left - milliseconds(1)).await;
    assert!(nodes[0].node.accepts(&key).await);
    pass(&mut nodes, milliseconds(1)).await;
    assert!(is_unavailable(&nodes[0], &key).await);
}

#[tokio::test(start_paused = true)]
async fn silence_on_the_bus_proves_nothing() {
    let (mut nodes, key) = nodes_with_key::<1>().await;
    nodes[0].node.store.cut();
    // It is told that nothing was told, each half second.
    pass(&mut nodes, 3 * SECOND).await;
    assert_eq!(nodes[0].node.cache.stats().bus, BusState::Up);
    assert!(is_unavailable(&nodes[0], &key).await);
}

#[tokio::test(start_paused = true)]
async fn one_node_of_many_tells_how_far_the_feed_went() {
    let mut nodes = nodes::<3>();
    pass(&mut nodes, SECOND).await;
    let before = nodes[0].bus.told().len();
    pass(&mut nodes, 20 * SECOND).await;
    let told = nodes[0].bus.told().len() - before;
    // 50 to 56 readings each; sometimes two read at once.
    assert!((50..110).contains(&told), "{told} watermarks in 20 s");
}

#[tokio::test(start_paused = true)]
async fn what_is_repeated_drops_nothing_again() {
    for what in [
        Invalidation::Tenant("tenant-7".parse().unwrap()),
        Invalidation::All,
    ] {
        let (mut nodes, key) = nodes_with_key::<2>().await;
        nodes[1].node.cache.invalidate(&what).await.unwrap();
        let told = nodes[1].bus.told().pop().unwrap();
        assert!(matches!(told, Notice::Change(_)), "{told:?}");
        settle(&mut nodes);
        let loads = nodes[0].node.store.loads();
        for _ in 0..1_000 {
            nodes[0].bus.tell_again(&told);
            settle(&mut nodes);
            assert!(nodes[0].node.accepts(&key).await);
        }
        assert_eq!(nodes[0].node.store.loads() - loads, 1, "{what:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_cache_has_told_makes_nobody_listen_and_read_all_the_time() {
    let (mut nodes, key) = nodes_with_key::<2>().await;
    let readings = |event: &Event| matches!(event, Event::FeedRead { .. });
    let read = nodes[0].node.events.count(readings);
    let listens = nodes[0].bus.listens();
    nodes[0].bus.set(BusConnection::Forged);
    pass(&mut nodes, 60 * SECOND).await;
    let listens = nodes[0].bus.listens() - listens;
    assert!((10..40).contains(&listens), "{listens} times in 60 s");
    // 150 to 167 readings that are due.
    let read = nodes[0].node.events.count(readings) - read;
    assert!(read < 220, "{read} readings in 60 s");
    assert_eq!(nodes[0].node.events.count(failures(BusTask::Listen)), 1);
    assert_eq!(nodes[0].node.cache.stats().bus, BusState::Down);
    assert!(nodes[0].node.accepts(&key).await);

    nodes[0].bus.set(BusConnection::Open);
    pass(&mut nodes, 11 * SECOND).await;
    assert_eq!(nodes[0].node.cache.stats().bus, BusState::Up);
    nodes[0].bus.set(BusConnection::Cut);
    pass(&mut nodes, SECOND).await;
    assert_eq!(nodes[0].node.events.count(failures(BusTask::Listen)), 2);
}
