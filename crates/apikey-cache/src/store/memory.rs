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
    KeyQuery, KeyRecord, KeyStore, PepperRows, RecordState, RecordVersion, Revoked, StoreError,
    UnixMillis,
};
use crate::{
    entropy::{Entropy as _, SystemEntropy},
    feed::{
        Change, ChangeFeed, ChangeKind, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId,
    },
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
    /// Made when it is first asked for.
    id: Option<FeedId>,
    readers: BTreeMap<ReaderId, Reader>,
}

impl Tables {
    fn append_record(&mut self, record: &KeyRecord, at: UnixMillis) -> Change {
        let kind = ChangeKind::Record {
            kid: record.kid,
            version: record.version,
        };
        self.append(kind, at)
    }

    fn append(&mut self, kind: ChangeKind, at: UnixMillis) -> Change {
        self.head = self.head.next();
        let change = Change {
            seq: self.head,
            kind,
        };
        self.outbox.push_back((at, change.clone()));
        change
    }

    fn add(&mut self, record: &KeyRecord) -> Change {
        let alike = self.tenants.entry(folded(&record.tenant)).or_default();
        alike.insert(record.tenant.clone());
        self.records.insert(record.kid, record.clone());
        self.append_record(record, record.created_at)
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.tables().records.get(kid).cloned())
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        let mut tables = self.tables();
        if tables.records.contains_key(&record.kid) {
            return Err(StoreError::KidTaken);
        }
        let change = tables.add(record);
        drop(tables);
        self.appended.notify_waiters();
        Ok(change)
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
        let revoked = record.clone();
        let change = tables.append_record(&revoked, at);
        drop(tables);
        self.appended.notify_waiters();
        Ok(Some(Revoked::Now(change)))
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        let mut tables = self.tables();
        let Some(present) = tables.records.get(&old.kid) else {
            return Ok(None);
        };
        let is_as_expected = match (&present.state, &old.state) {
            (RecordState::Active(present), RecordState::Active(old)) => {
                present.pepper == old.pepper
            }
            (RecordState::Active(_), RecordState::Revoked) => true,
            (RecordState::Revoked, _) => false,
        };
        if !is_as_expected || present.version.next() != old.version {
            return Ok(None);
        }
        let replaced = KeyRecord {
            created_at: present.created_at,
            last_used: present.last_used,
            ..old.clone()
        };
        if tables.records.contains_key(&new.kid) {
            return Err(StoreError::KidTaken);
        }
        tables.records.insert(old.kid, replaced);
        let changes = [tables.append_record(old, new.created_at), tables.add(new)];
        drop(tables);
        self.appended.notify_waiters();
        Ok(Some(changes))
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

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        let tables = self.tables();
        let active = tables
            .records
            .values()
            .filter(|record| matches!(record.state, RecordState::Active(_)));
        let used = active.filter_map(|record| Some((record.last_used?, record.kid)));
        let mut used: Vec<_> = used.filter(|(date, _)| *date >= since).collect();
        used.sort_unstable_by(|one, other| other.cmp(one));
        let kids = used.into_iter().map(|(_, kid)| kid);
        Ok(kids.take(limit.get().into()).collect())
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        let mut rows = BTreeMap::<_, PepperRows>::new();
        for record in self.tables().records.values() {
            if record.expires_at.is_some_and(|end| end <= at) {
                continue;
            }
            if let RecordState::Active(verifier) = &record.state {
                rows.entry(verifier.pepper).or_default().hashed += 1;
                if let Some(version) = record.kid.tag_version() {
                    rows.entry(version).or_default().tagged += 1;
                }
            }
        }
        Ok(rows)
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
    async fn id(&self) -> Result<FeedId, StoreError> {
        let mut tables = self.tables();
        if let Some(id) = tables.id {
            return Ok(id);
        }
        let mut bytes = [0; 16];
        let filled = SystemEntropy::new().fill(&mut bytes);
        filled.map_err(StoreError::unavailable)?;
        let id = FeedId::new(bytes);
        tables.id = Some(id);
        Ok(id)
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        let kind = ChangeKind::Invalidation(what.clone());
        let change = self.tables().append(kind, at);
        self.appended.notify_waiters();
        Ok(change)
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let noted = tables.readers.entry(reader.id).or_insert(*reader);
        *noted = Reader {
            applied: noted.applied.max(reader.applied),
            ..*reader
        };
        Ok(())
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        let tables = self.tables();
        let noted = tables.readers.values();
        Ok(noted.filter(|reader| reader.at >= since).copied().collect())
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.tables().readers.remove(reader);
        Ok(())
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        Ok(self.tables().head)
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        let tables = self.tables();
        let changes = tables.outbox.iter().map(|(_, change)| change);
        let later = changes
            .filter(|change| change.seq > seq)
            .take(limit.get().into());
        Ok(FeedPage {
            head: tables.head,
            changes: later.cloned().collect(),
        })
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let is_kept = |(at, _): &(UnixMillis, Change)| *at >= before;
        let dropped = tables.outbox.iter().position(is_kept);
        let dropped = dropped.unwrap_or(tables.outbox.len());
        tables.outbox.drain(..dropped);
        tables.readers.retain(|_, reader| reader.at >= before);
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
