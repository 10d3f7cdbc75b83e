//! An audit log that nobody writes any more once it has so many entries, for tests of what is then told and done.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use futures_util::poll;
use portcullis_audit_log::{
    audit::Audit,
    event::Id,
    note::SigningKey,
    store::{MemoryStore, Store as _},
};
use secrecy::SecretBox;

use crate::{
    audit::{AuditFolder, AuditIdentity, AuditLog, WriteRecords},
    clock::SystemClock,
};

/// A log, and what writes it.
pub(super) struct StoppingLog {
    kept: MemoryStore,
    writing: Pin<Box<dyn Future<Output = ()>>>,
}

impl StoppingLog {
    /// What is in a log when a change is begun that is the first thing in it: `audit.opened`, and its beginning.
    pub(super) const BEGUN: u64 = 2;

    /// A log that is open and says so, and the way into it.
    pub(super) async fn open() -> (Self, AuditLog) {
        let kept = MemoryStore::new();
        let name = || "test.example/audit".parse().unwrap();
        let seed = SecretBox::new(Box::new([7; 32]));
        let opened = Audit::builder(Arc::new(kept.clone()), name(), Id::constant("a"))
            .key(SigningKey::from_seed(name(), &seed).unwrap())
            .open();
        let (audit, writing) = opened.await.unwrap();
        let own = AuditFolder::new("audit".into(), "a".to_owned());
        let identity = AuditIdentity {
            origin: name(),
            keys: Vec::new(),
        };
        let clock = Arc::new(SystemClock);
        let (audit, _gathering) = AuditLog::new(audit, own, identity, clock, WriteRecords::Off);
        let writing = Box::pin(writing);
        let mut log = Self { kept, writing };
        while log.kept.size().await.unwrap() == 0 {
            log.write().await;
        }
        (log, audit)
    }

    /// Makes a change while the log is written, until it has so many entries; then nobody writes it any more.
    pub(super) async fn until<T>(&mut self, entries: u64, change: impl Future<Output = T>) -> T {
        let mut change = pin!(change);
        while self.kept.size().await.unwrap() < entries {
            if let Poll::Ready(changed) = poll!(&mut change) {
                return changed;
            }
            self.write().await;
        }
        change.await
    }

    async fn write(&mut self) {
        assert!(poll!(&mut self.writing).is_pending());
        tokio::task::yield_now().await;
    }
}
