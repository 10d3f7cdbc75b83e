//! Events and leads in one SQLite file that several processes may share.

mod checks;
mod events;
mod leads;
mod open;

use std::path::Path;

use async_trait::async_trait;
use portcullis_keyring::TenantId;
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

use super::{LeadColumn, LeadId, LeadRow, Receipt, Store, StoreError, Write};

/// The file, through one writing connection and a pool of reading ones.
#[derive(Debug, Clone)]
pub(crate) struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

const READERS: u32 = 4;

impl SqliteStore {
    /// Opens the file, creating it if needed, and brings its schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = open::options(path);
        open::switch_to_wal(&options).await?;
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(open::BUSY_TIMEOUT)
                .connect_lazy_with(options.clone())
        };
        let store = Self {
            writer: pool(1),
            readers: pool(READERS),
        };
        open::migrate(&store.writer).await?;
        Ok(store)
    }

    /// Connections for the crates that keep tables of their own in the same file.
    pub(crate) fn pool(&self) -> SqlitePool {
        self.readers.clone()
    }

    /// Closes every connection; the last one to close folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, group: &[Write]) -> Result<Vec<Receipt>, StoreError> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut receipts = events::insert(&mut tx, group).await?;
        leads::apply(&mut tx, group, &mut receipts).await?;
        events::settle_repeats(group, &mut receipts);
        tx.commit().await?;
        Ok(receipts)
    }

    async fn lead(&self, tenant: &TenantId, id: LeadId) -> Result<Option<LeadRow>, StoreError> {
        leads::by_id(&self.readers, tenant, id).await
    }

    async fn leads_by_index(
        &self,
        tenant: &TenantId,
        column: LeadColumn,
        value: &[u8],
        limit: u32,
    ) -> Result<Vec<LeadRow>, StoreError> {
        leads::by_index(&self.readers, tenant, column, value, limit).await
    }

    async fn secret_check(
        &self,
        secret: &str,
        version: u32,
        value: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        checks::value(&self.writer, secret, version, value).await
    }

    async fn secret_versions(&self, secret: &str) -> Result<Vec<u32>, StoreError> {
        checks::versions(&self.readers, secret).await
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
