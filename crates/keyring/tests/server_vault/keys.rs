//! Keys of Vault that cannot be a key-encryption key, and what is printed.

use std::error::Error as _;

use portcullis_keyring::{
    kek::{KekError, KekProvider as _, VaultKeyError, VaultTransit},
    secrets::vault::VaultError,
};

use crate::{context, kek, with_key};

#[tokio::test]
async fn a_key_that_would_not_protect_is_refused_before_it_is_used() {
    let bao = with_key();
    let make = |name: &str, properties: &[&str]| {
        let path = format!("transit/keys/{name}");
        bao.cli(&[&["write", "-f", &path], properties].concat());
    };
    make("plain", &[]);
    make(
        "convergent",
        &["derived=true", "convergent_encryption=true"],
    );
    make("exportable", &["derived=true", "exportable=true"]);
    make("backup", &["derived=true", "allow_plaintext_backup=true"]);
    make("short", &["derived=true", "type=aes128-gcm96"]);
    for (name, expected) in [
        (
            "plain",
            "the transit key transit/plain is not derived: make another with derived=true",
        ),
        (
            "convergent",
            "the transit key transit/convergent encrypts convergently: make another without",
        ),
        (
            "exportable",
            "the transit key transit/exportable can be exported or backed up in plaintext: make another that \
             cannot, or allow it",
        ),
        (
            "backup",
            "the transit key transit/backup can be exported or backed up in plaintext: make another that \
             cannot, or allow it",
        ),
        (
            "short",
            "the transit key transit/short must be of the type aes256-gcm96 or chacha20-poly1305",
        ),
        (
            "absent",
            "Vault has no transit key transit/absent: make it with derived=true, or correct its name",
        ),
    ] {
        let kek = VaultTransit::new(bao.root(), "transit", name).unwrap();
        assert_eq!(kek.check().await.unwrap_err().to_string(), expected);
        // Also where nobody has asked.
        let unused = kek.generate(&context("t", 1)).await.unwrap_err();
        assert!(matches!(unused, KekError::Unavailable(_)), "{unused:?}");
        assert_eq!(unused.source().unwrap().to_string(), expected);
    }
    let allowed = VaultTransit::new(bao.root(), "transit", "exportable").unwrap();
    let allowed = allowed.dangerous_allow_exportable();
    assert!(allowed.generate(&context("t", 1)).await.is_ok());
    for name in ["aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"] {
        make(name, &["derived=true", &format!("type={name}")]);
        let kek = VaultTransit::new(bao.root(), "transit", name).unwrap();
        let made = kek.generate(&context("t", 1)).await.unwrap();
        assert!(
            kek.unwrap_key(&context("t", 1), &made.wrapped)
                .await
                .is_ok(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_is_known_of_a_key_is_told() {
    let bao = with_key();
    let kek = kek(bao.root());
    let primary = async || kek.primary().await.unwrap().unwrap();
    assert_eq!(primary().await, "transit/ingest:v1");
    bao.cli(&["write", "-f", "transit/keys/ingest/rotate"]);
    let key = kek.check().await.unwrap();
    assert_eq!(key.latest_version().value(), 2);
    assert_eq!(key.min_decryption_version().value(), 1);
    assert!(!key.deletion_allowed());
    assert_eq!(primary().await, "transit/ingest:v2");
}

/// Deleting a key is an accident or the end; that a wrapped key is wrong it does not say.
#[tokio::test]
async fn a_key_that_is_gone_is_no_verdict_on_what_it_wrapped() {
    let bao = with_key();
    let kek = kek(bao.root());
    let made = kek.generate(&context("t", 1)).await.unwrap();
    bao.cli(&[
        "write",
        "transit/keys/ingest/config",
        "deletion_allowed=true",
    ]);
    assert!(kek.check().await.unwrap().deletion_allowed());
    bao.cli(&["delete", "transit/keys/ingest"]);
    let gone = kek
        .unwrap_key(&context("t", 1), &made.wrapped)
        .await
        .unwrap_err();
    assert!(matches!(gone, KekError::Unavailable(_)), "{gone:?}");
    let source = gone.source().unwrap().downcast_ref();
    assert!(
        matches!(source, Some(VaultKeyError::Missing(_))),
        "{source:?}"
    );
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let bao = with_key();
    let token = bao.token_with(
        "nobody",
        "path \"transit/keys/other\" { capabilities = [\"read\"] }",
    );
    let kek = kek(bao.client(&token));
    let made = crate::kek(bao.root())
        .generate(&context("t", 1))
        .await
        .unwrap();
    let denied = kek
        .unwrap_key(&context("t", 1), &made.wrapped)
        .await
        .unwrap_err();
    assert!(matches!(denied, KekError::Unavailable(_)), "{denied:?}");
    let source = denied.source().unwrap().downcast_ref();
    assert!(
        matches!(
            source,
            Some(VaultKeyError::Vault(VaultError::Denied { .. }))
        ),
        "{source:?}"
    );
    let mut printed = format!("{kek:?} {denied:?} {made:?}");
    let mut error = Some(&denied as &dyn std::error::Error);
    while let Some(one) = error {
        printed.push_str(&format!(" {one} {one:?}"));
        error = one.source();
    }
    assert!(
        !printed.contains(&token) && !printed.contains("hvs.") && !printed.contains("s."),
        "{printed}"
    );
}
