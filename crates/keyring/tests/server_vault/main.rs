//! `VaultTransit` on a real OpenBao of each test's own.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real servers are real time"
)]

#[path = "../../../versioned-secrets/tests/server_vault/bao.rs"]
mod bao;
mod conforms;
mod keys;
mod moves;
mod outages;
mod policies;
mod rotation;

use portcullis_keyring::{
    DataKey, KeyId, Purpose, TenantId,
    kek::{KekContext, VaultTransit},
    secrets::vault::VaultClient,
};

use self::bao::Bao;

/// A server with the transit key `ingest`.
fn with_key() -> Bao {
    let bao = Bao::start();
    bao.cli(&["secrets", "enable", "transit"]);
    bao.cli(&["write", "-f", "transit/keys/ingest", "derived=true"]);
    bao
}

fn kek(client: VaultClient) -> VaultTransit {
    VaultTransit::new(client, "transit", "ingest").unwrap()
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn purpose(name: &str) -> Purpose {
    Purpose::new(name).unwrap()
}

fn context(name: &str, id: u32) -> KekContext {
    KekContext::new(tenant(name), purpose("email"), KeyId::new(id))
}

/// The key in the clear.
fn raw(key: &DataKey) -> [u8; 32] {
    // EXPOSE: compared with another, in a test.
    *key.hazmat_export()
}
