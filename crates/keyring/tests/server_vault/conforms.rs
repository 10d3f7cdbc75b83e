//! The contract, and what Vault itself makes of a wrapped key.

use std::sync::Arc;

use portcullis_keyring::{
    DataKey, conformance,
    kek::{KekError, KekProvider as _, WrappedKey},
};
use secrecy::SecretBox;

use crate::{context, kek, raw, with_key};

#[tokio::test]
async fn it_is_a_kek_provider() {
    let bao = with_key();
    conformance::kek_provider(async || Arc::new(kek(bao.root())) as _).await;
}

/// Another implementation opens what this one wrapped, and not for another tenant.
#[tokio::test]
async fn vault_opens_it_with_the_documented_context_alone() {
    let bao = with_key();
    let kek = kek(bao.root());
    let key = DataKey::hazmat_from_bytes(SecretBox::new(Box::new([0x41; 32])));
    let here = context("tenant-7", 0x0102_0304);
    let wrapped = kek.wrap(&here, &key).await.unwrap();
    let ciphertext = ciphertext_of(&wrapped);
    // docs/formats.md: the label, lp32 of tenant-7, lp32 of email, the key id.
    let own = "cG9ydGN1bGxpcy9kZWsvdjEAAAAACHRlbmFudC03AAAABWVtYWlsAQIDBA==";
    // The same with tenant-8.
    let other = "cG9ydGN1bGxpcy9kZWsvdjEAAAAACHRlbmFudC04AAAABWVtYWlsAQIDBA==";
    let decrypt = |context: &str| {
        let context = format!("context={context}");
        let ciphertext = format!("ciphertext={ciphertext}");
        bao.output(&[
            "write",
            "-field=plaintext",
            "transit/decrypt/ingest",
            &context,
            &ciphertext,
        ])
    };
    let opened = decrypt(own);
    assert!(opened.status.success(), "{opened:?}");
    assert_eq!(
        String::from_utf8_lossy(&opened.stdout).trim(),
        "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    );
    assert!(!decrypt(other).status.success());
}

/// As docs/formats.md lays it out: what stands behind the names is what Vault wrote, decoded.
fn ciphertext_of(wrapped: &WrappedKey) -> String {
    let bytes = wrapped.as_bytes();
    let head = [
        &[0xfa, 3, 0, 0, 0, 1, 0, 0, 0, 7][..],
        b"transit",
        &[0, 0, 0, 6],
        b"ingest",
    ]
    .concat();
    let ciphertext = bytes.strip_prefix(&*head).unwrap();
    assert_eq!(ciphertext.len(), 12 + 32 + 16);
    format!("vault:v1:{}", base64(ciphertext))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(bytes.len() % 3, 0, "without padding");
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let number = chunk
            .iter()
            .fold(0_usize, |number, byte| (number << 8) | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(number >> shift) & 63]))
    });
    digits.collect()
}

#[tokio::test]
async fn a_key_of_another_tenant_or_key_of_vault_is_rejected() {
    let bao = with_key();
    bao.cli(&["write", "-f", "transit/keys/other", "derived=true"]);
    let kek = kek(bao.root());
    let made = kek.generate(&context("one", 1)).await.unwrap();
    for elsewhere in [context("two", 1), context("one", 2)] {
        let opened = kek.unwrap_key(&elsewhere, &made.wrapped).await;
        assert!(matches!(opened, Err(KekError::Rejected)), "{opened:?}");
        let rewrapped = kek.rewrap(&elsewhere, &made.wrapped).await;
        assert!(
            matches!(rewrapped, Err(KekError::Rejected)),
            "{rewrapped:?}"
        );
    }
    let other = portcullis_keyring::kek::VaultTransit::new(bao.root(), "transit", "other").unwrap();
    let opened = other.unwrap_key(&context("one", 1), &made.wrapped).await;
    assert!(matches!(opened, Err(KekError::Rejected)), "{opened:?}");
    let opened = kek
        .unwrap_key(&context("one", 1), &made.wrapped)
        .await
        .unwrap();
    assert_eq!(raw(&opened), raw(&made.key));
}
