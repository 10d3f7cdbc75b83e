//! A record is being loaded while its key is revoked: what was read before is not used after.

use std::time::{Duration, Instant};

use crate::{figures::assert_row, link::Loads, node::Database, prober::Prober, wait::wait_for};

/// Every load has read its record, and its answer is on the way, when the keys are revoked.
async fn assert_not_used(case: &str, by_another: bool) {
    let database = Database::new();
    let node = database.patient_node().await;
    let issuer = database.node().await;
    node.store.set_loads(Loads::Held);
    let prober = Prober::start_cold(&node, &issuer).await;
    wait_for("loads that are under way", async || {
        (node.store.loads_held() == prober.keys()).then_some(())
    })
    .await;
    let revoker = if by_another {
        &issuer.cache
    } else {
        &node.cache
    };
    prober.revoke_all(revoker).await;
    let revoked = Instant::now();
    // Longer than it takes to learn of it.
    tokio::time::sleep_until((revoked + Duration::from_millis(800)).into()).await;
    node.store.set_loads(Loads::Answered);
    let bound = || Duration::ZERO;
    assert_row(case, &prober, &database.commits, bound).await;
    // Nor was any accepted that asked before.
    assert_eq!(prober.accepted(), 0);
    assert_eq!(prober.refused(), prober.kids().count());
    assert_eq!(prober.others_failed(), 0);
    assert!(node.cache.stats().loads_discarded > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_itself_revokes() {
    assert_not_used("during a slow load, by the node itself", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_revokes() {
    assert_not_used("during a slow load, by another", true).await;
}
