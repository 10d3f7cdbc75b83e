//! Encrypted connections, to a server whose certificate an authority of its own has signed.

use std::{env, process::Command, time::Duration};

use portcullis_ratelimit::store::{RedisMode, RedisStore, StoreError};

use crate::{conforms::conforms_as, servers::Server};

fn url(server: &Server) -> String {
    format!("rediss://localhost:{}", server.port())
}

/// As a process does once, before its first connection.
fn install_provider() {
    // Another test of the same process may have done so.
    drop(rustls::crypto::ring::default_provider().install_default());
}

#[tokio::test]
async fn a_store_on_an_encrypted_connection_conforms() {
    install_provider();
    let (server, authority) = Server::encrypted();
    conforms_as(&[url(&server)], RedisMode::Single, |builder| {
        builder.root_certificates(authority.clone())
    })
    .await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    install_provider();
    let ((server, _), (_other, authority)) = (Server::encrypted(), Server::encrypted());
    let store = RedisStore::builder([url(&server)]).unwrap();
    let store = store
        .deadline(Duration::from_secs(10))
        .root_certificates(authority);
    let refused = store.build().unwrap().ping().await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
}

/// The environment is that of a process, so the test runs itself in another one.
#[tokio::test]
async fn the_environment_can_name_an_authority() {
    const URL: &str = "RATELIMIT_TEST_URL";
    install_provider();
    if let Some(url) = env::var_os(URL) {
        let store = RedisStore::builder([url.to_str().unwrap()]).unwrap();
        let store = store.deadline(Duration::from_secs(10)).build().unwrap();
        store.ping().await.unwrap();
        return;
    }
    let (server, authority) = Server::encrypted();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority).unwrap();
    let mut again = Command::new(env::current_exe().unwrap());
    again
        .args([
            "--exact",
            "encrypted::the_environment_can_name_an_authority",
        ])
        .env(URL, url(&server))
        .env("SSL_CERT_FILE", file);
    let output = again.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{output:?}"
    );
}
