//! A log in a SQLite file that several processes share.

mod dialect;
mod erasing;
mod migrate;
mod place;
mod pruning;
mod taken;
mod transaction;
mod turn;

use std::num::NonZeroUsize;

use async_trait::async_trait;
use sqlx::{Sqlite, SqlitePool};
use tokio::runtime::Handle;

use self::taken::Taken;
use super::{
    Appending, EntryBatch, IndexRows, Store, StoreError,
    sql::{BundleIndex, RowReader, Tables},
};
use crate::{
    event::Id,
    note::SignedNote,
    search::{Page, Query},
    tile::TilePath,
};

/// A log in SQLite, in the tables `audit_log`, `audit_event`, `audit_term`, `audit_bundle`, `audit_tile`,
/// `audit_checkpoint`, `audit_personal`, `audit_tenant` and `audit_cursor` of a database.
///
/// Any number of processes may share it: a group takes the write lock from its first statement on (`BEGIN IMMEDIATE`),
/// and who does not get it within 2 s finds the store unavailable. Who waits has it next: that place is the lock of a file
/// beside the database, with `-turn` behind its name. The pool is the application's. With a busy timeout of some 20 ms
/// it goes from one process to the other at once; with a longer one SQLite asks for the lock seldom. Connections must have `synchronous = FULL`, so
/// that a group is on the disk when it is committed, and `secure_delete = ON`, so that what is erased leaves nothing.
/// [`migrate`](Self::migrate) refuses others. In WAL mode, who reads waits for nobody. A log that is written all the
/// time wants a file of its own: there is one write lock for a file.
///
/// A connection whose transaction failed, and that of a log that was taken and not appended to, is closed, and the pool
/// opens another. (A database in memory ends with its connection.)
///
/// There are no roles in SQLite. Triggers keep mistakes from the leaves; who means to change one can, and is found by
/// verifying.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    tables: Tables<Sqlite>,
}

impl SqliteStore {
    /// A log on this pool. Call [`migrate`](Self::migrate) before the first use.
    #[must_use]
    pub fn new(pool: SqlitePool) -> Self {
        Self {
            tables: Tables::new(pool),
        }
    }

    /// Makes the tables, or brings them up to date, and notes in `audit_migrations` what it did. Any number of
    /// processes may do so at once.
    ///
    /// # Errors
    /// [`StoreError::Migration`] if the database was migrated by a later version of this crate, or its connections do
    /// not sync at each commit and overwrite what they delete; nothing has changed then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(&self.tables.pool).await
    }

    /// What a verification holds each leaf against, beside its hash: the rows that a search looks at.
    #[must_use]
    pub fn index_rows(&self, runtime: Handle) -> IndexRows {
        IndexRows::new(Box::new(self.tables.clone()), runtime)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, StoreError> {
        Ok(Box::new(Taken(self.tables.take(tenants).await?)))
    }

    async fn size(&self) -> Result<u64, StoreError> {
        Ok(self.tables.log().await?.size)
    }

    async fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError> {
        self.tables.entries(from, most).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        self.tables.tile(path).await
    }

    async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        self.tables.checkpoint().await
    }

    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), StoreError> {
        self.tables.publish(checkpoint).await
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        self.tables.search(query).await
    }

    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.tables.personal(n).await
    }

    async fn erase(&self, leaves: &[u64]) -> Result<u64, StoreError> {
        erasing::erase(&self.tables.pool, leaves).await
    }

    async fn prune(&self, before: u64) -> Result<u64, StoreError> {
        pruning::prune(&self.tables, before).await
    }

    async fn first(&self) -> Result<u64, StoreError> {
        Ok(self.tables.log().await?.first)
    }

    async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError> {
        self.tables.cursor(name).await
    }

    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), StoreError> {
        self.tables.move_cursor(name, next).await
    }
}

#[async_trait]
impl RowReader for Tables<Sqlite> {
    async fn index_of(&self, bundle: u64) -> Result<BundleIndex, StoreError> {
        self.bundle_index(bundle).await
    }

    async fn first(&self) -> Result<u64, StoreError> {
        Ok(self.log().await?.first)
    }
}
