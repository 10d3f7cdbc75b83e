//! What a client is refused for.

use super::*;

fn client(address: &str) -> VaultClientBuilder {
    drop(rustls::crypto::ring::default_provider().install_default());
    VaultClient::builder(address).token(SecretString::from("canary"))
}

#[test]
fn plain_http_is_for_this_machine_alone() {
    for address in [
        "http://127.0.0.1:8200",
        "http://127.8.8.8",
        "http://localhost:8200/",
        "http://[::1]:8200",
        "https://vault.example:8200",
        "https://vault.example/below",
    ] {
        assert!(client(address).build().is_ok(), "{address}");
    }
    for address in [
        "http://vault.example:8200",
        "http://10.0.0.1",
        "http://localhost.example",
        "http://0.0.0.0:8200",
    ] {
        let refused = client(address).build();
        assert!(
            matches!(refused, Err(VaultConfigError::InsecureAddress)),
            "{address}"
        );
        assert!(
            client(address).dangerous_allow_http().build().is_ok(),
            "{address}"
        );
    }
}

#[test]
fn an_address_is_of_a_server_and_nothing_else() {
    for address in [
        "",
        "vault.example:8200",
        "ftp://vault.example",
        "https://user:canary@vault.example",
        "https://vault.example?token=canary",
        "https://vault.example#a",
    ] {
        let refused = client(address).dangerous_allow_http().build().unwrap_err();
        assert!(
            matches!(refused, VaultConfigError::Address),
            "{address}: {refused:?}"
        );
        assert!(!format!("{refused} {refused:?}").contains("canary"));
    }
}

#[test]
fn a_credential_is_given_once_and_can_be_sent() {
    let none = VaultClient::builder("https://vault.example").build();
    assert!(matches!(none, Err(VaultConfigError::NoCredential)));
    let two = client("https://vault.example").token_file("f").build();
    assert!(matches!(two, Err(VaultConfigError::SeveralCredentials)));
    for token in ["", "canary\n", "canary canary", "cänary"] {
        let refused = VaultClient::builder("https://vault.example");
        let refused = refused
            .token(SecretString::from(token))
            .build()
            .unwrap_err();
        assert!(matches!(refused, VaultConfigError::Token), "{refused:?}");
        assert!(!format!("{refused} {refused:?}").contains("canary"));
    }
    for namespace in ["", "a b", "a\nb"] {
        let refused = client("https://vault.example").namespace(namespace).build();
        assert!(
            matches!(refused, Err(VaultConfigError::Namespace)),
            "{namespace:?}"
        );
    }
}

#[test]
fn certificates_are_read_at_once() {
    let missing = client("https://vault.example")
        .ca_file("absent.pem")
        .build();
    assert!(
        matches!(missing, Err(VaultConfigError::CaFile { .. })),
        "{missing:?}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let empty = client("https://vault.example").ca_file(file.path()).build();
    assert!(
        matches!(empty, Err(VaultConfigError::CaCertificates { .. })),
        "{empty:?}"
    );
}

#[test]
fn debug_prints_no_token() {
    let builder = client("https://vault.example");
    let printed = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!printed.contains("canary"), "{printed}");
}
