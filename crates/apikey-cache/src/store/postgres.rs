//! Records in a PostgreSQL database.

mod dialect;
mod feed;
mod migrate;
mod refusal;
mod transaction;
mod trial;

use std::{collections::BTreeMap, num::NonZeroU16};

use async_trait::async_trait;
use sqlx::{PgPool, Postgres};

use self::refusal::is_broken_off;
use super::{
    KeyQuery, KeyRecord, KeyStore, PepperRows, RecordVersion, Revoked, StoreError, UnixMillis,
    sql::{Dialect as _, Tables},
};
use crate::{feed::Change, kid::Kid, pepper::PepperVersion, tenant::TenantId, verifier::Verifier};

/// A store in PostgreSQL 15 or later, and the feed of its changes, in the tables `apikey_cache_api_key`,
/// `apikey_cache_outbox`, `apikey_cache_feed` and `apikey_cache_reader` of the schema that the connections of the
/// pool find first.
///
/// The application makes the pool, and with it chooses TLS, how long it waits for a connection, and the time limits
/// of the server; the primary answers it, and no replica. Cloning gives another handle.
///
/// Changes are made under `READ COMMITTED`, whatever the default is, and once more if the server breaks one off for
/// another. Each takes the number of its change from one row, which it holds until it is committed: changes that are
/// made at once are committed one after another, in the order of their numbers. Unless server, role or pool say
/// otherwise, a change waits for a lock for at most 5 s (`lock_timeout`), and the server ends a connection that has
/// stopped in the middle of one after 3 s (`idle_in_transaction_session_timeout`). What was answered is on disk, even
/// with `synchronous_commit = off`.
///
/// Reading waits for nobody but one who alters a table. The cache gives it up after
/// [`store_timeout`](crate::ApiKeyCacheBuilder::store_timeout); set `statement_timeout` for the server to do so too.
///
/// A connection whose transaction failed, or whose caller went away, is closed, and the pool opens another.
///
/// [`ChangeFeed::changed`](crate::feed::ChangeFeed::changed) never ends: the outbox is read at regular times. A
/// listener would take a connection from each process, be lost behind a pooler of transactions, and all that notify
/// in one database wait for each other at their commits. A [bus](crate::bus) is faster.
///
/// # Errors
///
/// What failed is told by its SQLSTATE, and by names of tables, columns and roles: no error holds a value of a row.
#[derive(Clone, Debug)]
pub struct PostgresKeyStore {
    pool: PgPool,
}

impl PostgresKeyStore {
    /// A store on this pool. The tables must exist: see [`migrate`](Self::migrate).
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Makes the tables, or brings them up to date, and notes in `apikey_cache_migrations` what it did. Any number
    /// of processes may do so at once. A role that may not make tables may call it when there is nothing to do.
    ///
    /// # Errors
    ///
    /// [`StoreError::Migration`] if the database cannot be written, or was migrated by a later version of this
    /// crate; nothing has changed then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(&self.pool).await
    }
}

#[async_trait]
impl KeyStore for PostgresKeyStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        Tables(&self.pool).load(kid).await
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        once_more(|| Tables(&self.pool).insert(record)).await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        once_more(|| Tables(&self.pool).revoke(kid, at)).await
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        once_more(|| Tables(&self.pool).rotate(old, new)).await
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        once_more(|| Tables(&self.pool).rehash(kid, version, under, verifier)).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        once_more(|| Postgres::update_last_used(&self.pool, uses)).await
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

/// Attempts it once more if the server has broken it off: whom it was in the way of is done by then.
async fn once_more<T, F: Future<Output = Result<T, StoreError>>>(
    attempt: impl Fn() -> F,
) -> Result<T, StoreError> {
    match attempt().await {
        Err(error) if is_broken_off(&error) => attempt().await,
        answer => answer,
    }
}
