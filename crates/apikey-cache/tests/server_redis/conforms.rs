//! The suite of buses, on each kind of server.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    bus::{InvalidationBus as _, RedisBus, RedisBusBuilder, RedisMode},
    conformance,
};

use crate::{
    ends::{FEED, all, peppers},
    servers::Server,
};

const AMPLE: Duration = Duration::from_secs(10);

async fn conforms(urls: &[String], with: impl Fn(RedisBusBuilder) -> RedisBusBuilder) {
    conformance::invalidation_bus(async || {
        // The suite is not about time, and the machine may be busy.
        let builder = RedisBus::builder(urls).unwrap().deadline(AMPLE);
        let builder = with(builder);
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

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    install_provider();
    let ((server, _), (_other, certificate)) = (Server::encrypted(), Server::encrypted());
    let builder = RedisBus::builder([encrypted_url(&server)]).unwrap();
    let builder = builder.deadline(AMPLE).root_certificates(certificate);
    let bus = builder.build(&peppers(1)).unwrap();
    assert!(bus.listen(FEED).await.is_err());
    assert!(bus.tell(FEED, &[all(1)]).await.is_err());
}
