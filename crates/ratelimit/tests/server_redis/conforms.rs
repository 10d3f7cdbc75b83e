//! The suite of stores, on each kind of server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use portcullis_ratelimit::{
    conformance,
    store::{RedisMode, RedisStore, RedisStoreBuilder, Store},
};

use crate::servers::Server;

#[tokio::test]
async fn a_store_on_redis_conforms() {
    let server = Server::redis();
    conforms_as(&[server.url()], RedisMode::Single, |builder| builder).await;
}

#[tokio::test]
async fn a_store_on_valkey_conforms() {
    let server = Server::valkey();
    conforms_as(&[server.url()], RedisMode::Single, |builder| builder).await;
}

#[tokio::test]
async fn a_store_on_a_cluster_conforms() {
    let nodes = Server::cluster();
    let urls = [nodes[2].url(), nodes[0].url()];
    conforms_as(&urls, RedisMode::Cluster, |builder| builder).await;
    for node in nodes {
        assert_ne!(node.cli(&["dbsize"]), "0", "a node took no part");
    }
}

pub(crate) async fn conforms_as(
    urls: &[String],
    mode: RedisMode,
    with: impl Fn(RedisStoreBuilder) -> RedisStoreBuilder,
) {
    let stores = AtomicU32::new(0);
    let make = async || {
        let number = stores.fetch_add(1, Ordering::Relaxed);
        let builder = RedisStore::builder(urls).unwrap().mode(mode);
        // The suite is about decisions, and the machine may be busy.
        let builder = builder.deadline(Duration::from_secs(10));
        let builder = with(builder.key_prefix(format!("suite-{number}")));
        Arc::new(builder.build().unwrap()) as Arc<dyn Store>
    };
    conformance::store(make, async |time| tokio::time::sleep(time).await).await;
}
