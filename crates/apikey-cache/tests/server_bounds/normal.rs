//! Nothing is wrong.

use std::time::Duration;

use crate::{
    figures::{assert_row, reading},
    node::Database,
    prober::Prober,
    proxy::Delivery,
    redis::Redis,
};

/// What a machine that does other things adds to half of all messages, at most.
const BUSY: Duration = Duration::from_millis(20);

/// From a node over Redis to another takes so long, half of it on each way. What is told while the follower's
/// next call of `XREAD` is on its way to Redis waits for that call: up to a round trip more, half of one in the
/// middle.
async fn assert_one_round_trip(case: &str, network: Duration) {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, near) = database.node_on(&redis).await;
    let (node, far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    for proxy in [&near, &far] {
        proxy.delivers(Delivery::Late(network / 2));
    }
    let before = node.cache.stats().bus_heard;
    prober.revoke_all(&revoker.cache).await;
    // A message that a busy machine is late to deliver is read in the feed.
    let figures = assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert!(figures.median <= network * 3 / 2 + BUSY, "{figures:?}");
    let heard = node.cache.stats().bus_heard - before;
    assert!(heard > 100, "{heard} were heard");
    assert_eq!(prober.others_failed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_trip_to_redis() {
    assert_one_round_trip("normal", Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_trip_to_redis_far_away() {
    let network = Duration::from_millis(40);
    assert_one_round_trip("normal, Redis at 40 ms", network).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_bus() {
    let database = Database::new();
    let (revoker, node) = (database.command_line().await, database.node().await);
    let prober = Prober::start(&node, &node).await;
    prober.revoke_all(&revoker).await;
    assert_row("no bus", &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_bus_and_a_feed() {
    let database = Database::new();
    let revoker = database.command_line().await;
    let node = database.node_without_feed().await;
    let prober = Prober::start_cold(&node, &node).await;
    prober.accepts_all().await;
    prober.revoke_all(&revoker).await;
    let case = "neither bus nor feed";
    assert_row(case, &prober, &database.commits, || Duration::ZERO).await;
    assert_eq!(prober.others_failed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_node_itself() {
    let database = Database::new();
    let node = database.node().await;
    let prober = Prober::start(&node, &node).await;
    let mut done = std::collections::BTreeMap::new();
    for kid in prober.kids() {
        node.cache.revoke(kid).await.unwrap();
        done.insert(*kid, std::time::Instant::now());
    }
    let case = "revoked through the node itself, from when that returns";
    assert_row(case, &prober, &done.into(), || Duration::ZERO).await;
    assert_eq!(prober.others_failed(), 0);
}
