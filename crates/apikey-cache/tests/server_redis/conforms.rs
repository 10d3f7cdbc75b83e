//! The suite of buses, on each kind of server.

use std::sync::Arc;

use portcullis_apikey_cache::{
    bus::{RedisBus, RedisBusBuilder, RedisMode},
    conformance,
};

use crate::{ends::peppers, servers::Server};

async fn conforms(urls: &[String], with: impl Fn(RedisBusBuilder) -> RedisBusBuilder) {
    conformance::invalidation_bus(async || {
        let builder = with(RedisBus::builder(urls).unwrap());
        Arc::new(builder.build(&peppers(1)).unwrap()) as _
    })
    .await;
}

#[tokio::test]
async fn a_bus_on_redis_conforms() {
    let server = Server::redis();
    conforms(&[server.url()], |builder| builder).await;
}

#[tokio::test]
async fn a_bus_on_redis_conforms_in_the_third_protocol() {
    let server = Server::redis();
    let url = format!("{}/?protocol=resp3", server.url());
    conforms(&[url], |builder| builder).await;
}

#[tokio::test]
async fn a_bus_on_valkey_conforms() {
    let server = Server::valkey();
    conforms(&[server.url()], |builder| builder).await;
}

#[tokio::test]
async fn a_bus_on_a_cluster_conforms() {
    let nodes = Server::cluster();
    let urls = [nodes[2].url(), nodes[0].url()];
    conforms(&urls, |builder| builder.mode(RedisMode::Cluster)).await;
    for node in nodes {
        assert_ne!(node.cli(&["dbsize"]), "0", "a node took no part");
    }
}

/// As a process does once, before its first connection.
fn install_provider() {
    // Another test of the same process may have done so.
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn encrypted_url(server: &Server) -> String {
    format!("rediss://localhost:{}", server.port())
}

#[tokio::test]
async fn a_bus_on_an_encrypted_connection_conforms() {
    install_provider();
    let (server, certificate) = Server::encrypted();
    conforms(&[encrypted_url(&server)], |builder| {
        builder.root_certificates(certificate.clone())
    })
    .await;
}
