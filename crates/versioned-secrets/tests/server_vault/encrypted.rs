//! Encrypted connections, to a server whose certificate an authority of its own has signed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use portcullis_versioned_secrets::vault::{VaultError, VaultOutage, VaultPath};
use secrecy::SecretString;

use crate::bao::Bao;

#[tokio::test]
async fn the_server_must_be_vouched_for_by_the_authority_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name);
    let (authority, certificate, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
    let tls = format!("tls_cert_file = {certificate:?}\n  tls_key_file = {key:?}");
    let bao = Bao::start_at("https", folder, &tls);
    let path = VaultPath::new("auth/token/lookup-self").unwrap();
    let read = async |ca_file: Option<PathBuf>| {
        let token = SecretString::from(bao.root_token.as_str());
        let mut builder = bao.builder().token(token);
        if let Some(ca_file) = ca_file {
            builder = builder.ca_file(ca_file);
        }
        builder.build().unwrap().read(&path).await
    };
    let own = read(Some(authority)).await.unwrap();
    assert!(own.text("accessor").is_some());

    let other = tempfile::tempdir().unwrap();
    certificates(other.path());
    for stranger in [None, Some(other.path().join("ca.pem"))] {
        let refused = read(stranger).await;
        let is_connection = matches!(
            refused,
            Err(VaultError::Unavailable(VaultOutage::Connection(_)))
        );
        assert!(is_connection, "{refused:?}");
    }
}

/// An authority, and a certificate that it signed for this machine.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder).args(arguments.split(' '));
        let output = openssl.output();
        let output = output.unwrap_or_else(|error| panic!("{error}: apt-get install openssl"));
        assert!(output.status.success(), "{openssl:?}: {output:?}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"
    ));
    openssl(&format!(
        "req {key} -keyout server.key -out server.csr -subj /CN=localhost"
    ));
    fs::write(
        folder.join("names"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n",
    )
    .unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
}
