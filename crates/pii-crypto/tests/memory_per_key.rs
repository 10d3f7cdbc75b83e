//! What a data key takes of this process's memory: in use, idle, and with every slot for opening full. On its
//! own, so that nothing else counts.
#![cfg(target_os = "linux")]

#[path = "process/memory.rs"]
mod memory;

use std::{num::NonZeroUsize, ops::RangeInclusive, sync::Arc};

use portcullis_keyring::{
    Keyring, Purpose, TenantId, clock::FakeClock, kek::MemoryKek, store::MemoryDekStore,
};
use portcullis_pii_crypto::{
    Cipher, Email, EpochPolicy, NationalId, PersonName, Pii, PiiType as _,
};

use self::memory::resident_bytes;

/// What a process has that seals and opens for many tenants, with three keys each.
struct World {
    kek: Arc<MemoryKek>,
    store: Arc<MemoryDekStore>,
    clock: Arc<FakeClock>,
    tenants: Vec<TenantId>,
    purposes: [Purpose; 3],
}

impl World {
    async fn new(tenants: usize) -> Self {
        let tenants = (0..tenants).map(|number| TenantId::new(&format!("tenant-{number}")));
        let world = Self {
            kek: Arc::new(MemoryKek::new().expect("random bytes")),
            store: Arc::default(),
            clock: Arc::default(),
            tenants: tenants.collect::<Result<_, _>>().expect("names"),
            purposes: [
                Email::purpose(),
                NationalId::purpose(),
                PersonName::purpose(),
            ],
        };
        // It keeps next to none: what it gave back would be used again, and not count.
        let makes = world.keyring(16);
        for tenant in &world.tenants {
            let made = makes.prepare(tenant, &world.purposes).await;
            made.expect("keys are made");
        }
        world
    }

    fn keyring(&self, capacity: usize) -> Keyring {
        let capacity = NonZeroUsize::new(capacity).expect("it is not zero");
        Keyring::builder(self.kek.clone(), self.store.clone())
            .clock(self.clock.clone())
            .cache_capacity(capacity)
            .build()
    }

    fn keys(&self) -> usize {
        self.purposes.len() * self.tenants.len()
    }

    /// How many bytes more this process takes for each key, once it has worked with those of every tenant and keeps
    /// them.
    async fn bytes_a_key(&self, tidies: Tidies, works: impl Fn(&Cipher)) -> f64 {
        // More than there are keys, since they do not fall evenly on the shards.
        let (keyring, before) = (self.keyring(2 * self.keys()), resident_bytes());
        for some in self.tenants.chunks(100) {
            for tenant in some {
                let keys = keyring.prepare(tenant, &self.purposes).await;
                works(&Cipher::new(keys.expect("they unwrap")));
            }
            if tidies == Tidies::Often {
                let forgotten = keyring.forget_unusable().await;
                forgotten.expect("the store answers");
            }
        }
        (resident_bytes() - before) as f64 / self.keys() as f64
    }
}

/// Whether keys become idle: a service calls `forget_unusable` every 5 s.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tidies {
    Never,
    Often,
}

/// Of each kind, as often, and each time opened as well.
fn seal_and_open(cipher: &Cipher, times: usize) {
    let email = Pii::<Email>::parse("jo@example.com").expect("an address");
    let id = Pii::<NationalId>::parse("52998224725").expect("a CPF");
    let name = Pii::<PersonName>::parse("Jo Doe").expect("a name");
    for _ in 0..times {
        let sealed = cipher.seal("f.email", "1", &email).expect("it seals");
        cipher.open("f.email", "1", &sealed).expect("it opens");
        let sealed = cipher.seal("f.id", "1", &id).expect("it seals");
        cipher.open("f.id", "1", &sealed).expect("it opens");
        let sealed = cipher.seal("f.name", "1", &name).expect("it seals");
        cipher.open("f.name", "1", &sealed).expect("it opens");
    }
}

fn assert_within(bytes: f64, bounds: RangeInclusive<f64>) {
    assert!(bounds.contains(&bytes), "{bytes} bytes a key");
}

#[tokio::test]
async fn a_data_key_in_use_takes_at_most_1_230_bytes() {
    let world = World::new(10_000).await;
    let bytes = world.bytes_a_key(Tidies::Never, |cipher| seal_and_open(cipher, 1));
    assert_within(bytes.await, 1_000.0..=1_230.0);
}

#[tokio::test]
async fn an_idle_data_key_takes_at_most_560_bytes() {
    let world = World::new(4_000).await;
    let bytes = world.bytes_a_key(Tidies::Often, |cipher| seal_and_open(cipher, 1));
    assert_within(bytes.await, 300.0..=560.0);
}

/// Under 30 subkeys each, nearly all slots of nearly all keys are full.
#[tokio::test]
async fn a_data_key_with_all_slots_for_opening_full_takes_at_most_5_780_bytes() {
    let world = World::new(1_000).await;
    let fills = |cipher: &Cipher| {
        let cipher = cipher.clone().with_epochs(EpochPolicy::PerMessage);
        seal_and_open(&cipher, 30);
    };
    let bytes = world.bytes_a_key(Tidies::Never, fills).await;
    assert_within(bytes, 4_000.0..=5_780.0);
}
