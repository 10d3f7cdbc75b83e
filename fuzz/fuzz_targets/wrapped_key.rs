//! Data keys that the local key-encryption key has wrapped, against the format that `docs/formats.md` gives.

#![no_main]

use std::{
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{edits, secrets};
use portcullis_keyring::{
    KeyId, Purpose, TenantId,
    kek::{KekContext, KekError, KekProvider as _, LocalKek, WrappedKey},
    secrets::VersionedSecrets,
};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// The versions of the key-encryption key; the last is the primary one.
const VERSIONS: [u32; 2] = [1, 7];
const LENGTH: usize = 66;

struct Original {
    context: usize,
    key: [u8; 32],
    bytes: Vec<u8>,
}

impl AsRef<[u8]> for Original {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

struct World {
    kek: LocalKek,
    contexts: Vec<KekContext>,
    originals: Vec<Original>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

// An input is a wrapped key if it begins as one does, and otherwise a recipe: which original to
// take, and what to change in it.
fuzz_target!(|input: &[u8]| {
    let bytes = match input {
        [0xfa, ..] | [] => input.to_vec(),
        [which, changes @ ..] => edits::changed(&WORLD.originals, *which, changes),
    };
    let wrapped = WrappedKey::from_bytes(bytes.clone());
    assert_eq!(wrapped.as_bytes(), bytes);
    let original = WORLD.originals.iter().find(|it| it.bytes == bytes);
    for (index, context) in WORLD.contexts.iter().enumerate() {
        let opened = now(WORLD.kek.unwrap_key(context, &wrapped));
        let moved = now(WORLD.kek.rewrap(context, &wrapped));
        match (opened, moved) {
            (Ok(key), Ok(moved)) => {
                let original = original.expect("nothing opens but what was wrapped");
                assert_eq!(original.context, index, "opened in another context");
                // EXPOSE: the key is made up.
                assert_eq!(key.hazmat_export(), &original.key);
                check_moved(context, &moved, original);
            }
            (Err(KekError::UnknownVersion(version)), Err(KekError::UnknownVersion(_))) => {
                let named = bytes.get(2..6).expect("a wrapped key has a version");
                assert_eq!(version.value().to_be_bytes(), named);
                assert!(
                    !VERSIONS.contains(&version.value()),
                    "version {version} is known"
                );
                assert_eq!(bytes.len(), LENGTH);
                assert_eq!(bytes[..2], [0xfa, 1]);
            }
            (Err(KekError::Rejected), Err(KekError::Rejected)) => {
                let is_own = original.is_some_and(|original| original.context == index);
                assert!(!is_own, "what was wrapped opens");
            }
            (opened, moved) => panic!("an outage, or two answers: {opened:?}, {moved:?}"),
        }
    }
});

/// The same key, under the primary version.
fn check_moved(context: &KekContext, moved: &WrappedKey, original: &Original) {
    let bytes = moved.as_bytes();
    assert_eq!(bytes.len(), LENGTH);
    let primary = VERSIONS[VERSIONS.len() - 1];
    assert_eq!(bytes[2..6], primary.to_be_bytes());
    let key = now(WORLD.kek.unwrap_key(context, moved)).expect("it was just wrapped");
    // EXPOSE: the key is made up.
    assert_eq!(key.hazmat_export(), &original.key);
}

impl World {
    fn new() -> Self {
        let versions = VERSIONS.map(|version| {
            let secret = secrets::boxed(u8::try_from(version).expect("it is small"));
            (version.try_into().expect("versions count from 1"), secret)
        });
        let primary = VERSIONS[VERSIONS.len() - 1].try_into();
        let keys = VersionedSecrets::new(primary.expect("versions count from 1"), versions);
        // Contexts that are laid out alike if lengths are left out, or ids.
        let contexts: Vec<KekContext> = [
            ("tenant-7", "email", 1),
            ("tenant-7", "email", 2),
            ("tenant-7", "phone", 1),
            ("tenant-7e", "mail", 1),
            ("tenant-8", "email", 1),
        ]
        .map(|(tenant, purpose, id)| {
            let tenant = TenantId::new(tenant).expect("a name");
            let purpose = Purpose::new(purpose).expect("a name");
            KekContext::new(tenant, purpose, KeyId::new(id))
        })
        .into();
        let mut originals = Vec::new();
        for (index, context) in contexts.iter().enumerate() {
            for version in VERSIONS {
                let number = u8::try_from(originals.len()).expect("there are few");
                let key = secrets::bytes(100 + number);
                let bytes = wrap(context, version, [number; 12], &key);
                originals.push(Original {
                    context: index,
                    key,
                    bytes,
                });
            }
        }
        Self {
            kek: LocalKek::new(keys.expect("the keys differ")),
            contexts,
            originals,
        }
    }
}

/// `FA ‖ 01 ‖ version u32 ‖ nonce 12 ‖ wrapped key 32 ‖ tag 16`, made here and not by the crate.
fn wrap(context: &KekContext, version: u32, nonce: [u8; 12], key: &[u8; 32]) -> Vec<u8> {
    let mut bound = b"portcullis/dek/v1\0".to_vec();
    for part in [context.tenant().as_str(), context.purpose().as_str()] {
        let length = u32::try_from(part.len()).expect("a name is short");
        bound.extend_from_slice(&length.to_be_bytes());
        bound.extend_from_slice(part.as_bytes());
    }
    bound.extend_from_slice(&context.key_id().value().to_be_bytes());
    let secret = secrets::bytes(u8::try_from(version).expect("it is small"));
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &secret).expect("32 bytes"));
    let mut sealed = key.to_vec();
    cipher
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound),
            &mut sealed,
        )
        .expect("32 bytes are sealed");
    [&[0xfa, 1], &version.to_be_bytes()[..], &nonce, &sealed].concat()
}

/// What a future that waits for nothing gives.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("everything is in memory"),
    }
}
