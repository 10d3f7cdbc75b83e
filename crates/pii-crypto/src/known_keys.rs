//! Keyrings for tests: the key of the known answers, a clock and a random source that are told.

use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use portcullis_keyring::{
    DataKey, KeyId, KeyState, Keyring, PreparedKey, PreparedKeys, Purpose, TenantId,
    clock::FakeClock,
    entropy::{Entropy, EntropyError, SystemEntropy},
    kek::{KekContext, KekProvider as _, LocalKek},
    secrets::VersionedSecrets,
    store::{DekStore as _, MemoryDekStore, StoredKey},
};
use secrecy::SecretBox;

use crate::IndexRoots;

pub(crate) const KEY_ID: KeyId = KeyId::new(0x0102_0304);

/// One tenant (default: `tenant-7`), whose data key for the purpose `email` is `00..1f`.
pub(crate) struct World {
    pub(crate) keyring: Keyring,
    pub(crate) tenant: TenantId,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) entropy: Arc<ToldEntropy>,
}

impl World {
    /// Random salts.
    pub(crate) async fn new() -> Self {
        Self::of("tenant-7", ToldEntropy::default()).await
    }

    /// The salt `00..0f` each time.
    pub(crate) async fn with_known_salt() -> Self {
        Self::of(
            "tenant-7",
            ToldEntropy {
                ascending: true,
                ..ToldEntropy::default()
            },
        )
        .await
    }

    /// The data key is there, and its key-encryption key is not.
    pub(crate) async fn with_another_kek() -> Self {
        let another = LocalKek::new(VersionedSecrets::single(ascending_from(0x41)));
        Self::opened_by(another, "tenant-7", ToldEntropy::default()).await
    }

    pub(crate) async fn of(name: &str, entropy: ToldEntropy) -> Self {
        Self::opened_by(kek(), name, entropy).await
    }

    async fn opened_by(opens: LocalKek, name: &str, entropy: ToldEntropy) -> Self {
        let tenant = TenantId::new(name).expect("a name");
        let purpose = Purpose::new("email").expect("a name");
        let context = KekContext::new(tenant.clone(), purpose, KEY_ID);
        let key = DataKey::hazmat_from_bytes(ascending_from(0));
        let wrapped = kek().wrap(&context, &key).await.expect("it wraps");
        let key = StoredKey::new(context, KeyState::Primary, wrapped, SystemTime::UNIX_EPOCH);
        let store = MemoryDekStore::new();
        store.insert(&key).await.expect("there is room");

        let (clock, entropy) = (Arc::new(FakeClock::new()), Arc::new(entropy));
        let keyring = Keyring::builder(Arc::new(opens), Arc::new(store));
        let keyring = keyring
            .clock(clock.clone())
            .entropy(entropy.clone())
            .build();
        Self {
            keyring,
            tenant,
            clock,
            entropy,
        }
    }

    pub(crate) async fn keys(&self, purposes: &[&str]) -> PreparedKeys {
        let names: Vec<_> = purposes
            .iter()
            .map(|name| Purpose::new(name).expect("a name"))
            .collect();
        self.keyring
            .prepare(&self.tenant, &names)
            .await
            .expect("it answers")
    }

    /// The key of the known answers.
    pub(crate) async fn known_key(&self) -> PreparedKey {
        let keys = self.keys(&["email"]).await;
        keys.primary("email", keys.clock().monotonic())
            .expect("it is fresh")
            .clone()
    }
}

fn kek() -> LocalKek {
    LocalKek::new(VersionedSecrets::single(ascending_from(0x40)))
}

/// The index root of the known answers, `20..3f`, under version 1.
pub(crate) fn known_roots() -> IndexRoots {
    IndexRoots::new(VersionedSecrets::single(ascending_from(0x20))).expect("version 1 fits")
}

pub(crate) fn ascending_from(first: u8) -> SecretBox<[u8; 32]> {
    let byte = |at| first + u8::try_from(at).expect("32 bytes");
    SecretBox::new(Box::new(array::from_fn(byte)))
}

/// Random, or `00 01 02 …`, or none at all.
#[derive(Debug, Default)]
pub(crate) struct ToldEntropy {
    ascending: bool,
    dry: AtomicBool,
}

impl ToldEntropy {
    pub(crate) fn run_dry(&self) {
        self.dry.store(true, Ordering::SeqCst);
    }
}

impl Entropy for ToldEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        if self.dry.load(Ordering::SeqCst) {
            return Err(EntropyError::new());
        }
        if self.ascending {
            out.iter_mut().zip(0..).for_each(|(byte, at)| *byte = at);
            return Ok(());
        }
        SystemEntropy::new().fill(out)
    }
}
