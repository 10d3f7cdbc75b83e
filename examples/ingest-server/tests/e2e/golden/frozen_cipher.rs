//! Seals as the service does, with a clock that stands still and random numbers that are none, so that the
//! sealed bytes are the same in every run. The service cannot be told to do that.

use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::SystemTime,
};

use portcullis_keyring::{
    DataKey, KeyId, KeyState, Keyring, TenantId,
    clock::FakeClock,
    entropy::{Entropy, EntropyError},
    kek::{KekContext, KekProvider as _, LocalKek},
    secrets::VersionedSecrets,
    store::{DekStore as _, MemoryDekStore, StoredKey},
};
use portcullis_pii_crypto::{AnyPii, Cipher};
use secrecy::SecretBox;

use crate::harness::KEK;

const KEY_ID: KeyId = KeyId::new(0x0102_0304);

/// 0, 1, 2 and so on.
#[derive(Debug, Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        for byte in out {
            *byte = self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The sealed value in hexadecimal digits: the first that is sealed under the data key `00..1f`.
pub(super) async fn sealed(tenant: &str, value: &AnyPii, field: &str, record: &str) -> String {
    let secrets = VersionedSecrets::parse(&KEK.to_owned().into(), None).unwrap();
    let kek = LocalKek::new(secrets);
    let (tenant, purpose) = (TenantId::new(tenant).unwrap(), value.kind().purpose());
    let context = KekContext::new(tenant.clone(), purpose.clone(), KEY_ID);
    let mut byte = 0..;
    let key = Box::new(array::from_fn(|_| byte.next().unwrap()));
    let key = DataKey::hazmat_from_bytes(SecretBox::new(key));
    let wrapped = kek.wrap(&context, &key).await.unwrap();
    let key = StoredKey::new(context, KeyState::Primary, wrapped, SystemTime::UNIX_EPOCH);
    let store = MemoryDekStore::new();
    store.insert(&key).await.unwrap();
    let keyring = Keyring::builder(Arc::new(kek), Arc::new(store))
        .clock(Arc::new(FakeClock::new()))
        .entropy(Arc::new(Counting::default()))
        .build();
    let keys = keyring.prepare(&tenant, &[purpose]).await.unwrap();
    let sealed = value.seal(&Cipher::new(keys), field, record).unwrap();
    hex::encode(sealed.as_bytes())
}
