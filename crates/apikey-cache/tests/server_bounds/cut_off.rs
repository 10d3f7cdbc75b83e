//! A node is cut off from Redis, from the store, or from both.

use std::time::Instant;

use crate::{
    figures::{CONFIRMED, assert_row, reading},
    link::Link,
    node::Database,
    prober::Prober,
    proxy::Delivery,
    redis::Redis,
    wait::wait_for,
};

async fn assert_cut_off_from_redis(case: &str, delivery: Delivery) {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    far.delivers(delivery);
    prober.revoke_all(&revoker.cache).await;
    assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
    far.delivers(Delivery::Prompt);
    node.is_on_bus().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_redis() {
    assert_cut_off_from_redis("cut off from Redis", Delivery::Never).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_redis_which_refuses() {
    let case = "cut off from Redis, connections refused";
    assert_cut_off_from_redis(case, Delivery::Refused).await;
}

/// The revoker has told nobody: others read it in the feed, and tell the bus.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_store_but_not_from_others() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (other, _near) = database.node_on(&redis).await;
    let (node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &other).await;
    node.store.set_link(Link::Hangs);
    let cut = Instant::now();
    let revoker = database.command_line().await;
    prober.revoke_all(&revoker).await;
    tokio::time::sleep_until((cut + 2 * CONFIRMED).into()).await;
    let case = "cut off from the store, others tell";
    assert_row(case, &prober, &database.commits, || reading(&other)).await;
    // It lives on what others tell.
    assert_eq!(prober.others_failed(), 0);
    let accepted = prober.others_accepted_at().duration_since(cut);
    assert!(accepted >= 2 * CONFIRMED, "{accepted:?}");
}

/// Redis answers, and has nothing to tell: that proves nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_store_while_others_are_cut_off_from_redis() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, near) = database.node_on(&redis).await;
    let (node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    near.delivers(Delivery::Never);
    node.store.set_link(Link::Refuses);
    let cut = Instant::now();
    prober.revoke_all(&revoker.cache).await;
    let case = "cut off from the store, others from Redis";
    assert_row(case, &prober, &database.commits, || CONFIRMED).await;
    assert!(prober.others_failed() > 0);
    let accepted = prober.others_accepted_at().duration_since(cut);
    assert!(accepted <= CONFIRMED, "{accepted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_both() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    node.store.set_link(Link::Hangs);
    far.delivers(Delivery::Never);
    let cut = Instant::now();
    prober.revoke_all(&revoker.cache).await;
    let case = "cut off from both";
    assert_row(case, &prober, &database.commits, || CONFIRMED).await;
    // They could not be checked; none was refused.
    assert!(prober.others_failed() > 0);
    let accepted = prober.others_accepted_at().duration_since(cut);
    assert!(accepted <= CONFIRMED, "{accepted:?}");

    far.delivers(Delivery::Prompt);
    node.store.set_link(Link::Up);
    let back = Instant::now();
    wait_for("other keys that are good again", async || {
        (prober.others_accepted_at() > back).then_some(())
    })
    .await;
    prober.whole_round().await;
    assert_eq!(prober.refused(), prober.kids().count());
    prober.others_failed();
}
