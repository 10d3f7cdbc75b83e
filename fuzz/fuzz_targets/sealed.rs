//! Sealed values as bytes and as text: nothing opens but what was sealed, where it was sealed.

#![no_main]

use std::{
    pin::pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_fuzz::secrets;
use portcullis_keyring::{
    DataKey, KeyId, KeyState, Keyring, Purpose, TenantId,
    clock::{Clock as _, FakeClock},
    entropy::{Entropy, EntropyError},
    kek::{KekContext, KekProvider as _, LocalKek},
    store::{DekStore as _, MemoryDekStore, StoredKey},
};
use portcullis_pii_crypto::{
    Cipher, Email, EpochPolicy, FreeText, OpenError, Pii, PiiType, Sealed,
    secrets::VersionedSecrets,
};

/// What was sealed, by whom, for what.
struct Original {
    tenant: usize,
    field: &'static str,
    record: &'static str,
    plain: &'static str,
    is_email: bool,
    bytes: Vec<u8>,
}

struct World {
    ciphers: Vec<Cipher>,
    originals: Vec<Original>,
}

const TENANTS: [&str; 2] = ["tenant-7", "tenant-8"];
const PLACES: [(&str, &str); 3] = [
    ("lead.email", "lead-1"),
    ("lead.email", "lead-2"),
    ("lead.notes", "lead-1"),
];
const EMAILS: [&str; 2] = ["jane.doe@example.com", "a@example.com"];
const NOTES: [&str; 3] = [
    "",
    "call back at 555-0100",
    "exactly thirty-one bytes long ..",
];

static WORLD: LazyLock<World> = LazyLock::new(World::new);

// An input is a text if it is one, bytes if they begin as a sealed value does, and otherwise a
// recipe: which original to take, and what to change in it.
fuzz_target!(|input: &[u8]| -> Corpus {
    let bytes = match input {
        [0xf9, ..] => Some(input.to_vec()),
        [b'p', ..] => std::str::from_utf8(input).ok().and_then(as_text),
        [which, changes @ ..] => Some(changed(*which, changes)),
        [] => None,
    };
    let Some(bytes) = bytes else {
        return Corpus::Reject;
    };
    check::<Email>(&bytes, true);
    check::<FreeText>(&bytes, false);
    Corpus::Keep
});

/// The bytes of a text: one value has one text.
fn as_text(text: &str) -> Option<Vec<u8>> {
    let sealed: Sealed<Email> = text.parse().ok()?;
    assert_eq!(sealed.to_string(), text, "a second text of one value");
    Some(sealed.into_bytes())
}

fn check<T: PiiType>(bytes: &[u8], is_email: bool) {
    let Ok(sealed) = Sealed::<T>::from_bytes(bytes.to_vec()) else {
        let original = WORLD.originals.iter().find(|it| it.bytes == bytes);
        assert!(original.is_none(), "what was sealed has the shape");
        return;
    };
    assert_eq!(sealed.as_bytes(), bytes);
    let text = sealed.to_string();
    assert_eq!(text.parse().as_ref(), Ok(&sealed), "the text is the value");
    let in_json = serde_json::to_string(&sealed).expect("it is a text");
    assert_eq!(in_json, format!("\"{text}\""));
    assert_eq!(
        serde_json::from_str::<Sealed<T>>(&in_json).ok().as_ref(),
        Some(&sealed)
    );

    let mut opened = 0;
    for (tenant, cipher) in WORLD.ciphers.iter().enumerate() {
        for (field, record) in PLACES {
            match cipher.open(field, record, &sealed) {
                Ok(value) => {
                    let original = WORLD.originals.iter().find(|it| it.bytes == bytes);
                    let original = original.expect("nothing opens but what was sealed");
                    assert_eq!(
                        (
                            original.tenant,
                            original.field,
                            original.record,
                            original.is_email
                        ),
                        (tenant, field, record, is_email),
                        "opened where it was not sealed"
                    );
                    // EXPOSE: the value is made up.
                    assert_eq!(value.expose().text(), original.plain);
                    opened += 1;
                }
                Err(OpenError::Rejected) => {}
                Err(OpenError::NeedsKey(key)) => assert_eq!(key, sealed.key_id()),
                Err(error) => panic!("{error}: no key was disabled or destroyed"),
            }
        }
    }
    let is_original = |it: &Original| it.bytes == bytes && it.is_email == is_email;
    let expected = usize::from(WORLD.originals.iter().any(is_original));
    assert_eq!(opened, expected, "how often it opens");
}

/// An original with bytes put in place of others, taken out, doubled, or from another original.
fn changed(which: u8, changes: &[u8]) -> Vec<u8> {
    let originals = &WORLD.originals;
    let of = |number: u8| &originals[usize::from(number) % originals.len()].bytes;
    let mut bytes = of(which).clone();
    for change in changes.chunks_exact(3) {
        let [how, at, with] = [change[0], change[1], change[2]];
        // Doubling does not go on for ever.
        if bytes.is_empty() || bytes.len() > 200_000 {
            break;
        }
        let at = usize::from(at) % bytes.len();
        match how % 5 {
            0 => bytes[at] = with,
            1 => bytes[at] ^= with,
            2 => bytes.truncate(at),
            3 => bytes.extend_from_within(at..),
            _ => {
                let other = of(with);
                bytes.truncate(at);
                bytes.extend_from_slice(other.get(at..).unwrap_or_default());
            }
        }
    }
    bytes
}

impl World {
    fn new() -> Self {
        let store = Arc::new(MemoryDekStore::new());
        let kek = LocalKek::new(VersionedSecrets::single(secrets::boxed(1)));
        let clock = Arc::new(FakeClock::new());
        let purposes = [Email::PURPOSE, FreeText::PURPOSE].map(purpose);
        let mut number = 0;
        for tenant in TENANTS.map(tenant) {
            for purpose in &purposes {
                number += 1;
                let id = KeyId::new(u32::from(number));
                let context = KekContext::new(tenant.clone(), purpose.clone(), id);
                let key = DataKey::hazmat_from_bytes(secrets::boxed(number));
                let wrapped = now(kek.wrap(&context, &key)).expect("it wraps");
                let key = StoredKey::new(context, KeyState::Primary, wrapped, clock.wall());
                now(store.insert(&key)).expect("there is room");
            }
        }
        let keyring = Keyring::builder(Arc::new(kek), store)
            .clock(clock)
            .entropy(Arc::new(Counted::default()))
            .build();
        // With what the other tenant has too, as far as it is told apart by ids.
        let ids: Vec<KeyId> = (1..=u32::from(number)).map(KeyId::new).collect();
        let ciphers = TENANTS.map(tenant).map(|tenant| {
            let primaries = now(keyring.prepare(&tenant, &purposes)).expect("they are stored");
            let by_id = now(keyring.prepare_ids(&tenant, &ids)).expect("they are stored");
            Cipher::new(primaries.merge(by_id)).with_epochs(EpochPolicy::PerMessage)
        });
        let ciphers = Vec::from(ciphers);
        let originals = originals(&ciphers);
        Self { ciphers, originals }
    }
}

fn originals(ciphers: &[Cipher]) -> Vec<Original> {
    let mut originals = Vec::new();
    for (tenant, cipher) in ciphers.iter().enumerate() {
        for (field, record) in PLACES {
            let mut keep = |plain, is_email, bytes| {
                originals.push(Original {
                    tenant,
                    field,
                    record,
                    plain,
                    is_email,
                    bytes,
                });
            };
            for plain in EMAILS {
                let value = Pii::<Email>::parse(plain).expect("an address");
                let sealed = cipher.seal(field, record, &value).expect("it seals");
                keep(plain, true, sealed.into_bytes());
            }
            for plain in NOTES {
                if let Ok(value) = Pii::<FreeText>::parse(plain) {
                    let sealed = cipher.seal(field, record, &value).expect("it seals");
                    keep(plain, false, sealed.into_bytes());
                }
            }
        }
    }
    originals
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a name")
}

fn purpose(name: &str) -> Purpose {
    Purpose::new(name).expect("a name")
}

/// Bytes that count, so that each run seals the same.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in out.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let bytes = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

/// What a future that waits for nothing gives.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("everything is in memory"),
    }
}
