//! Events and leads in one SQLite file that several processes may share.

mod checks;
mod events;
mod lead_sql;
mod leads;
mod open;
mod sealed_refs;

use std::{collections::HashMap, path::Path};

use async_trait::async_trait;
use portcullis_keyring::TenantId;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::{Receipt, SecretCheck, Store, StoreError, Write};
use crate::lead::{LeadColumn, LeadId, LeadRecord};

/// The file, through one writing connection and a pool of reading ones.
#[derive(Debug, Clone)]
pub(crate) struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    // Apart, so that who waits there for the write lock takes no place from who reads here.
    data_keys: SqlitePool,
    api_keys: SqlitePool,
}

const READERS: u32 = 4;

impl SqliteStore {
    /// Opens the file, creating it if needed, and brings its schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = open::options(path);
        open::switch_to_wal(&options).await?;
        let pool = |connections| connect(&options, connections);
        let store = Self {
            writer: pool(1),
            readers: pool(READERS),
            data_keys: pool(READERS),
            api_keys: pool(READERS),
        };
        open::migrate(&store.writer).await?;
        Ok(store)
    }

    /// Connections for the store of data keys.
    pub(crate) fn data_key_pool(&self) -> SqlitePool {
        self.data_keys.clone()
    }

    /// Connections for the store of API keys.
    pub(crate) fn api_key_pool(&self) -> SqlitePool {
        self.api_keys.clone()
    }

    /// Closes every connection; the last one to close folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        for pool in [&self.api_keys, &self.data_keys, &self.readers, &self.writer] {
            pool.close().await;
        }
    }
}

fn connect(options: &SqliteConnectOptions, connections: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(open::BUSY_TIMEOUT)
        .connect_lazy_with(options.clone())
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, group: &[Write]) -> Result<Vec<Receipt>, StoreError> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut receipts = events::insert(&mut tx, group).await?;
        leads::apply(&mut tx, group, &mut receipts).await?;
        sealed_refs::write(&mut tx, group, &receipts).await?;
        tx.commit().await?;
        Ok(events::settle_repeats(group, receipts))
    }

    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRecord>, StoreError> {
        leads::by_id(&self.readers, tenant, id).await
    }

    async fn leads_by_index(
        &self,
        tenant: &TenantId,
        column: &LeadColumn,
        value: &[u8],
        after: Option<LeadId>,
        limit: u32,
    ) -> Result<Vec<LeadRecord>, StoreError> {
        leads::by_index(&self.readers, tenant, column, value, after, limit).await
    }

    async fn owners(
        &self,
        tenant: &TenantId,
        column: &LeadColumn,
        fingerprints: &[&[u8]],
    ) -> Result<HashMap<Vec<u8>, LeadId>, StoreError> {
        leads::owners(&self.readers, tenant, column, fingerprints).await
    }

    async fn secret_checks(&self) -> Result<Vec<SecretCheck>, StoreError> {
        checks::all(&self.readers).await
    }

    async fn remember_secrets(&self, checks: &[SecretCheck]) -> Result<(), StoreError> {
        checks::remember(&self.writer, checks).await
    }

    async fn enforced_index(&self, version: u16) -> Result<u16, StoreError> {
        checks::enforced_index(&self.writer, version).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM secret_check LIMIT 1")
            .fetch_optional(&self.readers)
            .await?;
        Ok(())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        /// `SQLITE_FULL`.
        const FULL: &str = "13";
        match error.as_database_error().and_then(|error| error.code()) {
            Some(code) if code == FULL => Self::Full,
            _ => Self::Unavailable(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
