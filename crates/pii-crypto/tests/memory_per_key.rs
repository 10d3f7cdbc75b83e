//! What a data key takes of this process's memory that is in use: unwrapped, with its states, its epoch and
//! what it has opened last. On its own, so that nothing else counts.
#![cfg(target_os = "linux")]

#[path = "process/memory.rs"]
mod memory;

use std::{num::NonZeroUsize, sync::Arc};

use portcullis_keyring::{
    Keyring, TenantId, clock::FakeClock, kek::MemoryKek, store::MemoryDekStore,
};
use portcullis_pii_crypto::{Cipher, Email, NationalId, PersonName, Pii, PiiType as _};

use self::memory::resident_bytes;

const TENANTS: usize = 10_000;
const KEYS: usize = 3 * TENANTS;

#[tokio::test]
async fn a_data_key_in_use_takes_at_most_2_5_kb() {
    let (kek, store) = (
        Arc::new(MemoryKek::new().expect("random bytes")),
        Arc::new(MemoryDekStore::new()),
    );
    let keyring = |capacity| {
        let capacity = NonZeroUsize::new(capacity).expect("it is not zero");
        Keyring::builder(kek.clone(), store.clone())
            .clock(Arc::new(FakeClock::new()))
            .cache_capacity(capacity)
            .build()
    };
    let tenants = (0..TENANTS).map(|number| TenantId::new(&format!("tenant-{number}")));
    let tenants: Vec<_> = tenants.collect::<Result<_, _>>().expect("names");
    let purposes = [
        Email::purpose(),
        NationalId::purpose(),
        PersonName::purpose(),
    ];
    // It keeps next to none: what it gave back would be used again, and not count.
    let makes = keyring(16);
    for tenant in &tenants {
        makes
            .prepare(tenant, &purposes)
            .await
            .expect("keys are made");
    }
    drop(makes);

    let email = Pii::<Email>::parse("jo@example.com").expect("an address");
    let id = Pii::<NationalId>::parse("52998224725").expect("a CPF");
    let name = Pii::<PersonName>::parse("Jo Doe").expect("a name");
    // More than there are keys, since they do not fall evenly on the shards.
    let (uses, before) = (keyring(2 * KEYS), resident_bytes());
    for tenant in &tenants {
        let keys = uses.prepare(tenant, &purposes).await.expect("they unwrap");
        let cipher = Cipher::new(keys);
        let sealed = cipher.seal("f.email", "1", &email).expect("it seals");
        cipher.open("f.email", "1", &sealed).expect("it opens");
        cipher.seal("f.id", "1", &id).expect("it seals");
        cipher.seal("f.name", "1", &name).expect("it seals");
    }
    let bytes_each = (resident_bytes() - before) as f64 / KEYS as f64;
    println!("{bytes_each:.0} bytes a key");
    assert!(
        (200.0..=2_500.0).contains(&bytes_each),
        "{bytes_each} bytes a key"
    );
}
