//! A log in memory.

use std::sync::Arc;

use portcullis_audit_log::{audit::Audit, event::Id, note::SigningKey, store::MemoryStore};
use secrecy::SecretBox;

use crate::{
    audit::{AuditFolder, AuditIdentity, AuditLog, WriteRecords},
    clock::SystemClock,
};

/// A log, and what writes it, for the test to spawn.
pub(super) async fn in_memory() -> (AuditLog, impl Future<Output = ()> + Send + 'static) {
    kept_in(MemoryStore::new()).await
}

/// The same in this store.
pub(super) async fn kept_in(
    store: MemoryStore,
) -> (AuditLog, impl Future<Output = ()> + Send + 'static) {
    let seed = SecretBox::new(Box::new([7; 32]));
    let origin = || "test.example/audit".parse().unwrap();
    let key = SigningKey::from_seed(origin(), &seed).unwrap();
    let keys = vec![key.verifying_key().clone()];
    let builder = Audit::builder(Arc::new(store), origin(), Id::constant("a")).key(key);
    let (audit, writing) = builder.open().await.unwrap();
    let folder = AuditFolder::new("audit".into(), "a".to_owned());
    let identity = AuditIdentity {
        origin: origin(),
        keys,
    };
    let clock = Arc::new(SystemClock);
    let off = WriteRecords::Off;
    let (log, _gathering) = AuditLog::new(audit, folder, identity, clock, off);
    (log, writing)
}
