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
    store::{RedisMode, RedisStore, Store},
};

use crate::servers::Server;

#[tokio::test]
async fn a_store_on_redis_conforms() {
    let server = Server::redis();
    conforms(&[server.url()], RedisMode::Single).await;
}

#[tokio::test]
async fn a_store_on_valkey_conforms() {
    let server = Server::valkey();
    conforms(&[server.url()], RedisMode::Single).await;
}

async fn conforms(urls: &[String], mode: RedisMode) {
    let stores = AtomicU32::new(0);
    let make = async || {
        let number = stores.fetch_add(1, Ordering::Relaxed);
        let builder = RedisStore::builder(urls).unwrap().mode(mode);
        // The suite is about decisions, and the machine may be busy.
        let builder = builder.deadline(Duration::from_secs(10));
        let store = builder.key_prefix(format!("suite-{number}")).build();
        Arc::new(store.unwrap()) as Arc<dyn Store>
    };
    conformance::store(make, async |time| tokio::time::sleep(time).await).await;
}
