//! Records in the memory of one process.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroU16,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{
    KeyQuery, KeyRecord, KeyStore, RecordState, RecordVersion, Revoked, StoreError, UnixMillis,
};
use crate::{
    feed::{Change, ChangeFeed, FeedPage, FeedSeq},
    kid::Kid,
    pepper::PepperVersion,
    tenant::TenantId,
    verifier::Verifier,
};

/// A store, and the feed of its changes, that forget everything with the process; for tests and
/// trials.
#[derive(Debug, Default)]
pub struct MemoryKeyStore {
    tables: Mutex<Tables>,
    appended: Notify,
}

impl MemoryKeyStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Tables {
    records: BTreeMap<Kid, KeyRecord>,
    /// Those that have records, by their names in small letters.
    tenants: BTreeMap<String, BTreeSet<TenantId>>,
    outbox: VecDeque<(UnixMillis, Change)>,
    head: FeedSeq,
}

impl Tables {
    fn append(&mut self, kid: Kid, version: RecordVersion, at: UnixMillis) {
        self.head = self.head.next();
        let seq = self.head;
        self.outbox.push_back((at, Change { seq, kid, version }));
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.tables().records.get(kid).cloned())
    }

    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables.records.contains_key(&record.kid) {
            return Err(StoreError::KidTaken);
        }
        let alike = tables.tenants.entry(folded(&record.tenant)).or_default();
        alike.insert(record.tenant.clone());
        tables.records.insert(record.kid, record.clone());
        tables.append(record.kid, record.version, record.created_at);
        drop(tables);
        self.appended.notify_waiters();
        Ok(())
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.tables();
        let Some(record) = tables.records.get_mut(kid) else {
            return Ok(None);
        };
        if matches!(record.state, RecordState::Revoked) {
            return Ok(Some(Revoked::Before(record.version)));
        }
        record.state = RecordState::Revoked;
        record.version = record.version.next();
        let version = record.version;
        tables.append(*kid, version, at);
        drop(tables);
        self.appended.notify_waiters();
        Ok(Some(Revoked::Now(version)))
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        if let Some(record) = self.tables().records.get_mut(kid)
            && record.version == version
            && let RecordState::Active(current) = &mut record.state
            && current.pepper == under
        {
            *current = *verifier;
        }
        Ok(())
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for (kid, date) in uses {
            if let Some(record) = tables.records.get_mut(kid) {
                record.last_used = record.last_used.max(Some(*date));
            }
        }
        Ok(())
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        let start = query.after.map_or(Bound::Unbounded, Bound::Excluded);
        let tables = self.tables();
        let listed = tables
            .records
            .range((start, Bound::Unbounded))
            .map(|(_, record)| record)
            .filter(|record| {
                query
                    .tenant
                    .as_ref()
                    .is_none_or(|tenant| *tenant == record.tenant)
            });
        Ok(listed.take(query.limit.get().into()).cloned().collect())
    }

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        let tables = self.tables();
        let alike = tables.tenants.get(&folded(tenant));
        Ok(alike.and_then(|alike| alike.get(tenant).or_else(|| alike.first()).cloned()))
    }
}

fn folded(tenant: &TenantId) -> String {
    tenant.as_str().to_ascii_lowercase()
}

#[async_trait]
impl ChangeFeed for MemoryKeyStore {
    async fn head(&self) -> Result<FeedSeq, StoreError> {
        Ok(self.tables().head)
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        let tables = self.tables();
        let changes = tables.outbox.iter().map(|(_, change)| *change);
        let later = changes
            .filter(|change| change.seq > seq)
            .take(limit.get().into());
        Ok(FeedPage {
            head: tables.head,
            changes: later.collect(),
        })
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let is_kept = |(at, _): &(UnixMillis, Change)| *at >= before;
        let dropped = tables.outbox.iter().position(is_kept);
        let dropped = dropped.unwrap_or(tables.outbox.len());
        tables.outbox.drain(..dropped);
        Ok(())
    }

    async fn changed(&self, seq: FeedSeq) {
        loop {
            // Made before the head is read: an append between the two is not missed.
            let appended = self.appended.notified();
            if self.tables().head > seq {
                return;
            }
            appended.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_memory_store_keeps_the_contract_of_a_key_store() {
        conformance::key_store(async || Arc::new(MemoryKeyStore::new()) as _).await;
    }

    #[tokio::test]
    async fn the_memory_store_keeps_the_contract_of_a_change_feed() {
        conformance::change_feed(async || {
            let store = Arc::new(MemoryKeyStore::new());
            (Arc::clone(&store) as _, store as _)
        })
        .await;
    }
}
