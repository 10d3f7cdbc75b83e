//! Keys for the suite.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::{
    KeyId, Keyring, Purpose, TenantId, clock::FakeClock, kek::MemoryKek, store::MemoryDekStore,
};

use super::{Clause, TestTable};
use crate::{AnyPii, Cipher, PiiKind, Sealed};

/// The keys of one tenant, which seal for the field of a table.
pub(super) struct Keys {
    pub(super) tenant: TenantId,
    keyring: Keyring,
    clock: Arc<FakeClock>,
    field: String,
    pub(super) kind: PiiKind,
}

impl Keys {
    pub(super) fn new(clause: Clause, table: &dyn TestTable) -> Self {
        let kek = Arc::new(clause.done("a key-encryption key", MemoryKek::new()));
        let clock = Arc::new(FakeClock::new());
        let (field, kind) = table.field();
        Self {
            tenant: TenantId::new("tenant-7").expect("a name"),
            keyring: Keyring::builder(kek, Arc::new(MemoryDekStore::new()))
                .clock(clock.clone())
                .build(),
            clock,
            field,
            kind,
        }
    }

    /// The n-th of values that are all different.
    pub(super) fn text(&self, number: u32) -> &'static str {
        let texts = match self.kind.name() {
            "national-id" => ["52998224725", "11144477735"],
            "phone" => ["+5511987654321", "+5511987654322"],
            _ => ["one@example.com", "two@example.com"],
        };
        texts[number as usize % texts.len()]
    }

    pub(super) fn value(&self, clause: Clause, text: &str) -> AnyPii {
        clause.done("a value of the field's kind", self.kind.parse(text))
    }

    /// Seals a value for a row under the present primary.
    pub(super) async fn seal(
        &self,
        clause: Clause,
        table: &dyn TestTable,
        row: u32,
        text: &str,
    ) -> Sealed<AnyPii> {
        let purposes: [Purpose; 1] = [self.kind.purpose()];
        let keys = self.keyring.prepare(&self.tenant, &purposes).await;
        let cipher = Cipher::new(clause.done("prepare", keys));
        let value = self.value(clause, text);
        let sealed = value.seal(&cipher, &self.field, &table.record(row));
        clause.done("seal", sealed)
    }

    /// Makes another key the primary; answers with the former one.
    pub(super) async fn rotate(&self, clause: Clause) -> KeyId {
        let purpose = self.kind.purpose();
        let prepared = self
            .keyring
            .prepare(&self.tenant, std::slice::from_ref(&purpose));
        let keys = clause.done("prepare", prepared.await);
        let primary = keys.primary(purpose.as_str(), keys.clock().monotonic());
        let old = clause.done("primary", primary).id();
        for _ in 0..2 {
            clause.done("rotate", self.keyring.rotate(&self.tenant, &purpose).await);
            self.clock.advance(Duration::from_secs(15));
        }
        old
    }
}
