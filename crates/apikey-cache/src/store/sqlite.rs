//! Records in a SQLite file that several processes may share.

mod dialect;
mod feed;
mod migrate;
mod transaction;
mod trial;

use std::{collections::BTreeMap, num::NonZeroU16};

use async_trait::async_trait;
use sqlx::{Sqlite, SqlitePool};

use super::{
    KeyQuery, KeyRecord, KeyStore, PepperRows, RecordVersion, Revoked, StoreError, UnixMillis,
    sql::{Dialect as _, Tables},
};
use crate::{feed::Change, kid::Kid, pepper::PepperVersion, tenant::TenantId, verifier::Verifier};

/// A store, and the feed of its changes, in the tables `apikey_cache_api_key` and
/// `apikey_cache_outbox` of a SQLite database.
///
/// The application makes the pool, and with it chooses the journal mode and the busy timeout; WAL
/// lets readers go on while another process writes. Cloning gives another handle.
///
/// A connection whose transaction failed is closed, and the pool opens another: what a full disk
/// interrupted goes on when there is room. (A database in memory ends with its connection.)
#[derive(Clone, Debug)]
pub struct SqliteKeyStore {
    pool: SqlitePool,
}

impl SqliteKeyStore {
    /// A store on this pool. The tables must exist: see [`migrate`](Self::migrate).
    #[must_use]
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// Makes the tables, or brings them up to date, and notes in `apikey_cache_migrations` what it
    /// did. Several processes may do so at once; each change is made whole or not at all.
    ///
    /// Tables of the names they had before 0.1.0 (`api_key`, `outbox`) are renamed with all that
    /// is in them; end older processes on the same file first, since they look for the old names
    /// and refuse every key when they find none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Migration`] if the database cannot be written, or was migrated by a later
    /// version of this crate.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(&self.pool).await
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        Tables(&self.pool).load(kid).await
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        Tables(&self.pool).insert(record).await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        Tables(&self.pool).revoke(kid, at).await
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        Tables(&self.pool).rotate(old, new).await
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        let tables = Tables(&self.pool);
        tables.rehash(kid, version, under, verifier).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        Sqlite::update_last_used(&self.pool, uses).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        Tables(&self.pool).list(query).await
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        Tables(&self.pool).recently_used(since, limit).await
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        Tables(&self.pool).rows_by_pepper(at).await
    }

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        Tables(&self.pool).tenant_alike(tenant).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        trial::run(&self.pool).await
    }
}

#[cfg(test)]
mod tests;
