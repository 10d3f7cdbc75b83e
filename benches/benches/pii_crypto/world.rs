//! A keyring in memory, and a cipher that is renewed as often as a service renews one.

use std::{array, sync::Arc};

use portcullis_keyring::{
    Keyring, TenantId,
    clock::{Clock, SystemClock},
    kek::MemoryKek,
    store::MemoryDekStore,
};
use portcullis_pii_crypto::{
    Aead, Cipher, Email, IndexRoots, Pii, PiiType as _, secrets::VersionedSecrets,
};
use secrecy::SecretBox;
use tokio::runtime::{Builder, Runtime};

/// 26 bytes.
pub(super) const ADDRESS: &str = "jane.smith+a1@example1.com";
pub(super) const FIELD: &str = "lead.email";
pub(super) const RECORD: &str = "0198c0de-0000-7000-8000-000000000001";
pub(super) const NONCE: [u8; 12] = [7; 12];
pub(super) const KEY: [u8; 32] = [7; 32];

pub(super) struct World {
    pub(super) runtime: Runtime,
    pub(super) keyring: Keyring,
    pub(super) roots: IndexRoots,
}

impl World {
    pub(super) fn new() -> Self {
        Self::on(Arc::new(SystemClock::new()))
    }

    pub(super) fn on(clock: Arc<dyn Clock>) -> Self {
        let store = Arc::new(MemoryDekStore::new());
        let kek = MemoryKek::new().expect("there are random bytes");
        let root = SecretBox::new(Box::new(array::from_fn(|at| at.to_le_bytes()[0])));
        Self {
            runtime: Builder::new_current_thread().build().expect("it starts"),
            keyring: Keyring::builder(Arc::new(kek), store).clock(clock).build(),
            roots: IndexRoots::new(VersionedSecrets::single(root)).expect("version 1 fits"),
        }
    }

    pub(super) fn tenant(&self, number: usize) -> TenantId {
        TenantId::new(&format!("tenant-{number}")).expect("a name")
    }

    pub(super) fn cipher(&self, tenant: &TenantId) -> Cipher {
        let purposes = [Email::purpose()];
        let keys = self.keyring.prepare(tenant, &purposes);
        Cipher::new(self.runtime.block_on(keys).expect("it answers"))
    }
}

pub(super) fn address() -> Pii<Email> {
    Pii::parse(ADDRESS).expect("an address")
}

/// A cipher serves for 10 s: one for so many messages, as for a batch of requests.
pub(super) const MESSAGES: u32 = 100_000;

pub(super) struct Renewed<'a> {
    world: &'a World,
    tenant: TenantId,
    aead: Aead,
    cipher: Cipher,
    left: u32,
}

impl<'a> Renewed<'a> {
    pub(super) fn new(world: &'a World, aead: Aead) -> Self {
        let tenant = world.tenant(0);
        let cipher = world.cipher(&tenant).with_aead(aead);
        let left = MESSAGES;
        Self {
            world,
            tenant,
            aead,
            cipher,
            left,
        }
    }

    pub(super) fn cipher(&mut self) -> &Cipher {
        self.left -= 1;
        if self.left == 0 {
            self.cipher = self.world.cipher(&self.tenant).with_aead(self.aead);
            self.left = MESSAGES;
        }
        &self.cipher
    }
}
