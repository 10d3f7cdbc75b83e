//! The formats.

use proptest::prelude::*;

use super::{
    envelope::parse_ciphertext,
    key_error::{Verdict, verdict},
    *,
};
use crate::conformance::context;

fn name(mount: &str, key: &str) -> KeyName {
    KeyName::new(VaultPath::new(mount).unwrap(), VaultPath::new(key).unwrap())
}

fn envelope() -> Envelope {
    Envelope {
        name: name("transit", "ingest"),
        version: SecretVersion::try_from(3).unwrap(),
        ciphertext: (0..60).collect(),
    }
}

/// Frozen: this must never be changed, or no data key that Vault has wrapped opens again. Computed by
/// hand from docs/formats.md.
#[test]
fn the_context_is_as_documented() {
    let context = encoded(&context("tenant-7", "email", 0x0102_0304));
    assert_eq!(
        context,
        "cG9ydGN1bGxpcy9kZWsvdjEAAAAACHRlbmFudC03AAAABWVtYWlsAQIDBA=="
    );
    assert_eq!(
        hex::encode(STANDARD.decode(context).unwrap()),
        "706f727463756c6c69732f64656b2f763100\
         0000000874656e616e742d37\
         00000005656d61696c\
         01020304"
    );
}

/// Frozen, as above.
#[test]
fn the_envelope_is_as_documented() {
    let wrapped = envelope().to_wrapped();
    assert_eq!(
        hex::encode(wrapped.as_bytes()),
        "fa0300000003\
         000000077472616e736974\
         00000006696e67657374\
         000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
         202122232425262728292a2b2c2d2e2f303132333435363738393a3b"
    );
    assert_eq!(wrapped.as_bytes().len(), 87);
    assert_eq!(Envelope::parse(&wrapped).unwrap(), envelope());
    assert_eq!(
        envelope().ciphertext(),
        "vault:v3:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7"
    );
    assert_eq!(
        transit("transit", "other").version_of(&wrapped).unwrap(),
        "transit/ingest:v3"
    );
}

#[test]
fn what_vault_writes_has_one_spelling() {
    let (version, ciphertext) = parse_ciphertext("vault:v12:AAEC").unwrap();
    assert_eq!((version.value(), ciphertext), (12, vec![0, 1, 2]));
    for text in [
        "",
        "vault:v1:",
        "vault:v0:AAEC",
        "vault:v01:AAEC",
        "vault:1:AAEC",
        "vault:v1:AAEC\n",
        "vault:v1:AAE",
        "vault:v1:AA-_",
        "vault:v1:AAEC:",
        "vault:v4294967296:AAEC",
        "Vault:v1:AAEC",
    ] {
        assert!(parse_ciphertext(text).is_none(), "{text:?}");
    }
}

#[test]
fn an_envelope_of_another_key_is_refused_without_a_call() {
    let wrapped = envelope().to_wrapped();
    for (mount, key) in [
        ("transit", "other"),
        ("other", "ingest"),
        ("transit/ingest", "x"),
    ] {
        let other = transit(mount, key);
        assert!(
            matches!(other.own(&wrapped), Err(KekError::Rejected)),
            "{mount} {key}"
        );
    }
    assert_eq!(
        transit("transit", "ingest").own(&wrapped).unwrap(),
        envelope()
    );
}

#[test]
fn a_refusal_counts_as_one_of_the_ciphertext_only_where_vault_says_so() {
    let said = |text: &str| verdict(&[text.to_owned()]);
    for text in [
        "cipher: message authentication failed",
        "chacha20poly1305: message authentication failed",
        "invalid ciphertext: no prefix",
        "invalid ciphertext: unable to decrypt",
        "invalid ciphertext length",
    ] {
        assert_eq!(said(text), Some(Verdict::Rejected), "{text}");
    }
    for text in [
        "ciphertext or signature version is disallowed by policy (too old)",
        "invalid ciphertext: version is too new",
    ] {
        assert_eq!(said(text), Some(Verdict::Version), "{text}");
    }
    for text in [
        "encryption key not found",
        "missing 'context' for key derivation",
        "",
    ] {
        assert_eq!(said(text), None, "{text}");
    }
    assert_eq!(verdict(&[]), None);
}

proptest! {
    #[test]
    fn garbage_is_no_envelope_or_comes_back_as_it_was(bytes in garbage()) {
        let wrapped = WrappedKey::from_bytes(bytes);
        if let Some(envelope) = Envelope::parse(&wrapped) {
            prop_assert_eq!(envelope.to_wrapped(), wrapped);
        }
    }
}

/// Bytes that nobody wrapped, for the parser.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let edited = (0..87_usize, any::<u8>()).prop_map(|(at, byte)| {
        let mut bytes = envelope().to_wrapped().as_bytes().to_vec();
        bytes[at] = byte;
        bytes
    });
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..100), edited]
}

fn transit(mount: &str, key: &str) -> VaultTransit {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = VaultClient::builder("http://127.0.0.1:1");
    let client = client.token(SecretString::from("t")).build().unwrap();
    VaultTransit::new(client, mount, key).unwrap()
}
