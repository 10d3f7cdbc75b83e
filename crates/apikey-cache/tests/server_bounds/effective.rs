//! A revocation is in effect everywhere: nobody accepts the key any more.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use portcullis_apikey_cache::{ApiKeyCache, EffectiveBy, Kid};

use crate::{
    figures::{CONFIRMED, assert_row},
    link::Link,
    node::Database,
    prober::Prober,
    proxy::Delivery,
    redis::Redis,
};

/// Revokes all keys, some at a time; since when they are in effect, and how that is known.
async fn revoke_effectively(
    prober: &Prober,
    revoker: &ApiKeyCache,
    at_once: usize,
) -> (BTreeMap<Kid, Instant>, Vec<EffectiveBy>) {
    let mut since = BTreeMap::new();
    let mut how = Vec::new();
    let kids: Vec<_> = prober.kids().collect();
    for some in kids.chunks(at_once) {
        let effective = some.iter().map(async |kid| {
            let revocation = revoker.revoke(kid).await.unwrap();
            let effective = revocation.effective().await;
            (Instant::now(), effective)
        });
        for (kid, (at, effective)) in some.iter().zip(join_all(effective).await) {
            since.insert(**kid, at);
            how.push(effective.how);
            assert!(effective.took <= CONFIRMED + Duration::from_secs(1));
        }
    }
    (since, how)
}

const NOTHING: fn() -> Duration = || Duration::ZERO;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_have_said_so() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    let (since, how) = revoke_effectively(&prober, &revoker.cache, 1).await;
    let case = "after `effective()`: acknowledged";
    assert_row(case, &prober, &since.into(), NOTHING).await;
    let acknowledged = how.iter().filter(|how| **how == EffectiveBy::Acknowledged);
    let acknowledged = acknowledged.count();
    assert!(acknowledged > how.len() / 2, "{acknowledged}");
    assert_eq!(prober.others_failed(), 0);
}

/// It reads nothing, hears nothing and says nothing, and is still asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_stopped() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (mut node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    let _frozen = node.freeze();
    let (since, how) = revoke_effectively(&prober, &revoker.cache, usize::MAX).await;
    let case = "after `effective()`: a node stopped";
    assert_row(case, &prober, &since.into(), NOTHING).await;
    assert!(how.iter().all(|how| *how == EffectiveBy::LeasesExpired));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_is_cut_off() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    node.store.set_link(Link::Hangs);
    far.delivers(Delivery::Never);
    let (since, how) = revoke_effectively(&prober, &revoker.cache, usize::MAX).await;
    let case = "after `effective()`: a node cut off";
    assert_row(case, &prober, &since.into(), NOTHING).await;
    assert!(how.iter().all(|how| *how == EffectiveBy::LeasesExpired));
    assert!(prober.others_failed() > 0);
}
