//! Records in the memory of one process.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU16;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{
    Change, KeyQuery, KeyStore, OUTBOX_RETENTION, OutboxPage, OutboxSeq, Revoked, StoreError,
};
use crate::clock::UnixMillis;
use crate::kid::Kid;
use crate::pepper::PepperVersion;
use crate::record::{KeyRecord, RecordState, RecordVersion};
use crate::verifier::Verifier;

/// A store that forgets everything with the process, for tests and trials.
#[derive(Debug, Default)]
pub struct MemoryKeyStore {
    tables: Mutex<Tables>,
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
    outbox: VecDeque<(UnixMillis, Change)>,
    head: OutboxSeq,
}

impl Tables {
    fn append(&mut self, kid: Kid, version: RecordVersion, at: UnixMillis) {
        let dropped = at.before(OUTBOX_RETENTION);
        while self
            .outbox
            .front()
            .is_some_and(|(appended, _)| *appended < dropped)
        {
            self.outbox.pop_front();
        }
        self.head = self.head.next();
        self.outbox.push_back((
            at,
            Change {
                seq: self.head,
                kid,
                version,
            },
        ));
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
        tables.records.insert(record.kid, record.clone());
        tables.append(record.kid, record.version, record.created_at);
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

    async fn touch(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
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

    async fn changes_after(
        &self,
        seq: OutboxSeq,
        limit: NonZeroU16,
    ) -> Result<OutboxPage, StoreError> {
        let tables = self.tables();
        let changes = tables.outbox.iter().map(|(_, change)| *change);
        let behind = changes
            .filter(|change| change.seq > seq)
            .take(limit.get().into());
        Ok(OutboxPage {
            head: tables.head,
            changes: behind.collect(),
        })
    }
}
